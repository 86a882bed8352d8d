"""A dict, a view of one, an ordered set or a deque comes in; an iterator that knows how far it has come goes out."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from typing import Any

from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.views import DictItems, DictKeys, DictValues


class Cursor:
    """Walks a dict, one of its views or an ordered set with the host's own iterator."""

    __slots__ = ("host", "reverse", "source")
    message = ""
    """What CPython says when the source changed its size, where the host's own words differ."""

    def __init__(self, source: Any, *, reverse: bool = False) -> None:
        self.source = source
        self.reverse = reverse
        pieces = getattr(source, "host", source)
        self.host: Iterator[Any] = reversed(pieces) if reverse else iter(pieces)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self.host)
        except RuntimeError as error:
            changed = RuntimeError(self.message) if self.message else error
        raise changed  # outside the handler: it must not have the other one as its context

    def remaining(self) -> int:
        """Items to come, or -1 if the source changed so that the next step raises."""
        try:
            return len(self.host.__reduce__()[1][0])
        except RuntimeError:
            return -1

    def skip_to(self, remaining: int) -> None:
        """Go on where an equal cursor had so many items left."""
        if remaining < 0:
            self.host = _changed()
            return
        for _ in range(len(self.source) - remaining):
            next(self.host)


def _changed() -> Iterator[Any]:
    walked = {None: None}
    host = iter(walked)
    walked[0] = None  # type: ignore[index] # so that the next step raises
    return host


class KeyCursor(Cursor):
    """Over the keys of a dict."""

    __slots__ = ()


class ValueCursor(Cursor):
    """Over the values of a dict."""

    __slots__ = ()


class ItemCursor(Cursor):
    """Over the items of a dict."""

    __slots__ = ()


class SetCursor(Cursor):
    """Over an ordered set."""

    __slots__ = ()
    message = "Set changed size during iteration"


class DequeCursor(Cursor):
    """Over a deque."""

    __slots__ = ()

    def remaining(self) -> int:
        left: int = self.host.__length_hint__()  # type: ignore[attr-defined] # every host's iterator has it
        try:
            # Nothing else tells whether the deque was changed meanwhile, and that only once.
            next(self.host, None)
        except RuntimeError:
            left = -1
        else:
            self.__init__(self.source, reverse=self.reverse)  # type: ignore[misc] # the item is still to come
        self.skip_to(left)
        return left

    def skip_to(self, remaining: int) -> None:
        if remaining >= 0:
            super().skip_to(remaining)
            return
        walked = deque((None,))
        self.host = reversed(walked) if self.reverse else iter(walked)
        walked.append(None)  # so that the next step raises


CURSORS: dict[type, type[Cursor]] = {
    **dict.fromkeys((dict, Counter, OrderedDict, defaultdict, DictKeys), KeyCursor),
    DictValues: ValueCursor,
    DictItems: ItemCursor,
    deque: DequeCursor,
    **dict.fromkeys((OrderedSet, OrderedFrozenset), SetCursor),
}
