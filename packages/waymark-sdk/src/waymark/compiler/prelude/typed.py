"""Values come in; what ``typing`` makes of them at run time, mostly nothing, goes out."""

# mypy: ignore-errors

from __future__ import annotations

LONGEST = 100


def cast(typ, val):
    return val


def assert_never(arg, /):
    shown = repr(arg)
    if len(shown) > LONGEST:
        shown = shown[:LONGEST] + "..."
    msg = f"Expected code to be unreachable, but got: {shown}"
    raise AssertionError(msg)
