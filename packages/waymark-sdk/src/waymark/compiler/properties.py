"""A property of a value's class goes in; the functions of the program that read, set and delete it come out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from inspect import getattr_static
from typing import TypeGuard

from waymark.compiler.local import why_not
from waymark.compiler.members import Member, Method, Property
from waymark.compiler.synthetic import remembering
from waymark.compiler.tables import Change, Tables

CHANGES: tuple[Change, ...] = ("setter", "deleter")


def add_property(tables: Tables, name: str, found: Property) -> None:
    """Ask for the lowering of what the program needs of a property beside its getter."""
    if found.cached:
        _remembering(tables, name, found)
    for _, accessor in _accessors(tables, name, found):
        tables.function(accessor.function, accessor.owner)


def _remembering(tables: Tables, name: str, found: Property) -> int:
    key = (found.function, found.owner, name)
    number = tables.remembered.get(key)
    if number is None:
        target = tables.function(found.function, found.owner)
        number = tables.remembered[key] = remembering(tables, target, name, found.function)
    return number


def numbered(tables: Tables, name: str, found: Property) -> dict[str, int]:
    """Give the numbers of those functions, by their names in the type table."""
    if found.cached:
        return {f"{name}.cached": _remembering(tables, name, found)}
    numbers = {name: tables.function(found.function, found.owner)}
    for changed, accessor in _accessors(tables, name, found):
        numbers[changed] = tables.function(accessor.function, accessor.owner)
    return numbers


def _accessors(tables: Tables, name: str, found: Property) -> Iterator[tuple[str, Method]]:
    for change in CHANGES:
        accessor = found.accessor(change)
        changed = isinstance(accessor, Method) and (name, change) in tables.changed
        if isinstance(accessor, Method) and changed and why_not(tables, name, accessor) is None:
            yield f"{name}.{change}", accessor


def is_cached(found: Member) -> TypeGuard[Property]:
    """Whether a member is a cached property: where the program lacks it, its name may still mean something else."""
    return isinstance(found, Property) and found.cached


def property_names(written: Iterable[tuple[str, Method | Property]]) -> set[str]:
    """Give the names of what is a property, among what users wrote in a class."""
    return {name for name, found in written if isinstance(found, Property)}


def descriptors(cls: type, strange: dict[str, str]) -> dict[str, str]:
    """Those of the strange members of a class that setting an attribute would call, and why they are strange."""
    return {
        name: why
        for name, why in strange.items()
        if hasattr(type(getattr_static(cls, name)), "__set__")
    }


def over_fields(cls: type) -> dict[str, str]:
    """Properties of a dataclass that have the name of a field, and why they cannot be set."""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    return {
        field.name: f"`{field.name}` of `{cls.__qualname__}` is both a field and a property, which keep what they hold apart here"
        for field in fields
        if isinstance(getattr_static(cls, field.name, None), property)
    }


def left_out(tables: Tables, name: str, found: Method | Property) -> dict[str, str]:
    """What of a property the program needs and cannot have, by the same names, and why."""
    missing: dict[str, str] = {}
    if not isinstance(found, Property):
        return missing
    for change in CHANGES:
        accessor = found.accessor(change)
        if accessor is None or (name, change) not in tables.changed:
            continue
        why: str | None = None
        if isinstance(accessor, Method):
            why = why_not(tables, name, accessor)
        else:
            why = f"the {change} of `{found.owner.__qualname__}.{name}` is {accessor.what}, which cannot be compiled in"
        if why is not None:
            missing[f"{name}.{change}"] = why
    return missing
