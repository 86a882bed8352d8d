"""Outcomes of a worker that say where arguments are: what is put where, and what is refused."""

from dataclasses import dataclass
from typing import Any

import pytest

from waymark.executor.grafting import grafted
from waymark_schema.values.parts import GRAFTED
from waymark_worker.vm.grafting import graft, shared
from waymark_worker.vm.meter import METER
from waymark_worker.vm.refusals import UnsupportedOperation


@dataclass
class Held:
    what: Any
    other: Any = None


@pytest.fixture(autouse=True)
def _no_budget() -> None:
    METER.start(None, text=1 << 20)


def test_an_outcome_without_places_is_taken_as_it_is() -> None:
    for outcome in (None, [], [1], ["waymark"], {"a": 1}, Held(1)):
        assert graft([[], {}], outcome) is outcome


def test_what_holds_no_argument_needs_no_places() -> None:
    assert grafted([1], {}, [], lambda: Held(1)) == Held(1)


def test_places_are_told_by_identity_not_by_equality() -> None:
    given: list[Any] = [1]
    made = grafted([given], {}, [], lambda: Held(given, [1]))
    assert made[2] == [[[0, "what"], [0, 0], False]]


def test_arguments_that_are_one_object_are_one_object_in_the_worker() -> None:
    part: list[Any] = []
    assert shared([[part, (part, 1)], {"x": {"y": part}}]) == [
        [[0, 1, 0], [1, 0, 0]],
        [[0, 0], [1, 0, 0]],
    ]
    args: list[Any] = [[], ([], 1)]
    grafted(args, {}, [[[0, 1, 0], [0, 0]]], lambda: None)
    assert args[1][0] is args[0]


def test_a_field_that_only_one_side_knows_is_no_place() -> None:
    own, made = [1], Held(None)
    outcome = [GRAFTED, [made, []], [[[0, "new"], [0, 0], False], [[0, "what"], [0, 7], False]], []]
    assert graft([[own], {}], outcome) is made
    assert made == Held(None)


@pytest.mark.parametrize(
    "rest",
    [
        [],
        [[Held(1), []], 5, []],
        [[Held(1), []], [[[0, "what"]]], []],
        [[Held(1), [{"__class__": 1}]], [], [[0]]],
        [[Held(1), []], [], [[0]]],
        [[[1], [{"a": 1}]], [], [[0]]],
    ],
)
def test_other_outcomes_are_refused(rest: list[Any]) -> None:
    with pytest.raises(UnsupportedOperation, match="another version"):
        graft([[], {}], [GRAFTED, *rest])
