"""What the checks of tools/ share: which files there are, C text without comments and strings, reporting."""
import argparse
import pathlib
import re
import sys

COMMENT_OR_STRING = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def arguments(text, *positional):
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    for name in positional:
        parser.add_argument(name)
    return parser.parse_args()


def c_files(root, *folders):
    """The .c and .h files under these folders, in a stable order."""
    return [path for folder in folders for path in sorted((root / folder).rglob("*.[ch]"))]


def code_only(text):
    """Comments and the insides of strings become blanks; lines keep their numbers."""
    return COMMENT_OR_STRING.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def includes(text):
    """(line, is_system, header) of each #include; those in comments do not count."""
    blank = COMMENT_OR_STRING.sub(
        lambda match: match.group() if match.group().startswith('"') else re.sub(r"[^\n]", " ", match.group()), text)
    return [(blank.count("\n", 0, found.start()) + 1, found.group(1) == "<", found.group(2))
            for found in INCLUDE.finditer(blank)]


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def finish(findings):
    """Prints findings and ends the program: 1 when there is one."""
    for finding in findings:
        print(finding)
    sys.exit(1 if findings else 0)
