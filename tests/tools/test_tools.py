"""Each check of tools/ reports a sample that violates it, and accepts one that does not."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools"


@pytest.fixture
def tree(tmp_path):
    """A small tree with the project's own tables; write(name, text) adds a file to it."""
    (tmp_path / "tools").mkdir()
    for table in ("layers.txt", "banned.txt"):
        shutil.copy(TOOLS / table, tmp_path / "tools")

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write.root = tmp_path
    return write


def check(name, tree, *arguments):
    return subprocess.run([TOOLS / name, "--root", tree.root, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("file, text, reason", [
    ("src/base/a.c", '#include "loop/loop.h"\n', 'base/ may not include loop/'),
    ("src/loop/a.c", '#include "config/options.h"\n', "loop/ may not include config/"),
    ("src/api/a.c", "#include <uv.h>\n", "<uv.h> belongs to another room"),
    ("src/base/other.c", "#include <jansson.h>\n", "<jansson.h> belongs to another room"),
    ("src/kafka/a.c", "#include <librdkafka/rdkafka.h>\n", "belongs to another room or is not listed"),
    ("src/base/a.c", '#include "buf.h"\n', "write the room first"),
    ("src/attic/a.c", "\n", "room attic is not in tools/layers.txt"),
    ("include/koa/a.h", '#include "base/buf.h"\n', "public/ may not include base/"),
    ("include/koa/a.h", "#include <sys/types.h>\n", "public headers include only each other"),
])
def test_check_layers_reports_a_forbidden_include(tree, file, text, reason):
    tree(file, text)
    found = check("check-layers", tree)
    assert found.returncode == 1
    assert found.stdout.startswith(file) and reason in found.stdout


def test_check_layers_accepts_what_the_table_allows(tree):
    tree("src/loop/a.c", '#include "loop/loop.h"\n#include <uv.h>\n#include "base/buf.h"\n#include <koa/log.h>\n'
                         '/* #include <curl/curl.h> */\n#include <sys/socket.h>\n')
    tree("src/base/json_read.c", "#include <jansson.h>\n")
    found = check("check-layers", tree)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("file, call, name", [
    ("src/base/a.c", "strcpy(a, b);", "strcpy"),
    ("src/api/a.c", "x = atoi(text);", "atoi"),
    ("src/api/a.c", "p = malloc (3);", "malloc"),
    ("src/builtin/a.c", "system(command);", "system"),
    ("src/store/a.c", "if (fork() == 0)", "fork"),
    ("tests/unit/base/a_test.c", "usleep(10);", "usleep"),
    ("src/alerts/a.c", "now = time(NULL);", "time"),
])
def test_check_banned_reports_a_call_with_its_line(tree, file, call, name):
    tree(file, f"/* one */\nvoid f(void)\n{{\n    {call}\n}}\n")
    found = check("check-banned", tree)
    assert found.returncode == 1
    assert found.stdout.startswith(f"{file}:4: {name}() is banned")


def test_check_banned_accepts_comments_strings_members_and_the_exempt_file(tree):
    tree("src/api/a.c", '/* free(x) */\nconst char *t = "malloc(3)";\nvoid f(void) { ops->free(x); ops.free(x); koa_free(x); }\n')
    tree("src/base/memory.c", "void koa_free(void *p) { free(p); }\n")
    tree("tests/system/helper.c", "void f(void) { sleep(1); }\n")
    found = check("check-banned", tree)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("file, text, reason", [
    ("src/base/a.c", "/* a */\n" + "int x;\n" * 600, "601 lines"),
    ("src/base/a.c", "int x;\n", "opens with a comment"),
    ("src/base/a.h", "int x; /* TO" "DO: later */\n", "without an issue's number"),
])
def test_check_files_reports(tree, file, text, reason):
    tree(file, text)
    found = check("check-files", tree)
    assert found.returncode == 1 and reason in found.stdout


def test_check_symbols_reports_foreign_and_undeclared_exports(tree):
    tree("include/koa/a.h", "void koa_declared(void);\n")
    tree("a.c", "void koa_declared(void) {}\nvoid koa_hidden(void) {}\nvoid helper(void) {}\nstatic void local(void) {}\n"
                "void *keep = (void *) local;\n")
    library = tree.root / "a.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tree.root / "a.c"], check=True)
    found = check("check-symbols", tree, library)
    assert found.returncode == 1
    assert [line.split("exports ")[1] for line in found.stdout.splitlines()] == [
        "helper, which is not ours", "keep, which is not ours",
        "koa_hidden, which no header of include/koa declares"]


def program(tree, text):
    tree("program", f"#!/bin/sh\n{text}\n")
    (tree.root / "program").chmod(0o755)
    return tree.root / "program"


def test_check_docs_compares_committed_documents_with_the_program(tree):
    names = re.search(r"^GENERATED = \((.*?)\)", (TOOLS / "check-docs").read_text(), re.M | re.S)[1]
    for name in re.findall(r'"([\w-]+)"', names):
        tree(f"docs/{name}.md", "# Settings\n")
    assert check("check-docs", tree, program(tree, "echo '# Settings'")).returncode == 0
    changed = check("check-docs", tree, program(tree, "echo '# More settings'"))
    assert changed.returncode == 1 and "+# More settings" in changed.stdout
    broken = check("check-docs", tree, program(tree, "echo no such command >&2; exit 2"))
    assert broken.returncode == 1 and "no such command" in broken.stdout


def test_check_format_reports_a_file_that_is_not_formatted(tree):
    if not shutil.which("clang-format-14"):
        pytest.skip("clang-format-14 is not installed; ./dev check installs it")
    shutil.copy(ROOT / ".clang-format", tree.root)
    tree("src/base/a.c", "int  x;\n")
    git = ["git", "-C", tree.root]
    subprocess.run(git + ["init", "-q"], check=True)
    subprocess.run(git + ["add", "."], check=True)
    found = subprocess.run([TOOLS / "check-format"], cwd=tree.root, capture_output=True, text=True)
    assert found.returncode != 0 and "src/base/a.c:1" in found.stderr


def test_check_tidy_reports_a_changed_file(tree):
    if not shutil.which("clang-tidy-14"):
        pytest.skip("clang-tidy-14 is not installed; ./dev check installs it")
    shutil.copy(ROOT / ".clang-tidy", tree.root)
    tree("src/base/a.c", "int f(int a);\nint f(int a) { if (a == a) return 1; return 0; }\n")
    source = tree.root / "src/base/a.c"
    tree("build-clang/compile_commands.json",
         f'[{{"directory": "{tree.root}", "file": "{source}", "command": "clang-14 -c {source}"}}]')
    git = ["git", "-C", tree.root, "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(git + ["init", "-q", "-b", "main"], check=True)
    subprocess.run(git + ["add", "src"], check=True)
    subprocess.run(git + ["commit", "-q", "-m", "one"], check=True)
    found = subprocess.run([TOOLS / "check-tidy"], cwd=tree.root, capture_output=True, text=True)
    assert found.returncode != 0 and "misc-redundant-expression" in found.stdout


@pytest.mark.parametrize("ci, code", [("true", 1), ("", 0)])
def test_what_is_skipped_has_failed_under_ci(tree, ci, code):
    shutil.copy(ROOT / "tests" / "conftest.py", tree.root)
    tree("test_one.py", "import pytest\n\ndef test_passes(): pass\n\ndef test_skips(): pytest.skip('no judge here')\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tree.root], cwd=tree.root,
                          capture_output=True, text=True, env={**os.environ, "CI": ci})
    assert done.returncode == code, done.stdout
    assert ("cannot run under CI: Skipped: no judge here" in done.stdout) == bool(ci)
