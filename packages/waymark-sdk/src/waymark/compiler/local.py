"""A method or property of a value's class goes in; why the program cannot have it comes out."""

from __future__ import annotations

from waymark.compiler import members
from waymark.compiler.members import Method, Property
from waymark.compiler.tables import Tables


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
    if members.package_of(module) != members.package_of(
        tables.workflow.__module__
    ) and not tables.captures.stands_in_class(found.function, found.owner):
        return (
            f"`{found.owner.__qualname__}.{name}` is a function of {module} and is not compiled in"
        )
    return tables.why_excluded(found.owner, found.function)
