"""The installed distribution in; every statement that it can run out."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

import waymark_schema
from waymark_schema.database.statement import Statement


def modules() -> list[ModuleType]:
    """Every module of the schema distribution that takes statements out of a file."""
    found = pkgutil.walk_packages(waymark_schema.__path__, "waymark_schema.")
    loaded = [
        importlib.import_module(module.name) for module in found if not module.name.endswith(".cli")
    ]
    return [module for module in loaded if statements_of(module)]


def statements_of(module: ModuleType) -> list[Statement[Any]]:
    return [value for value in vars(module).values() if isinstance(value, Statement)]


def every_statement() -> list[Statement[Any]]:
    """Every statement once, by name."""
    found = {
        statement.name: statement for module in modules() for statement in statements_of(module)
    }
    return [found[name] for name in sorted(found)]
