"""A class that inherits from an abstract one of ``collections.abc`` goes in; what of that the program lacks comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType

from waymark.compiler.members import is_special
from waymark.compiler.tables import Tables

_AS_THEY_ARE = (str, bytes, bytearray, tuple, list, range, dict)
"""Classes whose objects the machine itself knows for sequences and mappings."""
_WORKS_WITHOUT = frozenset(
    {"__contains__", "__iter__", "__reversed__", "__eq__", "__hash__", "__repr__"}
)
"""What operators do in another way where a class lacks it, or what every dataclass has itself."""


def mixed_in(tables: Tables, cls: type) -> Iterator[tuple[str, str]]:
    """Methods that the abstract class itself has, by name, and why they are not in the program."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, value in vars(base).items():
            own = base.__module__ == "collections.abc" and isinstance(value, FunctionType)
            if own and name not in seen and _matters(tables, name, value):
                yield name, f"`{base.__name__}` of collections.abc has it, which is not compiled in"
            seen.add(name)


def _matters(tables: Tables, name: str, value: FunctionType) -> bool:
    if getattr(value, "__isabstractmethod__", False) or name in _WORKS_WITHOUT:
        return False
    return tables.mentions(name) or is_special(name)


def odd_patterns(tables: Tables) -> dict[str, str]:
    """Kinds of patterns that would match objects of a class of the program in CPython, and why."""
    found: dict[str, str] = {}
    for cls in tables.classes():
        for kind, abstract in (("sequence", Sequence), ("mapping", Mapping)):
            if issubclass(cls, abstract) and not issubclass(cls, _AS_THEY_ARE):
                what = f"`{cls.__qualname__}` is a {abstract.__name__} of collections.abc"
                found.setdefault(kind, f"{what}, which a {kind} pattern does not know here")
    return found
