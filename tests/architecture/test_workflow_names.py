"""Every test module in; workflows that would take each other's name, were they imported together, out."""

import ast
from collections import defaultdict

from tests.support.checkout import ROOT, tracked_files

ELSEWHERE = ("tests/acceptance/app/", "tests/typing/cases/", "tests/language/rewritten/")
"""Modules that only processes of their own import."""


def _name(node: ast.ClassDef) -> str:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            (target,) = statement.targets
            if isinstance(target, ast.Name) and target.id == "name":
                return str(statement.value.value)
    return node.name.lower()


def _is_workflow(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        ast.unparse(decorator).partition("(")[0].endswith("workflow")
        for decorator in node.decorator_list
    )


def test_no_two_workflows_of_the_tests_share_a_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in tracked_files():
        where = path.relative_to(ROOT).as_posix()
        if path.suffix != ".py" or not where.startswith("tests/") or where.startswith(ELSEWHERE):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and _is_workflow(node):
                found[_name(node)].append(where)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}
    assert len(found) > 500
