"""Sets of the machine: items in, a set that remembers the order in which they came out."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterable, Iterator
from copy import deepcopy
from itertools import repeat
from typing import Any, Self


class _Ordered:
    """What both kinds share. Elements that are equal are chosen as CPython chooses them."""

    __slots__ = ("_items",)
    _items: dict[Any, None]

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._items = dict.fromkeys(items)

    @property
    def host(self) -> dict[Any, None]:
        """The dict that holds the items: what the machine's iterators walk."""
        return self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._items
        except RuntimeError:
            changed = RuntimeError("Set changed size during iteration")
        else:
            return
        raise changed  # outside the handler: it must not have the other one as its context

    def __contains__(self, item: Any) -> bool:
        return _hashable(item) in self._items

    def __repr__(self) -> str:
        if not self._items:
            return f"{type(self).__name__}()"
        return f"{{{', '.join(map(repr, self._items))}}}"

    # --- comparisons -------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SETS):
            return NotImplemented
        return bool(self._items.keys() == _keys(other))

    def __ne__(self, other: object) -> bool:
        if not isinstance(other, SETS):
            return NotImplemented
        return bool(self._items.keys() != _keys(other))

    __hash__ = None  # type: ignore[assignment]  # as set; the frozen kind has one

    def __le__(self, other: Any) -> bool:
        return self._items.keys() <= _keys(other) if isinstance(other, SETS) else NotImplemented

    def __lt__(self, other: Any) -> bool:
        return self._items.keys() < _keys(other) if isinstance(other, SETS) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self._items.keys() >= _keys(other) if isinstance(other, SETS) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self._items.keys() > _keys(other) if isinstance(other, SETS) else NotImplemented

    def isdisjoint(self, other: Iterable[Any], /) -> bool:
        return not any(item in self._items for item in other)

    def issubset(self, other: Iterable[Any], /) -> bool:
        return len(_common(self._items, other)) == len(self._items)

    def issuperset(self, other: Iterable[Any], /) -> bool:
        return all(item in self._items for item in other)

    # --- new sets ----------------------------------------------------------------------------

    def _made(self, items: dict[Any, None]) -> Self:
        made = object.__new__(type(self))
        made._items = items
        return made

    def copy(self) -> Self:
        return self._made(self._items.copy())

    def union(self, *others: Iterable[Any]) -> Self:
        items = self._items.copy()
        for other in others:
            items.update(_fresh(other, items))
        return self._made(items)

    def intersection(self, *others: Iterable[Any]) -> Self:
        if not others:
            return self.copy()
        made = self
        for other in others:
            made = self._made(_common(made.host, other))
        return made

    def difference(self, *others: Iterable[Any]) -> Self:
        items = self._items.copy()
        for other in others:
            _drop(items, other)
        return self._made(items)

    def symmetric_difference(self, other: Iterable[Any], /) -> Self:
        return self._made(_toggled(self._items, other))

    def __or__(self, other: Any) -> Self:
        return self.union(other) if isinstance(other, SETS) else NotImplemented

    def __and__(self, other: Any) -> Self:
        return self.intersection(other) if isinstance(other, SETS) else NotImplemented

    def __sub__(self, other: Any) -> Self:
        return self.difference(other) if isinstance(other, SETS) else NotImplemented

    def __xor__(self, other: Any) -> Self:
        return self.symmetric_difference(other) if isinstance(other, SETS) else NotImplemented

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._made(dict.fromkeys(deepcopy(item, memo) for item in self._items))


class OrderedSet(_Ordered):
    """The machine's ``set``.

    >>> OrderedSet([3, 1, 3])
    {3, 1}
    """

    __slots__ = ()

    def add(self, item: Any, /) -> None:
        self._items.setdefault(item)

    def discard(self, item: Any, /) -> None:
        if item in self:
            self._items.pop(_hashable(item))

    def remove(self, item: Any, /) -> None:
        if item not in self:
            raise KeyError(item)
        self._items.pop(_hashable(item))

    def pop(self) -> Any:
        if not self._items:
            msg = "pop from an empty set"
            raise KeyError(msg)
        return self._items.popitem()[0]

    def clear(self) -> None:
        self._items.clear()

    def update(self, *others: Iterable[Any]) -> None:
        for other in others:
            self._items.update(_fresh(other, self._items))

    def intersection_update(self, *others: Iterable[Any]) -> None:
        self._become(self.intersection(*others).host)

    def difference_update(self, *others: Iterable[Any]) -> None:
        for other in others:
            if other is self:
                self._items.clear()
            else:
                _drop(self._items, other)

    def symmetric_difference_update(self, other: Iterable[Any], /) -> None:
        self._become(_toggled(self._items, other))

    def _become(self, items: dict[Any, None]) -> None:
        """Take over ``items`` in place, so that a running iteration notices."""
        if items is not self._items:
            self._items.clear()
            self._items.update(items)

    def __ior__(self, other: Any) -> Self:
        if not isinstance(other, SETS):
            return NotImplemented
        self.update(other)
        return self

    def __iand__(self, other: Any) -> Self:
        if not isinstance(other, SETS):
            return NotImplemented
        self.intersection_update(other)
        return self

    def __isub__(self, other: Any) -> Self:
        if not isinstance(other, SETS):
            return NotImplemented
        self.difference_update(other)
        return self

    def __ixor__(self, other: Any) -> Self:
        if not isinstance(other, SETS):
            return NotImplemented
        self.symmetric_difference_update(other)
        return self


class OrderedFrozenset(_Ordered):
    """The machine's ``frozenset``.

    >>> OrderedFrozenset("ba")
    frozenset({'b', 'a'})
    """

    __slots__ = ("_hash",)
    _hash: int

    def __new__(cls, items: Iterable[Any] = ()) -> Self:
        return items if type(items) is cls else object.__new__(cls)

    def __init__(self, items: Iterable[Any] = ()) -> None:
        if items is not self:
            super().__init__(items)

    def __hash__(self) -> int:  # type: ignore[override]  # the mutable kind has none
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(frozenset(self._items))
            return self._hash

    def __repr__(self) -> str:
        return f"frozenset({super().__repr__()})" if self._items else "frozenset()"

    def copy(self) -> Self:
        return self


SETS = (OrderedSet, OrderedFrozenset, set, frozenset)

for _kind, _name in ((OrderedSet, "set"), (OrderedFrozenset, "frozenset")):
    # Messages of CPython's own operations name the type: they must read as they do for its sets.
    _kind.__name__ = _kind.__qualname__ = _name
collections.abc.MutableSet.register(OrderedSet)
collections.abc.Set.register(OrderedFrozenset)


def _keys(other: Any) -> Any:
    return other.host.keys() if isinstance(other, _Ordered) else other


def _hashable(item: Any) -> Any:
    """A set stands for the frozen set of its items where membership is asked, as in CPython."""
    return OrderedFrozenset(item) if isinstance(item, OrderedSet) else item


def _fresh(other: Iterable[Any], items: dict[Any, None]) -> Iterable[tuple[Any, None]]:
    """Items of ``other`` as pairs; those that ``items`` has already leave its own in place."""
    keys = other.host if isinstance(other, _Ordered) else other
    return zip(list(keys) if keys is items else keys, repeat(None))


def _common(items: dict[Any, None], other: Iterable[Any]) -> dict[Any, None]:
    if isinstance(other, SETS) and len(other) > len(items):
        return {item: None for item in items if item in other}
    common: dict[Any, None] = {}
    for item in other:
        if item in items:
            common.setdefault(item)
            if len(common) >= len(items):
                break  # All are found: what is left of an iterator is not asked for.
    return common


def _drop(items: dict[Any, None], other: Iterable[Any]) -> None:
    for item in other:
        # Asked first: popping from an empty dict would not notice an item that cannot be hashed.
        if item in items:
            items.pop(item)


def _toggled(items: dict[Any, None], other: Iterable[Any]) -> dict[Any, None]:
    others = other if isinstance(other, SETS) else dict.fromkeys(other)
    result = items.copy()
    for item in others:
        if item in items:
            result.pop(item, None)
        else:
            result[item] = None
    return result
