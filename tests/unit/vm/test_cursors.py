"""Iterators, what becomes of their containers, and a look at their place in; the steps that CPython takes, out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from waymark_worker.vm.iterators import backwards, iterate

Walk = Callable[[Any], Iterator[Any]]
CHANGES: dict[str, Callable[[Any], None]] = {
    "nothing": lambda _: None,
    "one more": lambda c: c.append(9) if isinstance(c, deque) else c.update({9: 9}),
    "turned": lambda c: c.rotate(1) if isinstance(c, deque) else None,
    "emptied": lambda c: c.clear(),
}


def _steps(walk: Iterator[Any]) -> list[str]:
    told = []
    for _ in range(7):
        try:
            told.append(repr(next(walk)))
        except (RuntimeError, StopIteration) as error:
            told.append(repr(error))
    return told


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("before", [0, 1, 2, 4])
@pytest.mark.parametrize("forward", [True, False], ids=["forward", "reversed"])
@pytest.mark.parametrize(
    "make",
    [lambda: deque([1, 2, 3]), lambda: {1: 1, 2: 2, 3: 3}, deque],
    ids=["deque", "dict", "empty"],
)
def test_a_look_at_the_place_changes_no_step(
    make: Callable[[], Any], before: int, change: str, *, forward: bool
) -> None:
    ours: Walk = iterate if forward else backwards
    hosts: Walk = iter if forward else reversed
    source, other = make(), make()
    walk, expected = ours(source), hosts(other)
    for each in (walk, expected):
        for _ in range(before):
            next(each, None)
    CHANGES[change](source)
    CHANGES[change](other)
    for _ in range(2):
        walk.remaining()  # type: ignore[attr-defined] # as a snapshot asks it
    assert _steps(walk) == _steps(expected)
