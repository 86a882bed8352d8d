"""A sorted list or a heap and an item come in; the host's ``bisect`` and ``heapq``, each comparison charged, go out."""

from __future__ import annotations

import bisect
import heapq
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from waymark_worker.vm.callbacks import Hosted
from waymark_worker.vm.comparing import COMPARE
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.iteration import items
from waymark_worker.vm.meter import METER

Args = list[Any]
Keywords = dict[str, Any]

_less = COMPARE["<"]


def _key_of(keywords: Keywords) -> Callable[[Any], Any] | None:
    key = keywords.get("key")
    return None if key is None else Hosted(key)


def _place(sequence: Any, item: Any, low: Any, high: Any, *, right: bool, key: Any) -> int:
    if low < 0:
        msg = "lo must be non-negative"
        raise ValueError(msg)
    high = len(sequence) if high is None or high == -1 else high
    while low < high:
        METER.charge(4)
        middle = (low + high) // 2
        at = sequence[middle] if key is None else key(sequence[middle])
        if right and _less(item, at):
            high = middle
        elif right or _less(at, item):
            low = middle + 1
        else:
            high = middle
    return int(low)


_SEQUENCES = (list, tuple, str, bytes, bytearray, range)


def _bisect(name: str) -> Implementation:
    host: Callable[..., Any] = getattr(bisect, name)
    right = not name.endswith("left")
    inserts = name.startswith("insort")
    names = ("a", "x", "lo", "hi")

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        given = dict(zip(names, args, strict=False))
        named = {key: value for key, value in keywords.items() if key != "key"}
        places = [named.get(key, given.get(key)) for key in ("lo", "hi")]
        fits = (
            len(args) <= len(names)
            and given.keys().isdisjoint(named)
            and named.keys() <= set(names)
            and {"a", "x"} <= given.keys() | named.keys()
            and all(place is None or isinstance(place, int) for place in places)
        )
        given.update(named)
        sequence: Any = given.get("a")
        kinds: Any = list if inserts else _SEQUENCES
        if not fits or not isinstance(sequence, kinds):
            return host(*args, **keywords)  # raises CPython's own error
        key = _key_of(keywords)
        item = key(given["x"]) if inserts and key is not None else given["x"]
        place = _place(sequence, item, places[0] or 0, places[1], right=right, key=key)
        if not inserts:
            return place
        METER.charge(len(sequence) >> 6)
        return sequence.insert(place, given["x"])

    return run


# --- heaps ------------------------------------------------------------------------------------


def _rise(heap: list[Any], start: int, place: int) -> None:
    """Move the item at ``place`` towards ``start`` until its parent is not greater."""
    item = heap[place]
    while place > start:
        METER.charge(4)
        parent = (place - 1) >> 1
        if not _less(item, heap[parent]):
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = item


def _sink(heap: list[Any], place: int) -> None:
    """Move the item at ``place`` down to a leaf, always past the smaller child, and from there up to its level."""
    start, end, item = place, len(heap), heap[place]
    child = 2 * place + 1
    while child < end:
        METER.charge(4)
        other = child + 1
        if other < end and not _less(heap[child], heap[other]):
            child = other
        heap[place] = heap[child]
        place, child = child, 2 * child + 1
    heap[place] = item
    _rise(heap, start, place)


def _push(heap: list[Any], item: Any) -> None:
    heap.append(item)
    _rise(heap, 0, len(heap) - 1)


def _pop(heap: list[Any]) -> Any:
    last = heap.pop()
    return _replace(heap, last) if heap else last


def _replace(heap: list[Any], item: Any) -> Any:
    first, heap[0] = heap[0], item
    _sink(heap, 0)
    return first


def _push_pop(heap: list[Any], item: Any) -> Any:
    return _replace(heap, item) if heap and _less(heap[0], item) else item


def _heapify(heap: list[Any]) -> None:
    for place in reversed(range(len(heap) // 2)):
        _sink(heap, place)


_HEAPS: dict[str, tuple[Callable[..., Any], int]] = {
    "heappush": (_push, 2),
    "heappop": (_pop, 1),
    "heapreplace": (_replace, 2),
    "heappushpop": (_push_pop, 2),
    "heapify": (_heapify, 1),
}


def _heap(name: str) -> Implementation:
    host: Callable[..., Any] = getattr(heapq, name)
    function, count = _HEAPS[name]

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        fits = len(args) == count and not keywords and isinstance(args[0], list)
        if not fits or (not args[0] and name in {"heappop", "heapreplace"}):
            return host(*args, **keywords)  # raises CPython's own error
        return function(*args)

    return run


_FIRST = inspect.signature(lambda n, iterable, key=None: None)
"""What ``nlargest`` and ``nsmallest`` take."""


def _first(name: str) -> Implementation:
    """``nlargest`` and ``nsmallest``, as their documentation has them: a stable sort and a slice."""
    host: Callable[..., Any] = getattr(heapq, name)
    largest = name == "nlargest"

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        try:
            given = _FIRST.bind(*args, **keywords).arguments
        except TypeError:
            return host(*args, **keywords)  # raises CPython's own error
        if not isinstance(given["n"], int):
            return host(*args, **keywords)
        values, key = items(given["iterable"]), _key_of(given)
        if given["n"] == 1:
            return _one(values, key, ">" if largest else "<")
        made: list[Any] = []
        for order, value in enumerate(values if given["n"] > 0 else ()):
            ranked = value if key is None else key(value)
            _push(made, _Ranked(ranked, value, order, largest=largest))
        return [_pop(made).value for _ in range(min(given["n"], len(made)))]

    return run


def _one(values: Iterator[Any], key: Callable[[Any], Any] | None, operator: str) -> list[Any]:
    """The first of all, compared as by ``max`` and ``min``."""
    best: list[Any] = []
    for value in values:
        METER.charge(4)
        ranked = value if key is None else key(value)
        if not best or COMPARE[operator](ranked, best[0]):
            best = [ranked, value]
    return best[1:]


class _Ranked:
    """An item of a heap of the host's own, earlier ones first among equal ones."""

    __slots__ = ("key", "largest", "order", "value")

    def __init__(self, key: Any, value: Any, order: int, *, largest: bool) -> None:
        self.key = key
        self.value = value
        self.order = order
        self.largest = largest

    def __lt__(self, other: _Ranked) -> bool:
        left, right = (other.key, self.key) if self.largest else (self.key, other.key)
        if _less(left, right):
            return True
        return not _less(right, left) and self.order < other.order


SORTED_LISTS: dict[str, Implementation] = {
    **{
        f"bisect.{name}": _bisect(name)
        for name in (
            "bisect",
            "bisect_left",
            "bisect_right",
            "insort",
            "insort_left",
            "insort_right",
        )
    },
    **{f"heapq.{name}": _heap(name) for name in _HEAPS},
    "heapq.nlargest": _first("nlargest"),
    "heapq.nsmallest": _first("nsmallest"),
}
