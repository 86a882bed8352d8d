"""An iterable comes in; an iterator that a snapshot can hold, and that may need compiled code, goes out."""

from __future__ import annotations

import enum
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from waymark_worker.vm.callables import Builtin, FunctionValue
from waymark_worker.vm.cursors import (
    CURSORS,
    DequeCursor,
    ItemCursor,
    KeyCursor,
    SetCursor,
    ValueCursor,
)
from waymark_worker.vm.limits import MAX_DEPTH, TURN
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import has, register, type_name
from waymark_worker.vm.nesting import ENDED, Failed, machine_for, run
from waymark_worker.vm.state import PUSHED, Frame, too_deep

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedProgram
    from waymark_worker.vm.machine import Machine
    from waymark_worker.vm.state import AnyFrame


class Exhausted:
    """Answer of an iterator that has no further item."""

    __slots__ = ()


EXHAUSTED = Exhausted()
CREATED, SUSPENDED, FINISHED, RUNNING = 0, 1, 2, 3


ALL = sys.maxsize
"""As many items as there are."""


class NeedsItems(BaseException):
    """An instruction needs items that only compiled code can make: so many of them, or ``ALL``."""

    def __init__(self, source: Framed, *, count: int) -> None:
        super().__init__()
        self.source = source
        self.count = count


class Carried(BaseException):
    """An exception of the program's own, on its way through an implementation of the host."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Settled(Carried):
    """An exception that a future holds, raised again: it keeps its context unless something is being handled."""


_TAKEN = 32
"""Units for running the machine inside of a host's builtin until it has made one item."""


class Framed:
    """An iterator whose items are made by compiled code.

    The interpreter takes items with ``pull``. Host code sees a Python iterator that makes each item when it
    is asked for it. Where that is impossible, because a frame might have to wait for a worker, it asks for
    the items with ``NeedsItems``; they come into ``buffer``, and the instruction runs anew.
    """

    __slots__ = ("buffer", "ended", "failure")

    def __init__(self) -> None:
        self.buffer: deque[Any] = deque()
        self.ended = False
        self.failure: BaseException | None = None
        """What ended it while items were made ahead: raised where they have been used up."""

    def produce(self, machine: Machine) -> Any:
        """Make the next item: itself, ``EXHAUSTED``, or ``PUSHED``."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        self.prepare(ALL)
        return self

    def __next__(self) -> Any:
        if self.buffer:
            return self.buffer.popleft()
        if self.failure is not None:
            raise self.carried()
        if self.ended:
            raise self.stopped()
        machine = machine_for("taking an item")
        METER.charge(_TAKEN)
        try:
            item = run(machine, lambda: self.produce(machine))
        except Failed as failed:
            error = failed.error
        else:
            if item is not ENDED and item is not EXHAUSTED:
                return item
            self.ended = True
            self.note_result(machine.returned if item is ENDED else None)
            raise self.stopped()
        raise Carried(error)

    def prepare(self, count: int) -> None:
        """Have so many items made ahead, unless each can be made when it is asked for."""
        if self.ended or self.failure is not None or len(self.buffer) >= count:
            return
        machine = machine_for("taking items")
        # Where a builtin's frame asks, no instruction can be run again.
        inside = machine.frame.__class__ is not Frame
        if not inside and machine.linked.opaque and _may_wait(machine.linked, self):
            raise NeedsItems(self, count=count)

    def waits(self, linked: LinkedProgram) -> bool:
        """Whether what makes an item, its sources apart, might have to wait for a worker."""
        return False

    def parts(self) -> list[Any]:
        """Where it takes items from, as far as that can be told."""
        raise NotImplementedError

    def note_result(self, result: Any) -> None:
        """Keep what a generator returned for the ``StopIteration`` that tells its end."""

    def stopped(self) -> StopIteration:
        """Make what says that there is no further item."""
        return StopIteration()

    def carried(self) -> Carried:
        """Hand out the failure that was kept, once."""
        assert self.failure is not None
        error, self.failure = self.failure, None
        return Carried(error)


def _may_wait(linked: LinkedProgram, source: Framed) -> bool:
    """Whether a class's own code might have to run in a worker before ``source`` has its next item."""
    seen: set[int] = set()
    waiting: list[Any] = [source]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Framed) and id(part) not in seen:
            seen.add(id(part))
            if part.waits(linked):
                return True
            waiting.extend(part.parts())
    return False


def _function_waits(linked: LinkedProgram, function: Any) -> bool:
    if function.__class__ is FunctionValue:
        return bool(function.function.waits)
    if isinstance(function, type):
        return function in linked.opaque or (function, "__init__") in linked.members
    return function is not None and function.__class__ is not Builtin


class Generator(Framed):
    """A call of a compiled generator function: its frame between two items."""

    __slots__ = ("frame", "result", "state")

    def __init__(self, frame: Frame) -> None:
        Framed.__init__(self)
        self.frame: Frame | None = frame
        self.state = CREATED
        self.result: Any = None
        """What it returned, if nobody has been told yet."""

    def waits(self, linked: LinkedProgram) -> bool:
        return self.frame is not None and self.frame.function.waits

    def parts(self) -> list[Any]:
        return [] if self.frame is None else self.frame.slots

    def note_result(self, result: Any) -> None:
        self.result = result

    def __del__(self) -> None:
        frame = getattr(self, "frame", None)
        if frame is not None and self.state == SUSPENDED and frame.at.handler is not None:
            FINALIZE[0](self)

    def stopped(self) -> StopIteration:
        result, self.result = self.result, None
        return StopIteration() if result is None else StopIteration(result)

    def produce(self, machine: Machine) -> Any:
        """Turn to the generator's frame."""
        frame = self.frame
        if frame is None:
            return EXHAUSTED
        if self.state == RUNNING:
            msg = "generator already executing"
            raise ValueError(msg)
        caller = machine.frame
        assert caller is not None
        frame.depth = caller.depth + 1
        if frame.depth > MAX_DEPTH:
            raise too_deep()
        if self.state == SUSPENDED:
            at = frame.at
            frame.slots[at.dst] = None
            frame.next = at.target
        self.state = RUNNING
        frame.owner = self
        machine.fuel -= TURN
        frame.caller = caller
        machine.frame = frame
        return PUSHED

    def finish(self) -> AnyFrame | None:
        """Drop the frame; returns who waited for the item."""
        frame = self.frame
        assert frame is not None
        self.frame = None
        self.state = FINISHED
        caller, frame.caller = frame.caller, None
        return caller


FINALIZE: list[Callable[[Generator], None]] = []
"""What closes a generator that nothing refers to any more; the module of generators puts it here."""


def pull(machine: Machine, iterator: Any) -> Any:
    """Take one item for the interpreter: the item, ``EXHAUSTED``, or ``PUSHED``."""
    if isinstance(iterator, Framed):
        if iterator.buffer:
            return iterator.buffer.popleft()
        if iterator.failure is not None:
            raise iterator.carried()
        return EXHAUSTED if iterator.ended else iterator.produce(machine)
    return next(iterator, EXHAUSTED)


class _Items:
    """Something that only has items: the host walks it by index."""

    def __getitem__(self, index: int) -> Any:
        raise IndexError


_SEQUENCES = (list, tuple, str, bytes, bytearray)
_samples: list[Any] = [iter(kind()) for kind in _SEQUENCES]
_samples += [iter("é"), iter(range(0)), iter(range(1 << 70))]
_samples += [reversed([]), reversed(()), iter(_Items())]
STATEFUL: frozenset[type] = frozenset(type(each) for each in _samples)
"""Host iterators whose source and place can be read back (``__reduce__``)."""
WALKABLE: frozenset[type] = frozenset({*_SEQUENCES, range})
ITERATORS: frozenset[type] = STATEFUL | {
    zip,
    enumerate,
    KeyCursor,
    ValueCursor,
    ItemCursor,
    SetCursor,
    DequeCursor,
}


def iterate(value: Any) -> Any:
    """Give ``iter(value)``: a host iterator over a sequence, a cursor or a record."""
    kind = value.__class__
    if kind in WALKABLE:
        return iter(value)
    cursor = CURSORS.get(kind)
    if cursor is not None:
        return cursor(value)
    if kind in ITERATORS or isinstance(value, Framed):
        return value
    if isinstance(value, tuple) and not has(kind, "__iter__"):
        return iter(value)
    if has(kind, "__iter__") or (has(kind, "__getitem__") and not hasattr(kind, "__iter__")):
        return iter(value)
    if isinstance(value, enum.EnumMeta | enum.Flag | BaseModel):
        return iter(list(value))
    msg = f"{type_name(value)!r} object is not iterable"
    raise TypeError(msg)


def _runs_code(iterator: Any) -> bool:
    """Whether items are made by compiled code: the host's own ``zip`` would call ``__iter__`` once more."""
    return isinstance(iterator, Framed) or has(iterator.__class__, "__iter__")


def zipped(iterators: list[Any], strict: Any) -> Any:
    """Give ``zip(*iterators, strict=strict)``; the iterators come from ``iterate``."""
    if any(_runs_code(each) for each in iterators):
        return Zip(iterators, strict=bool(strict))
    return zip(*iterators, strict=bool(strict))


def enumerated(iterator: Any, start: int) -> Any:
    """Give ``enumerate(iterator, start)``."""
    if _runs_code(iterator):
        return Enumerate(iterator, start)
    return enumerate(iterator, start)


def mapped(machine: Machine, function: Any, iterators: list[Any]) -> Any:
    """Give ``map(function, *iterators)``."""
    return Map(function, iterators)


def filtered(machine: Machine, function: Any, iterator: Any) -> Any:
    """Give ``filter(function, iterator)``."""
    return Filter(function, iterator)


def backwards(value: Any) -> Any:
    """Give ``reversed(value)``."""
    kind = value.__class__
    if kind in WALKABLE:
        return reversed(value)
    cursor = CURSORS.get(kind)
    if cursor is not None and cursor is not SetCursor:
        return cursor(value, reverse=True)
    if has(kind, "__reversed__") or has(kind, "__getitem__"):
        return reversed(value)
    if isinstance(value, tuple):
        return reversed(value)
    if isinstance(value, enum.EnumMeta):
        return reversed(list(value))
    msg = f"{type_name(value)!r} object is not reversible"
    raise TypeError(msg)


class Zip(Framed):
    """``zip`` over iterators of which one needs frames."""

    __slots__ = ("sources", "strict")

    def __init__(self, sources: list[Any], *, strict: bool) -> None:
        Framed.__init__(self)
        self.sources = sources
        self.strict = strict

    def parts(self) -> list[Any]:
        return self.sources

    def produce(self, machine: Machine) -> Any:
        return NATIVES["zip"](machine, self)


class Enumerate(Framed):
    """``enumerate`` over an iterator that needs frames."""

    __slots__ = ("count", "source")

    def __init__(self, source: Framed, count: int) -> None:
        Framed.__init__(self)
        self.source = source
        self.count = count

    def parts(self) -> list[Any]:
        return [self.source]

    def produce(self, machine: Machine) -> Any:
        return NATIVES["enumerate"](machine, self)


class Map(Framed):
    """``map``: its function may be compiled."""

    __slots__ = ("function", "sources")

    def __init__(self, function: Any, sources: list[Any]) -> None:
        Framed.__init__(self)
        self.function = function
        self.sources = sources

    def waits(self, linked: LinkedProgram) -> bool:
        return _function_waits(linked, self.function)

    def parts(self) -> list[Any]:
        return self.sources

    def produce(self, machine: Machine) -> Any:
        return NATIVES["map"](machine, self)


class Filter(Framed):
    """``filter``: its function may be compiled."""

    __slots__ = ("function", "source")

    def __init__(self, function: Any, source: Any) -> None:
        Framed.__init__(self)
        self.function = function
        self.source = source

    def waits(self, linked: LinkedProgram) -> bool:
        return _function_waits(linked, self.function)

    def parts(self) -> list[Any]:
        return [self.source]

    def produce(self, machine: Machine) -> Any:
        return NATIVES["filter"](machine, self)


NATIVES: dict[str, Callable[[Any, Any], Any]] = {}
"""How each record starts the frame that makes its next item; the frames' module fills it."""

for _kind in STATEFUL | {zip, enumerate}:
    register(_kind, _kind.__name__, items=iter)
for _record, _name in (
    (KeyCursor, "dict_keyiterator"),
    (ValueCursor, "dict_valueiterator"),
    (ItemCursor, "dict_itemiterator"),
    (SetCursor, "set_iterator"),
    (DequeCursor, type_name(iter(deque()))),
    (Generator, "generator"),
    (Zip, "zip"),
    (Enumerate, "enumerate"),
    (Map, "map"),
    (Filter, "filter"),
):
    register(_record, _name, items=iter)
