"""Splitting and merging groups of exceptions gives what ``except*`` of this CPython gives."""

from __future__ import annotations

import random
from typing import Any

import pytest

from waymark_worker.vm.exception_groups import leaves, matched, merged, note_raised, split, subgroup
from waymark_worker.vm.meter import METER


@pytest.fixture(autouse=True)
def _nothing_spent() -> None:
    METER.start(None)


KINDS = (ValueError, TypeError, KeyError, OSError)


def group(chance: random.Random, depth: int) -> ExceptionGroup[Exception]:
    members: list[Exception] = []
    for _ in range(chance.randint(1, 4)):
        if depth and chance.random() < 0.4:
            members.append(group(chance, depth - 1))
        else:
            members.append(chance.choice(KINDS)(chance.randint(0, 9)))
    return ExceptionGroup(f"group {chance.randint(0, 99)}", members)


def shape(error: BaseException | None) -> Any:
    if isinstance(error, BaseExceptionGroup):
        return [error.message, *map(shape, error.exceptions)]
    return repr(error)


def in_cpython(error: BaseException, kinds: tuple[type[Exception], ...], how: str) -> Any:
    """What leaves a ``try`` whose one handler takes ``kinds`` and then does ``how``."""
    try:
        try:
            raise error
        except* kinds as share:
            if how == "again":
                raise
            if how == "anew":
                raise share  # noqa: TRY201 - raised anew, which is what is asked
            if how == "other":
                raise LookupError("other") from None
    except BaseException as left:  # noqa: BLE001 - whatever leaves it is what is compared
        return shape(left)
    return "nothing"


def in_the_machine(error: BaseException, kinds: tuple[type[Exception], ...], how: str) -> Any:
    if isinstance(error, BaseExceptionGroup):
        note_raised(error)
    share, rest = matched(error, kinds)
    found: list[BaseException | None] = []
    if share is not None and how == "again":
        found.append(share)
    elif share is not None and how == "anew":
        note_raised(share)
        found.append(share)
    elif share is not None and how == "other":
        other = LookupError("other")
        other.__context__ = share
        found.append(other)
    left = merged(error, [*found, rest])
    return "nothing" if left is None else shape(left)


SITUATIONS = [(seed, how) for seed in range(60) for how in ("handled", "again", "anew", "other")]


@pytest.mark.parametrize(("seed", "how"), SITUATIONS)
def test_what_leaves_a_try_is_what_cpython_lets_leave(seed: int, how: str) -> None:
    chance = random.Random(seed)
    kinds = tuple(chance.sample(KINDS, chance.randint(1, 3)))
    if seed % 7 == 0:
        kinds = (Exception,)
    error = group(chance, 3) if seed % 5 else chance.choice(KINDS)(seed)
    expected = in_cpython(error, kinds, how)
    error.__traceback__ = error.__context__ = None
    assert in_the_machine(error, kinds, how) == expected


def test_leaves_come_in_the_order_of_the_group() -> None:
    made = group(random.Random(4), 3)
    found = list(leaves(made))
    everything = made.subgroup(lambda each: not isinstance(each, BaseExceptionGroup))
    assert found == list(leaves(everything or made))
    assert not [each for each in found if isinstance(each, BaseExceptionGroup)]


def test_parts_count_as_raised_as_often_as_the_group() -> None:
    made = ExceptionGroup("g", [ValueError(), TypeError()])
    note_raised(made)
    note_raised(made)
    match, rest = split(made, ValueError)
    part = subgroup(made, TypeError)
    assert match is not None
    assert rest is not None
    assert part is not None
    assert match.__dict__ == rest.__dict__ == part.__dict__ == made.__dict__


def catching(pattern: Any) -> None:
    try:
        raise ExceptionGroup("g", [ValueError()])
    except* pattern:
        pass


@pytest.mark.parametrize(
    "pattern", [int, (ValueError, 3), "x", ExceptionGroup, (OSError, BaseExceptionGroup)]
)
def test_wrong_patterns_are_refused_as_cpython_refuses_them(pattern: Any) -> None:
    with pytest.raises(TypeError) as expected:
        catching(pattern)
    with pytest.raises(TypeError) as refused:
        matched(ExceptionGroup("g", [ValueError()]), pattern)
    assert str(refused.value) == str(expected.value)


def test_nothing_is_left_of_nothing() -> None:
    assert matched(None, ValueError) == (None, None)
    assert merged(ValueError(), [None]) is None
