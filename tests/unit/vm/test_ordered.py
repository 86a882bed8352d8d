from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet

BINARY = [
    "or_",
    "and_",
    "sub",
    "xor",
    "lt",
    "le",
    "gt",
    "ge",
    "eq",
    "ne",
    "ior",
    "iand",
    "isub",
    "ixor",
]
METHODS = [
    "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint",
    "update", "intersection_update", "difference_update", "symmetric_difference_update",
]  # fmt: skip
ONE = ["add", "discard", "remove"]
ITEMS = st.integers(0, 6) | st.booleans() | st.sampled_from([0.0, 1.0, "a", "b", (), (1,), None])
LISTS = st.lists(ITEMS, max_size=7)
HOSTS: dict[type, type] = {OrderedSet: set, OrderedFrozenset: frozenset}


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, with the types of its items, or how it fails."""
    try:
        result = call()
    except Exception as error:  # noqa: BLE001 - any failure is compared
        return type(error), str(error)
    return result


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, OrderedSet | OrderedFrozenset):
        typed = sorted((repr(item), type(item).__name__) for item in ours)
        return typed == sorted((repr(item), type(item).__name__) for item in theirs) and (
            type(ours).__name__ == type(theirs).__name__
        )
    return bool(ours == theirs)


@pytest.mark.parametrize("name", BINARY)
@given(
    left=LISTS, right=LISTS, kinds=st.tuples(*[st.sampled_from([OrderedSet, OrderedFrozenset])] * 2)
)
def test_operators_are_those_of_sets(
    name: str, left: list[Any], right: list[Any], kinds: tuple[Any, Any]
) -> None:
    operation = getattr(operator, name)
    ours = outcome(lambda: operation(kinds[0](left), kinds[1](right)))
    theirs = outcome(lambda: operation(HOSTS[kinds[0]](left), HOSTS[kinds[1]](right)))
    assert same(ours, theirs)


@pytest.mark.parametrize("name", METHODS)
@given(
    left=LISTS,
    right=LISTS,
    frozen=st.booleans(),
    other=st.sampled_from([list, tuple, set, OrderedSet, dict.fromkeys]),
)
def test_methods_are_those_of_sets(
    name: str, left: list[Any], right: list[Any], frozen: bool, other: Any
) -> None:
    ours: Any = (OrderedFrozenset if frozen else OrderedSet)(left)
    theirs: Any = (frozenset if frozen else set)(left)
    if not hasattr(theirs, name):
        assert not hasattr(ours, name)
        return
    host_other = set(right) if other is OrderedSet else other(right)
    assert same(
        outcome(lambda: getattr(ours, name)(other(right))),
        outcome(lambda: getattr(theirs, name)(host_other)),
    )
    assert same(ours, theirs)


@pytest.mark.parametrize("name", ONE)
@given(items=LISTS, item=ITEMS)
def test_single_items_are_handled_as_sets_do(name: str, items: list[Any], item: Any) -> None:
    ours, theirs = OrderedSet(items), set(items)
    assert outcome(lambda: getattr(ours, name)(item)) == outcome(
        lambda: getattr(theirs, name)(item)
    )
    assert same(ours, theirs)
    assert (item in ours) == (item in theirs)


@pytest.mark.parametrize(
    "name", ["or_", "and_", "sub", "xor", "lt", "le", "ior", "iand", "isub", "ixor", "add", "mul"]
)
@pytest.mark.parametrize("other", [[1], 1, None, {"a": 1}, "ab", (1,)])
@pytest.mark.parametrize("frozen", [False, True])
def test_other_operands_are_refused_in_cpythons_words(name: str, other: Any, frozen: bool) -> None:
    operation = getattr(operator, name)
    ours = (OrderedFrozenset if frozen else OrderedSet)([1])
    theirs = (frozenset if frozen else set)([1])
    assert outcome(lambda: operation(ours, other)) == outcome(lambda: operation(theirs, other))
    assert outcome(lambda: operation(other, ours)) == outcome(lambda: operation(other, theirs))


@pytest.mark.parametrize(
    "use",
    [
        lambda s: s.pop(), lambda s: s.remove(9), lambda s: s[0], lambda s: s(), hash, lambda s: {s},
        lambda s: s.add([]), lambda s: s.discard({}), lambda s: s.remove([1]), lambda s: [] in s, lambda s: s.union(1),
        lambda s: s.update(5), lambda s: s.nothing, lambda s: s.add(), lambda s: s < 1,
        lambda s: s.intersection([[]]), lambda s: s.difference([[]]), lambda s: s.update([[]]),
    ],
)  # fmt: skip
def test_messages_are_cpythons(use: Callable[[Any], Any]) -> None:
    ours, theirs = outcome(lambda: use(OrderedSet())), outcome(lambda: use(set()))
    assert ours[0] is theirs[0]
    if theirs[0] is not TypeError or "takes" not in theirs[1]:
        assert ours == theirs


def test_a_set_stands_for_its_frozen_twin_where_membership_is_asked() -> None:
    held = OrderedSet([OrderedFrozenset([1, 2])])
    assert OrderedSet([2, 1]) in held
    held.discard(OrderedSet([1, 2]))
    assert not held
    with pytest.raises(KeyError) as caught:
        held.remove(OrderedSet([3]))
    assert repr(caught.value) == "KeyError({3})"


def test_order_is_that_of_insertion_everywhere() -> None:
    items = OrderedSet("dacb")
    assert list(items) == ["d", "a", "c", "b"]
    assert repr(items) == "{'d', 'a', 'c', 'b'}"
    items.discard("a")
    items.add("a")
    items.add("d")
    assert list(items) == ["d", "c", "b", "a"]
    assert list(items | OrderedSet("xa")) == ["d", "c", "b", "a", "x"]
    assert list(items - OrderedSet("c")) == ["d", "b", "a"]
    assert list(items ^ OrderedSet("zd")) == ["c", "b", "a", "z"]
    assert repr(OrderedFrozenset("ba")) == "frozenset({'b', 'a'})"
    assert (repr(OrderedSet()), repr(OrderedFrozenset())) == ("set()", "frozenset()")


def test_frozen_sets_are_equal_and_hash_alike_whatever_their_order() -> None:
    first, second = OrderedFrozenset([1, 2, 3]), OrderedFrozenset([3, 2, 1])
    assert first == second == frozenset([1, 2, 3])
    assert hash(first) == hash(second) == hash(frozenset([1, 2, 3]))
    assert {first: "x"}[second] == "x"
    assert OrderedFrozenset(first) is first
    assert first.copy() is first


def test_a_set_that_changes_while_it_is_walked_says_so() -> None:
    items = OrderedSet([1, 2, 3])
    walk = iter(items)
    next(walk)
    items.add(4)
    with pytest.raises(RuntimeError, match="Set changed size during iteration"):
        next(walk)


def test_a_set_can_be_combined_with_itself() -> None:
    for name in (
        "update",
        "intersection_update",
        "difference_update",
        "symmetric_difference_update",
    ):
        ours, theirs = OrderedSet([1, 2]), {1, 2}
        getattr(ours, name)(ours)
        getattr(theirs, name)(theirs)
        assert same(ours, theirs)
