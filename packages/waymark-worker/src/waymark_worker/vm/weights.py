"""A value comes in; the work of walking it all goes to the meter, before the walk is done by the host."""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable
from random import Random
from typing import Any

from pydantic import BaseModel, ValidationError

from waymark_schema.values import validation
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import RECORDS, has
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.refusals import LimitExceeded, no_identity

MAX_DEPTH = 200
_PER_CONTAINER = 4
"""Units for going into a part and leaving it again."""
PER_FINDING = 150
"""Units for one line of a ``ValidationError``, which the host words anew each time."""
_TEXT = (str, bytes, bytearray)
_SEQUENCES: frozenset[type] = frozenset({list, tuple, deque, OrderedSet, OrderedFrozenset})
_MAPPINGS: frozenset[type] = frozenset({dict, OrderedDict, defaultdict, Counter})
CONTAINERS = _SEQUENCES | _MAPPINGS
_ADDRESSED: frozenset[type] = frozenset({object, Random})
"""Host classes whose texts show an address."""
_FLAT: frozenset[type] = frozenset({int, float, bool, type(None), str, bytes})
_ATOMS: frozenset[type] = frozenset({int, float, bool, type(None), complex})


def children(value: Any) -> Iterable[Any]:
    """Give what a walk over ``value`` (repr, ``==``, order, hash, copy) would visit next."""
    kind = type(value)
    if kind in _SEQUENCES or isinstance(value, tuple):
        return value  # type: ignore[no-any-return] # a sequence or set, as its type says
    if kind in _MAPPINGS:
        return [*value.keys(), *value.values()]
    if kind is ValidationError or isinstance(value, type | enum.Enum):
        return ()  # the lines of such an error are the host's own: see PER_FINDING
    if isinstance(value, BaseModel | BaseException):
        return [*vars(value).values(), *getattr(value, "args", ())]
    if dataclasses.is_dataclass(value):
        return [getattr(value, each.name, None) for each in dataclasses.fields(value)]
    return getattr(value, "pieces", ())


def weigh(value: Any, *, shown: bool = False) -> int:
    """Charge for a walk over ``value`` and return its size in nodes and characters.

    Shared parts count as often as the host would visit them, so a few doubled lists cannot make a walk
    that never ends. With ``shown``, a part whose repr would show an address is refused.
    """
    kind = type(value)
    if kind in _TEXT:
        size = len(value)
        METER.charge(size >> 5)
        return size
    if kind in _ATOMS:
        return 24
    total = 0
    path: set[int] = set()
    stack: list[tuple[Any, Any]] = [(None, iter((value,)))]
    while stack:
        owner, remaining = stack[-1]
        for part in remaining:
            kind = type(part)
            if kind in _ATOMS:
                total += 1 + (part.bit_length() >> 6 if kind is int else 0)
            elif kind in _TEXT:
                total += len(part) + 1
            elif id(part) not in path:
                total += _PER_CONTAINER
                _enter(part, path, stack, shown=shown)
                break
        else:
            stack.pop()
            path.discard(id(owner))
        if total > METER.left:
            METER.charge(total)
    METER.charge(total)
    return total * 4


_ADDRESS: object = object.__repr__
"""What classes inherit that say nothing of themselves but where they are."""


def charge_encoding(value: Any) -> None:
    """Charge for writing ``value`` down, before it is done; what is flat costs no more than its step."""
    kind = type(value)
    if kind in _MAPPINGS:
        parts: Iterable[Any] = value.values()
    elif kind in _SEQUENCES:
        parts = value
    elif kind in _FLAT:
        return
    else:
        parts = (value,)
    for part in parts:
        if type(part) not in _FLAT:
            METER.charge(weigh(value) >> 1)
            return


def _enter(part: Any, path: set[int], stack: list[tuple[Any, Any]], *, shown: bool) -> None:
    kind: Any = type(part)
    if shown and (kind in RECORDS or kind in _ADDRESSED) and not hasattr(kind, "pieces"):
        what = f"the text of a {RECORDS.get(kind, kind.__name__)} shows a memory address, which"
        raise no_identity(what)
    if shown and kind.__repr__ is _ADDRESS and kind not in RECORDS:
        what = f"the text of a {kind.__name__}, which has no __repr__, shows a memory address: it"
        raise no_identity(what)
    if shown and kind is defaultdict and type(part.default_factory) in RECORDS:
        what = f"the text of a defaultdict shows the memory address of its factory, a {RECORDS[type(part.default_factory)]}, which"
        raise no_identity(what)
    if kind is ValidationError:
        METER.charge(PER_FINDING * part.error_count())
    if len(stack) > MAX_DEPTH:
        msg = f"a value is nested deeper than {MAX_DEPTH} levels"
        raise LimitExceeded(msg)
    path.add(id(part))
    stack.append((part, iter(_shown(part) if shown else children(part))))


def _shown(value: Any) -> Iterable[Any]:
    """Give what the repr of ``value`` shows; one that is compiled has a meter of its own."""
    kind = type(value)
    if has(kind, "__repr__"):
        return ()
    if kind is ValidationError:
        return [part for part in validation.shown_in(value) if type(part) not in _FLAT]
    if dataclasses.is_dataclass(kind) and not issubclass(kind, BaseException):
        named = (each.name for each in dataclasses.fields(kind) if each.repr)
        return [getattr(value, name, None) for name in named]
    return children(value)
