"""An enum class in, what its descriptor says beside plain members out; an enum built of a descriptor in, dressed so."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from waymark_schema.values.naming import qualified_name

SOMEWHERE: dict[str, frozenset[str]] = {
    "re:RegexFlag": frozenset({"TEMPLATE", "T"}),
    "http:HTTPStatus": frozenset(
        {"CONTENT_TOO_LARGE", "URI_TOO_LONG", "RANGE_NOT_SATISFIABLE", "UNPROCESSABLE_CONTENT"}
    ),
}
"""Members of the standard library's enums that only some of the supported Pythons have.

A descriptor leaves them out: a program is the same program on every Python.
"""
OPTIONS: dict[str, tuple[type, ...]] = {
    "boundary": (str,),
    "global_names": (bool,),
    "text_is_repr": (bool,),
    "hexadecimal": (bool,),
}
"""What the descriptor of an enum may set, and with which types."""
_GLOBAL = (enum.global_flag_repr, enum.global_enum_repr)


def missing_somewhere(member: enum.Enum) -> bool:
    """Whether only some Pythons know a member under this name."""
    return member._name_ in SOMEWHERE.get(qualified_name(type(member)), ())


def members(cls: type[enum.Enum]) -> list[tuple[str, enum.Enum]]:
    """Names and members that the class has on every supported Python, in order."""
    left_out = SOMEWHERE.get(qualified_name(cls), frozenset())
    return [(name, one) for name, one in cls.__members__.items() if name not in left_out]


def options(cls: Any) -> dict[str, bool | int | str]:
    """How the class combines flags, and how it shows members if another way than enums do by themselves."""
    found: dict[str, bool | int | str] = {}
    if issubclass(cls, enum.Flag):
        found["boundary"] = cls._boundary_.name
        if cls._numeric_repr_ is hex:
            found["hexadecimal"] = True
    if cls.__repr__ in _GLOBAL:
        found["global_names"] = True
        if cls.__str__ is object.__str__:
            found["text_is_repr"] = True
    return found


def dress(made: Any, found: Mapping[str, bool | int | str]) -> None:
    """Let an enum that was built of a descriptor show its members as the class does."""
    if found.get("hexadecimal"):
        made._numeric_repr_ = hex
    if not found.get("global_names"):
        return
    made.__repr__ = _GLOBAL[0] if issubclass(made, enum.Flag) else _GLOBAL[1]
    if found.get("text_is_repr"):
        made.__str__ = object.__str__
    elif not issubclass(made, enum.ReprEnum):
        made.__str__ = enum.global_str
