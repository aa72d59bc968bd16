"""libkoa as a host program meets it: installed, found by pkg-config, compiled and linked by the compiler, run."""
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.c"))
HEADERS = sorted(path.name for path in (ROOT / "include" / "koa").glob("*.h"))
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def installed(build, tmp_path_factory):
    """The prefix into which `meson install` put the library: nothing of the source tree is seen from there."""
    root = tmp_path_factory.mktemp("installed")
    run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root])
    prefix = run(["meson", "introspect", build, "--buildoptions"])
    prefix = next(option["value"] for option in json.loads(prefix) if option["name"] == "prefix")
    return root / prefix.lstrip("/")


def library_folder(installed):
    return next(installed.rglob("libkoa.so")).parent


def pkg_config(installed, *arguments):
    return run(["pkg-config", f"--define-variable=prefix={installed}", *arguments, "libkoa"],
               env={**os.environ, "PKG_CONFIG_PATH": str(library_folder(installed) / "pkgconfig")}).split()


def instrumentation(build):
    """What a host must be linked with when the library was built under sanitizers, or for coverage."""
    listed = json.loads(run(["meson", "introspect", build, "--buildoptions"]))
    options = {option["name"]: option["value"] for option in listed}
    kinds = options["b_sanitize"]
    kinds = ",".join(kinds) if isinstance(kinds, list) else kinds
    return [*([] if kinds in ("", "none") else [f"-fsanitize={kinds}"]), *(["--coverage"] if options["b_coverage"] else [])]


@pytest.fixture(scope="session")
def example(installed, build, tmp_path_factory):
    """Compiles examples/NAME.c once for each way to link; gives the program's path."""
    folder = tmp_path_factory.mktemp("programs")

    def compile_one(name, linking):
        program = folder / f"{name}-{linking}"
        if not program.exists():
            libraries = pkg_config(installed, "--libs")
            if linking == "static":
                libraries = [library_folder(installed) / "libkoa.a",
                             *(word for word in pkg_config(installed, "--static", "--libs-only-l") if word != "-lkoa")]
            run(["cc", "-std=c17", *STRICT, *instrumentation(build), "-o", program, ROOT / "examples" / f"{name}.c",
                 *pkg_config(installed, "--cflags"), *libraries])
        return program
    return compile_one


@pytest.fixture(scope="session")
def start_environment(installed):
    return {**os.environ, "LD_LIBRARY_PATH": str(library_folder(installed))}


def orders_database(folder):
    with sqlite3.connect(folder / "orders.db") as database:
        database.execute("create table orders (id integer)")
    return f"sqlite://{folder}/orders.db"


EXPECTED = {
    "alerts": r"health.*'orders_db' is unhealthy.*\n(.*\n)*.*\[firing\] critical system_unhealthy: .*unhealthy",
    "custom_check": r"^queue: unhealthy: 1200 jobs wait\n$",
    "custom_metric": r"^refused: .*'custom_operations_total'.*Custom operations performed.*Something else.*\n$",
    "custom_notifier": r"^page: \[firing\] \S+ orders_db_down: .*unhealthy.*\n$",
    "custom_rule": r"alert.firing: \[firing\] \S+ queue_full: 1500 jobs wait",
    "health_check": r"^overall: unhealthy\n$",
    "metrics": r"^http://127\.0\.0\.1:\d+/metrics until end of input\n$",
}


def test_every_example_has_an_expectation():
    assert EXAMPLES == sorted(EXPECTED)


@pytest.mark.simulator
@pytest.mark.parametrize("linking", ["shared", "static"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name, linking, example, start_environment, tmp_path):
    program = example(name, linking)
    arguments = [f"sqlite://{tmp_path}/missing/orders.db"] if name == "health_check" else []
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, cwd=tmp_path,
                          stdin=subprocess.DEVNULL, env=start_environment)
    assert done.returncode == 0, done.stderr
    assert re.search(EXPECTED[name], done.stdout), done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == [], "an agent without a state directory writes nothing"


def test_example_needs_the_installed_library(example, start_environment):
    linked = run(["ldd", example("health_check", "shared")], env=start_environment)
    assert re.search(rf"libkoa\.so\.\d+ => {re.escape(start_environment['LD_LIBRARY_PATH'])}/", linked), linked
    assert "libkoa" not in run(["ldd", example("health_check", "static")], env=start_environment)


def test_health_check_of_a_database_that_is_there(example, start_environment, tmp_path):
    assert run([example("health_check", "shared"), orders_database(tmp_path)], env=start_environment) == "overall: healthy\n"


def test_metrics_example_is_read_over_http(example, start_environment):
    with subprocess.Popen([example("metrics", "shared")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=start_environment) as process:
        url = process.stdout.readline().split()[0]
        with urllib.request.urlopen(url, timeout=10) as answer:
            shown = json.load(answer)
        process.stdin.close()
        assert process.wait(30) == 0
    assert shown["counters"]["api_requests_total{endpoint=/topics}"] == 1
    assert shown["counters"]["cache_hits_total{tier=l1}"] == 1
    assert shown["gauges"]["active_users"] == 42
    assert shown["histograms"]["response_time_seconds"]["sum"] == 0.25
    assert shown["timers"]["database_query"]["count"] == 1
    assert shown["timers"]["database_query"]["sum"] > 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_short(name):
    assert len((ROOT / "examples" / f"{name}.c").read_text().splitlines()) < 40


def test_all_headers_are_installed(installed):
    assert sorted(path.name for path in (installed / "include" / "koa").iterdir()) == HEADERS


@pytest.mark.parametrize("compiler, language, standard", [("cc", "c", "c17"), ("c++", "c++", "c++17")])
@pytest.mark.parametrize("header", HEADERS)
def test_header_compiles_alone(header, compiler, language, standard, installed):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler} here; tools/packages.txt names its package")
    run([compiler, "-x", language, f"-std={standard}", *STRICT, "-fsyntax-only",
         *(["-Wstrict-prototypes"] if language == "c" else []), *pkg_config(installed, "--cflags"), "-"],
        input=f"#include <koa/{header}>\n#include <koa/{header}>\nint unused;\n")


def exported(library, *options):
    table = run(["nm", *options, "--defined-only", "--format=posix", library])
    return {line.split()[0].split("@")[0] for line in table.splitlines() if len(line.split()) >= 3}


def test_shared_library_exports_what_the_headers_declare(installed):
    declared = set()
    for header in HEADERS:
        text = re.sub(r"/\*.*?\*/", "", (ROOT / "include" / "koa" / header).read_text(), flags=re.S)
        declared |= set(re.findall(r"KOA_API[^;{]*?\b(koa_\w+)\s*[(;]", text))
    shown = exported(library_folder(installed) / "libkoa.so", "-D")
    assert len(declared) > 40
    assert shown == declared


def test_static_library_defines_only_our_names(installed):
    foreign = [name for name in exported(library_folder(installed) / "libkoa.a", "-g") if not name.startswith("koa_")]
    assert foreign == []
