"""Every case shows the same in CPython, in the machine, and in a machine recovered after every step."""

import importlib
import pkgutil
from typing import Any

import pytest

from tests.language import cases
from tests.support.oracle import run_in_cpython
from tests.support.replaying import MODES, PLAIN, run_in_machine
from waymark import Workflow

Case = tuple[type[Workflow], int]


def found() -> list[Any]:
    """Every workflow of every module of cases, once for each of its inputs."""
    params = []
    for module_name in sorted(each.name for each in pkgutil.iter_modules(cases.__path__)):
        module = importlib.import_module(f"{cases.__name__}.{module_name}")
        inputs = getattr(module, "INPUTS", {})
        for value in vars(module).values():
            if _is_case(value, module.__name__):
                for index in range(len(inputs.get(value.__name__, [{}]))):
                    name = f"{module_name}-{value.__name__}-{index}"
                    params.append(pytest.param(value, index, id=name))
    return params


def _is_case(value: object, module_name: str) -> bool:
    own = (
        isinstance(value, type) and issubclass(value, Workflow) and value.__module__ == module_name
    )
    return own and hasattr(value.run, "__wrapped__")  # type: ignore[attr-defined] # a workflow has it


def keywords(workflow: type[Workflow], index: int) -> dict[str, Any]:
    module = importlib.import_module(workflow.__module__)
    given: dict[str, Any] = getattr(module, "INPUTS", {}).get(workflow.__name__, [{}])[index]
    return given


@pytest.mark.parametrize(("workflow", "index"), found())
def test_case_shows_what_cpython_shows(workflow: type[Workflow], index: int) -> None:
    expected = run_in_cpython(workflow, keywords(workflow, index))
    assert expected.ending in {"returned", "raised", "cancelled"}
    for mode in MODES:
        shown = run_in_machine(workflow, keywords(workflow, index), mode=mode)
        assert shown == expected, mode


@pytest.mark.parametrize(("workflow", "index"), found())
def test_case_shows_what_cpython_shows_whatever_returns_first(
    workflow: type[Workflow], index: int
) -> None:
    for seed in (1, 2, 3):
        shown = run_in_machine(workflow, keywords(workflow, index), mode=PLAIN, seed=seed)
        assert shown == run_in_cpython(workflow, keywords(workflow, index), seed=seed), seed
