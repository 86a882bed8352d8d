"""A method or property of a value's class goes in; why the program cannot have it comes out."""

from __future__ import annotations

import enum

from waymark.compiler import members
from waymark.compiler.members import Method, Property
from waymark.compiler.prelude.names import ORDERINGS
from waymark.compiler.tables import Tables

_ORDERINGS = frozenset(ORDERINGS.values())


def is_local(tables: Tables, cls: type) -> bool:
    """Whether a class belongs to the workflow's own package."""
    return members.package_of(cls.__module__) == members.package_of(tables.workflow.__module__)


def why_not(tables: Tables, name: str, found: Method | Property) -> str | None:
    """Why a method or property that a user wrote is not compiled in, or None."""
    if not is_local(tables, found.owner):
        return (
            f"`{found.owner.__qualname__}.{name}` belongs to another package and is not compiled in"
        )
    module = found.function.__module__
    if found.function in _ORDERINGS:
        return None
    if isinstance(found, Property) and found.cached and (why := _uncached(found.owner, name)):
        return f"`{found.owner.__qualname__}.{name}` is a cached_property of {why}"
    if members.package_of(module) != members.package_of(
        tables.workflow.__module__
    ) and not tables.captures.stands_in_class(found.function, found.owner):
        return (
            f"`{found.owner.__qualname__}.{name}` is a function of {module} and is not compiled in"
        )
    return tables.why_excluded(found.owner, found.function)


def _uncached(owner: type, name: str) -> str | None:
    """What ``owner`` is, if a value that its objects keep would be seen where it is not."""
    if issubclass(owner, enum.Enum):
        return "an enum, whose members all runs share: make it a property"
    if issubclass(owner, tuple) or "__slots__" in vars(owner):
        return "a class whose objects have no place for it: make it a property"
    decorators = getattr(owner, "__pydantic_decorators__", None)
    if name in getattr(decorators, "computed_fields", {}):
        return "a model that is dumped with it: make it a property"
    return None
