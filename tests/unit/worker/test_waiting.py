"""Attempts that wait for a slot in; in which order they leave out."""

from __future__ import annotations

from typing import Any

import pytest

from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.waiting import Waiting


def _attempt(name: str) -> Attempt[Any]:
    """``a0`` is call 0 of run a."""
    return Attempt(
        name, instance=name[0].encode(), program=b"", call=int(name[1:]), number=1, action="x:y",
        arguments=b"", timeout=0.0, queued_at=0.0,
    )  # fmt: skip


def _waiting(names: str) -> tuple[Waiting, dict[str, Attempt[Any]]]:
    attempts = {name: _attempt(name) for name in names.split()}
    return Waiting(attempts.values()), attempts


def _leave(waiting: Waiting) -> str:
    return " ".join(waiting.next().owner for _ in range(len(waiting)))


@pytest.mark.parametrize(
    ("come", "leave"),
    [
        ("a0", "a0"),
        ("a0 a1 a2", "a0 a1 a2"),
        ("a0 b0 c0", "a0 b0 c0"),
        ("a0 a1 a2 a3 b0", "a0 b0 a1 a2 a3"),
        ("a0 a1 a2 b0 b1 c0", "a0 b0 c0 a1 b1 a2"),
    ],
)
def test_runs_take_turns(come: str, leave: str) -> None:
    waiting, _ = _waiting(come)
    assert len(waiting) == len(leave.split())
    assert _leave(waiting) == leave
    assert not waiting
    assert len(waiting) == 0


def test_a_fan_out_delays_the_call_of_another_run_by_one_turn() -> None:
    waiting, _ = _waiting(" ".join(f"a{number}" for number in range(10_000)))
    assert [waiting.next().owner for _ in range(3)] == ["a0", "a1", "a2"]
    waiting.append(_attempt("b0"))
    assert [waiting.next().owner for _ in range(3)] == ["a3", "b0", "a4"]


def test_what_was_taken_back_goes_first() -> None:
    waiting, _ = _waiting("a1 a2 b0 c1")
    waiting.put_back([_attempt("c0"), _attempt("a0")])
    assert _leave(waiting) == "c0 a0 b0 c1 a1 a2"


def test_removed_ones_leave_no_gap() -> None:
    waiting, attempts = _waiting("a0 a1 a2 b0 c0")
    assert waiting.remove(attempts["a1"])
    assert waiting.remove(attempts["b0"])
    assert not waiting.remove(attempts["b0"])
    assert not waiting.remove(_attempt("a0")), "another attempt that looks alike"
    assert len(waiting) == 3
    assert _leave(waiting) == "a0 c0 a2"


def test_the_last_ones_are_given_up_first_and_the_others_keep_their_places() -> None:
    waiting, _ = _waiting("a0 a1 a2 a3 b0 b1")
    given = waiting.steal(3, lambda attempt: attempt.owner != "a2")
    assert [attempt.owner for attempt in given] == ["b1", "b0", "a3"]
    assert len(waiting) == 3
    assert _leave(waiting) == "a0 a1 a2"


def test_nothing_is_given_up_that_nobody_wants() -> None:
    waiting, _ = _waiting("a0 b0")
    assert waiting.steal(5, lambda _: False) == []
    assert _leave(waiting) == "a0 b0"


def test_clear_forgets_all() -> None:
    waiting, _ = _waiting("a0 b0 b1")
    waiting.clear()
    assert len(waiting) == 0
    assert list(waiting) == []
