"""A mention of ``str.format`` comes in; the attributes that its fields may read are noted, so that they are compiled in."""

from __future__ import annotations

import ast
from _string import (  # type: ignore[import-not-found] # what str.format parses with
    formatter_field_name_split,
    formatter_parser,
)

from waymark.compiler.context import Context

FILLING = frozenset({"format", "format_map"})
"""Methods of texts that read attributes."""


def mention_fields(ctx: Context, template: ast.expr) -> None:
    """Note the attributes that fields of ``template`` name; of a text that is made at run time, any."""
    match template:
        case ast.Constant(value=str(text)):
            ctx.tables.used.update(_names(text))
        case _:
            ctx.tables.any_name = True


def _names(text: str) -> set[str]:
    found: set[str] = set()
    try:
        for _, field, spec, _ in formatter_parser(text):
            if field is not None:
                _, rest = formatter_field_name_split(field)
                found.update(name for is_attribute, name in rest if is_attribute)
                found |= _names(spec or "")
    except ValueError:
        pass  # the call raises it
    return found
