"""Every module in; ones too long, without their one line or with a name that says nothing, out."""

import ast
import re

from tests.support.checkout import name_of, package_files, python_files

MAX_LINES = 400

# Of the line that a module begins with.
MAX_LINE = 130

# Module → why it may be longer. A module on this list that has shrunk must leave it.
LONG_MODULES: dict[str, str] = {
    "tests/language/cases/errors.py": "cases, each read by itself",
    "tests/language/cases/lowering.py": "cases, each read by itself",
    "tests/support/fuzzing/grammar.py": "one grammar of random programs, each rule read by itself",
    "tests/unit/vm/cases/execution.py": "cases, each read by itself",
    "tests/unit/vm/test_operations_match_cpython.py": "one table of comparisons, each read by itself",
}

# The glossary: words that say nothing about a thing of ours.
BANNED_WORDS = frozenset({"manager", "helper", "util", "common", "base", "handler", "data", "info"})

# Public names that are part of the agreed interface, and context managers, which Python calls so.
ALLOWED_NAMES = frozenset(
    {"ScheduleInfo", "managers", "generator_managers", "GeneratorManager", "AsyncGeneratorManager"}
)


def _says_nothing(name: str) -> bool:
    """Judge the head noun: a data directory is a thing, directory data is not."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return bool(words) and (
        words[-1].lower().removesuffix("s") in BANNED_WORDS or words[0].lower() == "base"
    )


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {
        name_of(path): sum(1 for line in path.read_text().splitlines() if line.strip())
        for path in python_files("packages", "apps", "tests", "benchmarks")
    }
    too_long = {name: length for name, length in lengths.items() if length > MAX_LINES}
    assert {name: n for name, n in too_long.items() if name not in LONG_MODULES} == {}
    assert {name for name in LONG_MODULES if name not in too_long} == set(), "no longer exceptions"


def test_a_module_begins_with_the_one_line_that_says_what_it_does() -> None:
    wrong = []
    for path in package_files():
        docstring = ast.get_docstring(ast.parse(path.read_text()), clean=False) or ""
        line, _, rest = docstring.partition("\n")
        if not line.endswith(".") or len(line) > MAX_LINE or rest[:1] not in {"", "\n"}:
            wrong.append(name_of(path))
    assert wrong == []


def test_no_module_or_class_has_a_name_that_says_nothing() -> None:
    wrong = []
    for path in package_files():
        names = [path.stem] + [
            node.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
        ]
        wrong += [
            f"{name_of(path)}: {name}"
            for name in names
            if _says_nothing(name) and name not in ALLOWED_NAMES
        ]
    assert wrong == []
