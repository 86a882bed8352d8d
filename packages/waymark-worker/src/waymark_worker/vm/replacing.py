"""An object of a dataclass and changes go in; what ``dataclasses.replace`` calls a compiled ``__init__`` with comes out."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

from waymark_schema.ir.program import GENERATED_INIT

if TYPE_CHECKING:
    from waymark_schema.ir.program import Function


def replacing(obj: Any, changes: dict[str, Any], init: Function) -> dict[str, Any]:
    """Keyword arguments of the new object.

    Raises what CPython raises for a field that cannot be given, or an ``InitVar`` that must be.
    """
    given = dict(changes)
    fields = {field.name: field for field in dataclasses.fields(obj)}
    for name, field in fields.items():
        if field.init:
            if name not in given:
                given[name] = getattr(obj, name)
        elif name in given:
            msg = f"field {name} is declared with init=False, it cannot be specified with replace()"
            raise _WRONG(msg)
    if GENERATED_INIT in init.names:
        for parameter in init.parameters[1:]:
            name = parameter.name
            if name not in fields and name not in given and parameter.default < 0:
                msg = f"InitVar {name!r} must be specified with replace()"
                raise _WRONG(msg)
    return given


_WRONG = TypeError if sys.version_info >= (3, 13) else ValueError
