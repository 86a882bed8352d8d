from __future__ import annotations

import collections
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any, Literal, NewType, Protocol, TypeVar, Union
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BeforeValidator, Field

from tests.unit.values import models
from waymark import settings
from waymark.coercion import CoercionError, codec, coerce, read_fault
from waymark.coercion.matching import matches
from waymark.errors import SerializationError
from waymark_schema.values.records import Record

older: Any = Union[int, None]  # noqa: UP007 - the older spelling
UserId = NewType("UserId", int)
T = TypeVar("T")
Order = models.Order
order = Order(number=1)


class Opaque:
    pass


class Named(Protocol):
    name: str


UNCHANGED: list[tuple[Any, Any]] = [
    (1, int), (True, int), (1, float), (1.5, float), (1, complex), ("a", str), (b"a", bytes), (None, None), (None, older),
    (1, int | str), ("x", int | str), ([1, 2], list[int]), ([1, 2.5], list[float]), ([1], list), ([1, "a"], list[Any]),
    ((1, "a"), tuple[int, str]), ((1, 2, 3), tuple[int, ...]), ((), tuple[()]), ({1}, set[int]), (frozenset({1}), frozenset[int]),
    ({"a": [1]}, dict[str, list[int]]), ({"a": 1}, Mapping[str, int]), ([1], Sequence[int]), ((1,), Sequence[int]), ({1}, Iterable[int]),
    (collections.deque([1]), collections.deque[int]), (collections.Counter("a"), collections.Counter[str]), ("a", Literal["a", 1]), (1, Literal["a", 1]),
    (order, Order), (models.Special(number=1), Order), (models.Point(1), models.Point), (models.Pair(1), models.Pair), (models.Color.RED, models.Color),
    (models.Color.RED, Literal[models.Color.RED]), ({"a": 1}, models.Choosy), ({"a": 1, "b": "x"}, models.Choosy), (3, UserId), ([3], list[UserId]),
    ("x", T), (1, Any), (1, object), (Opaque(), Opaque), (datetime(2024, 1, 1, tzinfo=UTC), datetime), (UUID(int=1), UUID), (Decimal(1), Decimal),
    (Path("x"), Path), (1, Annotated[int, "documentation"]), (1, typing.Final[int]), (models.Page[int](items=[1]), models.Page[int]), (int, type),
]  # fmt: skip


@pytest.mark.parametrize(("value", "annotation"), UNCHANGED, ids=lambda part: repr(part)[:30])
def test_a_value_of_the_annotated_type_passes_unchanged(value: Any, annotation: Any) -> None:
    assert matches(value, annotation)
    assert coerce(value, annotation) is value


COERCED: list[tuple[Any, Any, Any]] = [
    ("1", int, 1), (1.0, int, 1), ("1.5", float, 1.5), (["1"], list[int], [1]), ((1, 2), list[int], [1, 2]), ([1], tuple[int, ...], (1,)), ([1, 1], set[int], {1}),
    ({"a": "1"}, dict[str, int], {"a": 1}), ({"number": "3"}, Order, Order(number=3)), ({"x": "1", "y": ["2"]}, models.Point, models.Point(1, [2])),
    (1, models.Color, models.Color.RED), ("fast", models.Mode, models.Mode.FAST), ("2024-01-01T00:00:00Z", datetime, datetime(2024, 1, 1, tzinfo=UTC)),
    ([1, "x"], models.Pair, models.Pair(1, "x")), ("3", Annotated[int, Field(gt=0)], 3), (3, Annotated[int, BeforeValidator(lambda v: v + 1)], 4),
    ({"a": "1"}, models.Choosy, {"a": 1}), ("1", UserId, 1), ({"items": ["1"]}, models.Page[int], models.Page[int](items=[1])), ("a/b", Path, Path("a/b")),
    (["1", None], list[int | None], [1, None]), ({"theName": "n"}, models.Closed, models.Closed(theName="n")), ("0.1", Decimal, Decimal("0.1")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "annotation", "expected"), COERCED, ids=lambda part: repr(part)[:30]
)
def test_anything_else_is_coerced_by_pydantic(value: Any, annotation: Any, expected: Any) -> None:
    assert not matches(value, annotation)
    result = coerce(value, annotation)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value", "annotation", "path", "words"),
    [
        ("x", int, "user", "valid integer"),
        (
            {"items": [1, {"n": "x"}]},
            dict[str, list[int | dict[str, int]]],
            "user.items[1]",
            "valid integer",
        ),
        ({"number": 1, "address": {"lines": [1]}}, Order, "user.address.lines[0]", "valid string"),
        ({"number": 1, "color": "green"}, Order, "user.color", "1"),
        ({}, Order, "user.number", "required"),
        ([1, 2], tuple[int, str, int], "user[1]", "valid string"),
        (0, Annotated[int, Field(gt=0)], "user", "greater than 0"),
        ({"a": 1, "c": 2}, models.Choosy, "user", ""),
        ("b", Literal["a"], "user", "'a'"),
        (None, int, "user", "NoneType"),
        (1, Opaque, "user", "Opaque"),
        ({"a b": {"x": []}}, dict[str, dict[str, int]], "user['a b'].x", "integer"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field_path(
    value: Any, annotation: Any, path: str, words: str
) -> None:
    if annotation is models.Choosy:
        assert coerce(value, annotation) == {"a": 1}
        return
    with pytest.raises(CoercionError) as caught:
        coerce(value, annotation, path="user")
    assert caught.value.path.startswith(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith("user")


def test_an_annotation_that_pydantic_cannot_check_is_named() -> None:
    with pytest.raises(CoercionError, match="annot"):
        coerce(1, Named)


def test_a_huge_value_does_not_make_a_huge_error() -> None:
    with pytest.raises(CoercionError) as caught:
        coerce(["x" * 10_000] * 1000, list[int])
    assert len(str(caught.value)) < 2000
    assert len(caught.value.problems) == 1000


def test_an_input_that_has_no_text_can_be_refused() -> None:
    with pytest.raises(CoercionError, match="whose repr"):
        coerce([10**5000], list[str])


def test_annotations_that_refer_to_themselves_are_followed() -> None:
    value = models.Node(children=[models.Node()])
    assert coerce(value, models.Node) is value
    assert coerce({"children": [{}]}, models.Node) == value


# --- classes that moved ------------------------------------------------------------------------


def moved(value: Any) -> Any:
    """The value as a process sees it that no longer has its class under the old name."""
    return codec().decode(
        codec()
        .encode(value)
        .replace(b"tests.unit.values.models", b"tests.unit.values.mislaid"[:24])
    )


def test_a_class_that_moved_is_rebuilt_by_the_annotation() -> None:
    found = moved(Order(number=3, color=models.Color.BLUE, parent=Order(number=4)))
    assert isinstance(found, Record)
    assert coerce(found, Order) == Order(number=3, color=models.Color.BLUE, parent=Order(number=4))
    assert coerce([found], list[Order])[0].number == 3
    assert coerce(moved(models.Point(1, [2])), models.Point) == models.Point(1, [2])
    assert coerce(moved(models.Pair(1)), models.Pair) == models.Pair(1)
    assert coerce(moved(models.Color.RED), models.Color) is models.Color.RED
    assert coerce(moved(models.Closed(theName="n")), models.Closed).name == "n"


def test_a_class_that_is_not_there_and_not_annotated_is_refused_by_name() -> None:
    with pytest.raises(CoercionError, match="mislai:Order"):
        coerce({"deep": [moved(Order(number=3))]}, Any, path="result")


def test_the_codec_takes_its_limit_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_MAX_VALUE_BYTES", "2048")
    settings.current.cache_clear()
    try:
        with pytest.raises(SerializationError, match="2048"):
            codec().encode("x" * 3000)
    finally:
        monkeypatch.undo()
        settings.current.cache_clear()
    assert codec() is codec()


def test_a_fault_can_be_read_without_its_class() -> None:
    parts = read_fault(codec().encode_exception(models.Failure(3, detail=[models.Color.RED])))
    assert (parts.name, parts.message) == ("Failure", "failed with 3")
    assert parts.attributes["code"] == 3
    assert repr(parts.attributes["detail"]) == "[<Color.RED: 1>]"


def _list(pair: Any) -> Any:
    return GenericAlias(list, (pair[0],)), st.lists(pair[1], max_size=3)


def _dict(pair: Any) -> Any:
    return GenericAlias(dict, (str, pair[0])), st.dictionaries(
        st.text(max_size=2), pair[1], max_size=3
    )


def _tuple(pair: Any) -> Any:
    return GenericAlias(tuple, (pair[0], ...)), st.lists(pair[1], max_size=3).map(tuple)


def _optional(pair: Any) -> Any:
    return pair[0] | None, st.none() | pair[1]


LEAVES: list[Any] = [
    (int, st.integers()),
    (str, st.text(max_size=3)),
    (float, st.floats(allow_nan=False) | st.integers()),
    (bool, st.booleans()),
]
ANNOTATED: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: inner.map(_list) | inner.map(_dict) | inner.map(_tuple) | inner.map(_optional),
    max_leaves=4,
)


@given(st.data())
def test_values_drawn_from_an_annotation_pass_through_codec_and_coercion(
    data: st.DataObject,
) -> None:
    annotation, values = data.draw(ANNOTATED)
    value = data.draw(values)
    back = codec().decode(codec().encode(value))
    assert coerce(back, annotation) is back
    assert back == value
