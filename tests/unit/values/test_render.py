from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretBytes, SecretStr

from tests.unit.values import models
from tests.unit.values.test_codec import KEPT, VALUES
from waymark.coercion.imports import ImportBinding
from waymark_schema.values import render
from waymark_schema.values.codec import Codec

CODEC = Codec(ImportBinding())
encode = CODEC.encode


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": (1,), "b": {2}}, "{'a': (1,), 'b': {2}}"), (set(), "set()"), (frozenset(), "frozenset()"), ((), "()"), ([], "[]"),
        (models.Order(number=1).address, "Address(street='', lines=[])"), (models.Color.RED, "Color.RED"), (models.Pair(1), "Pair(left=1, right='r')"),
        (models.Failure(3, detail=1), "Failure('failed with 3')"), (float("nan"), "nan"), (models.Page[int](items=[1]), "Page[int](items=[1])"),
    ],
)  # fmt: skip
def test_values_read_as_python_shows_them(value: Any, text: str) -> None:
    assert render.as_text(encode(value)) == text


def test_secrets_are_masked_everywhere() -> None:
    value = {
        "plain": SecretStr("hunter2"),
        "bytes": SecretBytes(b"hunter2"),
        "model": models.Order(number=1, password=SecretStr("hunter2")),
        "error": models.Failure(1, detail=[SecretStr("hunter2")]),
        SecretStr("hunter2"): 1,
    }
    for shown in (render.as_text(encode(value)), json.dumps(render.as_json(encode(value)))):
        assert "hunter2" not in shown
        assert "**********" in shown


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10_000_000, ["x" * 1000] * 10_000, list(range(1_000_000)), {str(n): [n] * 100 for n in range(5000)}, 10**200_000,
        b"y" * 10_000_000, models.Page(items=[[1] * 500] * 500),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_shown_is_bounded(value: Any) -> None:
    data = encode(value)
    assert len(render.as_text(data)) < render.TEXT_LIMIT + 10
    assert len(json.dumps(render.as_json(data))) < 2_000_000


@pytest.mark.parametrize("value", KEPT, ids=lambda value: type(value).__name__)
def test_every_value_has_a_text_and_a_strict_json_form(value: Any) -> None:
    assert render.as_text(encode(value))
    json.dumps(render.as_json(encode(value)), allow_nan=False).encode()


@given(VALUES)
def test_values_of_every_shape_can_be_shown(value: Any) -> None:
    data = encode(value)
    render.as_text(data).encode("utf-8", "surrogatepass")
    json.dumps(render.as_json(data), allow_nan=False).encode()


@given(st.binary(max_size=100))
def test_bytes_that_are_no_value_are_shown_as_such(data: bytes) -> None:
    render.as_text(data)
    json.dumps(render.as_json(data), allow_nan=False)


@pytest.mark.parametrize(
    "value",
    [Fraction(10**5000), range(10**5000), {10**5000: 1}, slice(10**5000)],
    ids=lambda value: type(value).__name__,
)
def test_numbers_too_long_for_text_are_told_of(value: Any) -> None:
    assert "whose repr() raised" in render.as_text(encode(value)) or "bits" in render.as_text(
        encode(value)
    )
    json.dumps(render.as_json(encode(value)))


def test_malformed_bytes_say_so() -> None:
    assert "cannot be read" in render.as_text(b"\xc1")
    assert render.as_json(b"\xc1")["$bytes"] == 1


def test_long_values_break_into_lines() -> None:
    text = render.as_text(encode({"numbers": list(range(60)), "name": "x"}))
    assert text.startswith("{\n    'numbers': [\n        0,\n")
    assert text.endswith("    'name': 'x',\n}")
