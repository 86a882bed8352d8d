"""What a worker made of arguments comes in; the same with the workflow's own objects where those were goes out."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from waymark_schema.values.parts import GRAFTED, Path, fill_from, part, parts, put_more, put_part
from waymark_worker.vm.meter import METER
from waymark_worker.vm.refusals import unsupported_operation

METHODS = frozenset({"", "replace", "model_validate"})
"""What gives an object that may hold its arguments."""


def shared(given: list[Any]) -> list[list[Path]]:
    """Places of parts that are in ``given`` several times, each with the first place of that part."""
    first: dict[int, Path] = {}
    again: list[list[Path]] = []
    waiting: list[tuple[Path, Any]] = [([], given)]
    while waiting:
        path, value = waiting.pop()
        METER.charge(1)
        if isinstance(value, _ATOMS):
            continue
        known = first.setdefault(id(value), path)
        if known is path:
            waiting.extend(([*path, key], each) for key, each in parts(value))
        else:
            again.append([path, known])
    return again


_ATOMS = (str, bytes, int, float, Enum, type(None), Decimal, date, timedelta, UUID)


def graft(given: list[Any], outcome: Any) -> Any:
    """The object that was made; ``given`` are the positional and keyword arguments."""
    if not (isinstance(outcome, list) and outcome and outcome[0] == GRAFTED):
        return outcome
    try:
        _, whole, kept, owners = outcome
        METER.charge(len(kept) + len(owners))
        _put_all(given, whole, kept)
        for path, attributes in zip(owners, whole[1], strict=True):
            put_more(whole, path, attributes)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        what = f"an object that a worker of another version made ({error})"
        raise unsupported_operation(what, "run workers of this version") from None
    return whole[0]


def _put_all(given: list[Any], whole: Any, kept: list[Any]) -> None:
    """Put the parts of ``given`` in their places; fields that only the worker's class has are no places."""
    pairs = []
    for path, known, changed in kept:
        with suppress(LookupError):
            pairs.append((path, part(given, known), changed))
    for path, own, changed in reversed(pairs):  # the innermost first
        with suppress(LookupError):
            if changed:
                fill_from(own, part(whole, path))
            put_part(whole, path, own)
