"""Parts of patterns: what hostile programs ask for is refused, errors are CPython's own."""

from __future__ import annotations

from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from typing import Any

import pytest

from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.patterns import SEQUENCES, _full_name, _no_class, values_of


@pytest.mark.parametrize(
    "value",
    [
        [],
        (),
        range(3),
        deque([1]),
        "ab",
        b"ab",
        bytearray(b"x"),
        {},
        {1: 2},
        5,
        None,
        {}.keys(),
        iter([1]),
    ],
)
def test_sequences_are_those_of_cpython(value: Any) -> None:
    match value:
        case [*_]:
            expected = True
        case _:
            expected = False
    assert isinstance(value, SEQUENCES) is expected


def test_ordered_sets_are_no_sequences() -> None:
    assert not isinstance(OrderedSet([1]), SEQUENCES)
    assert not isinstance(OrderedFrozenset([1]), SEQUENCES)


@pytest.mark.parametrize(
    "mapping", [{"a": 1, "b": 2}, Counter("aab"), OrderedDict(a=1, b=2), defaultdict(int, a=1, b=0)]
)
def test_values_are_taken_without_making_any(mapping: dict[Any, Any]) -> None:
    before = dict(mapping)
    assert values_of(mapping, ["a", "b"]) == (mapping["a"], mapping["b"])
    assert values_of(mapping, ["missing"]) is None
    assert values_of(mapping, []) == ()
    assert dict(mapping) == before


class Names:
    first = second = "k"


def looked_up_twice(mapping: Any) -> None:
    match mapping:
        case {Names.first: _, Names.second: _}:
            pass
        case _:
            pass


def with_three_parts(kind: Any, value: Any) -> None:
    match value:
        case kind(_, _, _):
            pass
        case _:
            pass


def test_a_key_that_comes_twice_is_cpythons_error() -> None:
    with pytest.raises(ValueError, match="duplicate") as expected:
        looked_up_twice({"k": 1, "l": 2})
    with pytest.raises(ValueError, match="duplicate") as refused:
        values_of({"k": 1}, ["k", "k"])
    assert str(refused.value) == str(expected.value)


@pytest.mark.parametrize("value", [UserDict(a=1), UserList(), "text", None, object()])
def test_keys_of_something_else_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="no compiler"):
        values_of(value, ["get"])


@pytest.mark.parametrize("kind", [deque, OrderedDict, Counter, int, KeyError])
def test_messages_name_types_as_cpython_does(kind: Any) -> None:
    with pytest.raises(TypeError) as told:
        with_three_parts(kind, kind())
    assert str(told.value).startswith(f"{_full_name(kind)}() accepts")


def test_what_is_no_class_is_refused_in_the_words_of_this_cpython() -> None:
    with pytest.raises(TypeError) as told:
        with_three_parts(len, 5)
    assert str(_no_class(len)) == str(told.value)
