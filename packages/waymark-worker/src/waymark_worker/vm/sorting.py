"""The items of a list and their keys come in; the list sorted in place, or as CPython leaves it after an error, goes out."""

from __future__ import annotations

from typing import Any

_MODIFIED = "list modified during sort"


class _Keyed:
    """An item that compares by its key alone."""

    __slots__ = ("item", "key")

    def __init__(self, item: Any, key: Any) -> None:
        self.item = item
        self.key = key

    def __lt__(self, other: _Keyed) -> Any:
        return self.key < other.key


def put_sorted(target: list[Any], items: list[Any], keys: list[Any], *, reverse: bool) -> None:
    """Sort ``items``, taken out of ``target`` before their keys were made, back into it.

    What the key functions left in ``target`` meanwhile is dropped and, without another error, told of.
    Raises what comparing the keys raises.
    """
    modified = bool(target)
    try:
        order = sorted(range(len(items)), key=keys.__getitem__, reverse=reverse)
    except Exception:
        target[:] = _broken_off(items, keys, reverse=reverse)
        raise
    target[:] = [items[index] for index in order]
    if modified:
        raise ValueError(_MODIFIED)


def _broken_off(items: list[Any], keys: list[Any], *, reverse: bool) -> list[Any]:
    """How far a sort came in its own list before a comparison failed."""
    keyed = list(map(_Keyed, items, keys))
    try:
        keyed.sort(reverse=reverse)
    except Exception:  # noqa: BLE001 - it is on its way already
        return [each.item for each in keyed]
    return items
