"""Modules of cases come in; their workflows, each with its inputs, go out."""

import importlib
import pkgutil
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from waymark import Workflow


@dataclass(frozen=True, slots=True)
class Case:
    """One workflow with one set of arguments."""

    name: str
    workflow: type[Workflow]
    keywords: dict[str, Any]


def modules(package: ModuleType) -> list[ModuleType]:
    """Every module of a package of cases, by name."""
    names = sorted(each.name for each in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def workflows(module: ModuleType) -> list[type[Workflow]]:
    """The decorated workflows that a module defines, in its order."""
    return [value for value in vars(module).values() if _is_workflow(value, module.__name__)]


def _is_workflow(value: object, module_name: str) -> bool:
    own = (
        isinstance(value, type) and issubclass(value, Workflow) and value.__module__ == module_name
    )
    return own and hasattr(value.run, "__wrapped__")  # type: ignore[attr-defined] # a workflow has it


def cases(package: ModuleType) -> list[Case]:
    """Every workflow of every module, once for each of its ``INPUTS``, that this CPython runs like the machine.

    ``SINCE`` of a module says from which version on, where that is not the oldest.
    """
    found = []
    for module in modules(package):
        inputs: dict[str, list[dict[str, Any]]] = getattr(module, "INPUTS", {})
        since: dict[str, tuple[int, int]] = getattr(module, "SINCE", {})
        for workflow in workflows(module):
            if sys.version_info[:2] < since.get(workflow.__name__, (3, 11)):
                continue
            for index, keywords in enumerate(inputs.get(workflow.__name__, [{}])):
                short = module.__name__.rpartition(".")[2]
                name = f"{short}-{workflow.__name__}-{index}"
                found.append(Case(name, workflow, keywords))
    return found
