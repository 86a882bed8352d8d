"""Frames of builtins that run compiled code: the values they collected so far go in, their result comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_worker.vm.calls import call
from waymark_worker.vm.iterators import (
    EXHAUSTED,
    NATIVES,
    Enumerate,
    Filter,
    Framed,
    Generator,
    Map,
    Zip,
    pull,
)
from waymark_worker.vm.meter import METER
from waymark_worker.vm.operations import truth
from waymark_worker.vm.sorting import put_sorted
from waymark_worker.vm.state import PUSHED, Frame, NativeFrame, push_native

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine


def _run(machine: Machine, frame: NativeFrame) -> Any:
    """Push ``frame`` and begin it; what it gives at once is returned without a trace of it."""
    METER.charge(_PER_ITEM)
    push_native(machine, frame)
    value = frame.resume(machine, EXHAUSTED)
    if value is not PUSHED:
        machine.frame = frame.caller
    return value


_PER_ITEM = 12
"""Units for turning to a frame for one item and back."""


class Fill(NativeFrame):
    """Makes items ahead for the instruction of a compiled frame that asked for them."""

    __slots__ = ("count", "source")

    def __init__(self, source: Framed, *, count: int) -> None:
        self.source = source
        self.count = count

    def begin(self, machine: Machine) -> None:
        """Ask for the first item."""
        push_native(machine, self)
        self._take(machine, self.source.produce(machine))

    def resume(self, machine: Machine, value: Any) -> Any:
        self._take(machine, value)
        return PUSHED

    def stop(self, machine: Machine) -> Any:
        if self.source.__class__ is Generator:
            self.source.result = machine.returned
        self._take(machine, EXHAUSTED)
        return PUSHED

    def _take(self, machine: Machine, value: Any) -> None:
        while value is not PUSHED:
            METER.charge(_PER_ITEM)
            if value is EXHAUSTED:
                self.source.ended = True
                return self._leave(machine)
            self.source.buffer.append(value)
            if len(self.source.buffer) >= self.count:
                return self._leave(machine)
            value = self.source.produce(machine)
        return None

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        if self.count == 1:
            return error
        # The implementation has to use the items before it first: it may refuse one of them, or keep them.
        error.__traceback__ = None
        self.source.failure = error
        self._leave(machine)
        return None

    def _leave(self, machine: Machine) -> None:
        caller = self.caller
        assert isinstance(caller, Frame)
        caller.next = caller.at
        machine.frame = caller


class ZipStep(NativeFrame):
    """One tuple of a ``zip``."""

    __slots__ = ("items", "record")

    def __init__(self, record: Zip) -> None:
        self.record = record
        self.items: list[Any] = []

    def resume(self, machine: Machine, value: Any) -> Any:
        sources = self.record.sources
        while value is not PUSHED:
            if value is not EXHAUSTED:
                self.items.append(value)
            if len(self.items) == len(sources):
                return tuple(self.items)
            value = pull(machine, sources[len(self.items)])
            if value is EXHAUSTED:
                return self.stop(machine)
        return PUSHED

    def stop(self, machine: Machine) -> Any:
        self.record.ended = True
        place = len(self.items)
        if not self.record.strict:
            return EXHAUSTED
        if place:
            raise ValueError(_uneven(place, "shorter"))
        return self._others(machine)

    def _others(self, machine: Machine) -> Any:
        # The first one is exhausted: the others must be as well. A generator among them takes a frame each.
        return ZipEnd.start(machine, self.record)


def _uneven(place: int, how: str) -> str:
    others = "argument 1" if place == 1 else f"arguments 1-{place}"
    return f"zip() argument {place + 1} is {how} than {others}"


class ZipEnd(NativeFrame):
    """Checks that every other iterator of a strict ``zip`` is exhausted too."""

    __slots__ = ("place", "record")

    def __init__(self, record: Zip) -> None:
        self.record = record
        self.place = 0

    @classmethod
    def start(cls, machine: Machine, record: Zip) -> Any:
        """Replace the frame of the step."""
        frame = cls(record)
        push_native(machine, frame)
        value = frame.stop(machine)
        if value is not PUSHED:
            machine.frame = frame.caller
        return value

    def resume(self, machine: Machine, value: Any) -> Any:
        raise ValueError(_uneven(self.place, "longer"))

    def stop(self, machine: Machine) -> Any:
        sources = self.record.sources
        while True:
            self.place += 1
            if self.place == len(sources):
                return EXHAUSTED
            value = pull(machine, sources[self.place])
            if value is PUSHED:
                return PUSHED
            if value is not EXHAUSTED:
                return self.resume(machine, value)


class EnumerateStep(NativeFrame):
    """One pair of an ``enumerate``."""

    __slots__ = ("record",)

    def __init__(self, record: Enumerate) -> None:
        self.record = record

    def resume(self, machine: Machine, value: Any) -> Any:
        if value is EXHAUSTED:
            value = pull(machine, self.record.source)
            if value is PUSHED:
                return PUSHED
            if value is EXHAUSTED:
                return self.stop(machine)
        count = self.record.count
        self.record.count = count + 1
        return (count, value)

    def stop(self, machine: Machine) -> Any:
        self.record.ended = True
        return EXHAUSTED


class MapStep(NativeFrame):
    """One item of a ``map``."""

    __slots__ = ("called", "items", "record")

    def __init__(self, record: Map) -> None:
        self.record = record
        self.items: list[Any] = []
        self.called = False

    def resume(self, machine: Machine, value: Any) -> Any:
        if self.called:
            return value
        sources = self.record.sources
        if value is not EXHAUSTED:
            self.items.append(value)
        while len(self.items) < len(sources):
            value = pull(machine, sources[len(self.items)])
            if value is PUSHED:
                return PUSHED
            if value is EXHAUSTED:
                return self.stop(machine)
            self.items.append(value)
        self.called = True
        return call(machine, self.record.function, self.items, {})

    def stop(self, machine: Machine) -> Any:
        self.record.ended = True
        return EXHAUSTED


class FilterStep(NativeFrame):
    """The next item of a ``filter`` that passes."""

    __slots__ = ("called", "item", "record")

    def __init__(self, record: Filter) -> None:
        self.record = record
        self.item: Any = None
        self.called = False

    def resume(self, machine: Machine, value: Any) -> Any:
        function = self.record.function
        while value is not PUSHED:
            if self.called:
                self.called = False
                if truth(value):
                    return self.item
                value = EXHAUSTED
            if value is EXHAUSTED:
                value = pull(machine, self.record.source)
                if value is EXHAUSTED:
                    return self.stop(machine)
                if value is PUSHED:
                    return PUSHED
            self.item = value
            self.called = True
            if function is not None and function is not bool:
                value = call(machine, function, [value], {})
        return PUSHED

    def stop(self, machine: Machine) -> Any:
        self.record.ended = True
        return EXHAUSTED


class SortByKey(NativeFrame):
    """``sorted`` and ``list.sort`` with a key function: all keys first, then one sort."""

    __slots__ = ("items", "key", "keys", "reverse", "target")

    def __init__(
        self, items: list[Any], key: Any, *, reverse: bool, target: list[Any] | None
    ) -> None:
        self.items = items
        self.key = key
        self.reverse = reverse
        self.target = target
        self.keys: list[Any] = []

    def resume(self, machine: Machine, value: Any) -> Any:
        if value is not EXHAUSTED:
            self.keys.append(value)
        while len(self.keys) < len(self.items):
            value = call(machine, self.key, [self.items[len(self.keys)]], {})
            if value is PUSHED:
                return PUSHED
            self.keys.append(value)
        if self.target is not None:
            return put_sorted(self.target, self.items, self.keys, reverse=self.reverse)
        order = sorted(range(len(self.items)), key=self.keys.__getitem__, reverse=self.reverse)
        return [self.items[index] for index in order]

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        # Once all keys are there it was a comparison that failed, and the list is as that has left it.
        if self.target is not None and len(self.keys) < len(self.items):
            self.target[:] = self.items
        return error


class Extreme(NativeFrame):
    """``min`` and ``max`` with a key function: each key is compared before the next is made."""

    __slots__ = ("best", "best_key", "default", "found", "item", "iterator", "key", "name")

    def __init__(self, name: str, iterator: Any, key: Any, default: Any) -> None:
        self.name = name
        self.iterator = iterator
        self.key = key
        self.default = default
        self.found = False
        self.best: Any = None
        self.best_key: Any = None
        self.item: Any = EXHAUSTED
        """What the key function was called with; none while an item is awaited."""

    def resume(self, machine: Machine, value: Any) -> Any:
        while True:
            if value is not EXHAUSTED:
                if self.item is EXHAUSTED:
                    self.item = value
                    value = call(machine, self.key, [value], {})
                    if value is PUSHED:
                        return PUSHED
                self._weigh(value)
            value = pull(machine, self.iterator)
            if value is PUSHED:
                return PUSHED
            if value is EXHAUSTED:
                return self.stop(machine)

    def _weigh(self, key: Any) -> None:
        if not self.found or (key < self.best_key if self.name == "min" else key > self.best_key):
            self.found, self.best, self.best_key = True, self.item, key
        self.item = EXHAUSTED

    def stop(self, machine: Machine) -> Any:
        if self.found:
            return self.best
        if self.default is not EXHAUSTED:
            return self.default
        return min([]) if self.name == "min" else max([])  # raises, in the words of this version


class Construct(NativeFrame):
    """Gives the new object after its compiled ``__init__``."""

    __slots__ = ("made",)

    def __init__(self, made: Any) -> None:
        self.made = made

    def resume(self, machine: Machine, value: Any) -> Any:
        if value is not None:
            msg = f"__init__() should return None, not '{type(value).__name__}'"
            raise TypeError(msg)
        return self.made


def _sort(machine: Machine, what: tuple[list[Any], Any, Any, list[Any] | None]) -> Any:
    items, key, reverse, target = what
    return _run(machine, SortByKey(items, key, reverse=bool(reverse), target=target))


def _construct(machine: Machine, what: tuple[Any, Any, list[Any], dict[str, Any]]) -> Any:
    made, constructor, args, keywords = what
    push_native(machine, Construct(made))
    return call(machine, constructor, [made, *args], keywords)


NATIVES.update(
    {
        "zip": lambda machine, record: _run(machine, ZipStep(record)),
        "enumerate": lambda machine, record: _run(machine, EnumerateStep(record)),
        "map": lambda machine, record: _run(machine, MapStep(record)),
        "filter": lambda machine, record: _run(machine, FilterStep(record)),
        "sort": _sort,
        "extreme": lambda machine, what: _run(machine, Extreme(*what)),
        "construct": _construct,
    }
)
