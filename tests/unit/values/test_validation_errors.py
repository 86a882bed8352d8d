"""A pydantic ``ValidationError`` goes through the codec as what it is, bounded, and nothing hostile comes out of it."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec
import pytest
from msgspec.msgpack import Ext
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

from waymark.coercion.imports import ImportBinding
from waymark_schema.values import scalars
from waymark_schema.values.codec import Codec
from waymark_schema.values.faults import FaultParts
from waymark_schema.values.records import RecordBinding
from waymark_schema.values.shadows import Shadows
from waymark_schema.values.validation import LINES, Findings, Line, put_together, taken_apart

NAME = "pydantic_core._pydantic_core:ValidationError"


class Strict(BaseModel):
    n: int
    kind: Literal["a"] = "a"

    @field_validator("n")
    @classmethod
    def fits(cls, n: int) -> int:
        if n == 1:
            raise ValueError("one")
        if n == 2:
            raise PydanticCustomError("mine", "says {what} {other}", {"what": [1, {"a": 2}]})
        if n == 3:
            raise PydanticCustomError("value_error", "not {what}", {"what": "{other}"})
        assert n != 4, "four"
        return n


class Hidden(Strict):
    model_config = ConfigDict(hide_input_in_errors=True)


def _raised(make: Any, *args: Any, **keywords: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        make(*args, **keywords)
    return caught.value


def _errors() -> list[ValidationError]:
    return [
        *(_raised(Strict, n=n, kind="b") for n in ("x", 1, 2, 3, 4, None, 5)),
        _raised(Strict.model_validate_json, '{"n": [1], "kind": 2}'),
        _raised(Strict.model_validate_json, "no"),
        _raised(Hidden, n="secret"),
        _raised(Strict),
    ]


def _shown(error: BaseException) -> list[Any]:
    assert isinstance(error, ValidationError)
    return [str(error), repr(error), error.title, error.error_count(), repr(error.errors())]


@pytest.mark.parametrize("binding", [ImportBinding, RecordBinding, lambda: Shadows([])])
def test_it_comes_back_as_what_it_was(binding: Any) -> None:
    codec = Codec(binding())
    for error in _errors():
        error.add_note("noted")
        again = codec.decode(Codec(ImportBinding()).encode_exception(error))
        assert _shown(again) == _shown(error)
        assert again.__notes__ == ["noted"]
        assert _shown(codec.decode(codec.encode_exception(again))) == _shown(error)


def test_an_input_that_cannot_be_kept_becomes_its_text() -> None:
    codec = Codec(ImportBinding())
    error = _raised(Strict, n=codec)
    again = codec.decode(codec.encode_exception(error))
    assert isinstance(again, ValidationError)
    assert again.errors()[0]["type"] == "int_type"
    assert "Codec" in again.errors()[0]["input"]


def test_what_is_kept_is_bounded() -> None:
    class Many(BaseModel):
        items: list[int]

    codec = Codec(ImportBinding())
    error = _raised(Many, items=["x" * 100_000] * (LINES + 5))
    data = codec.encode_exception(error)
    assert len(data) < 4 << 20
    again = codec.decode(data)
    assert isinstance(again, ValidationError)
    assert again.error_count() == LINES
    assert again.errors()[0]["input"] == "x" * 100_000
    assert len(again.errors()[-1]["input"]) < 2000


def test_one_that_was_stored_without_its_findings_is_caught_as_a_value_error() -> None:
    parts = [NAME, -1, ["ValueError", "Exception", "BaseException"], [], {}, "what it said", "repr"]
    data = msgspec.msgpack.encode(Ext(scalars.EXCEPTION, msgspec.msgpack.encode(parts)))
    for binding in (ImportBinding(), Shadows([]), RecordBinding()):
        old = Codec(binding).decode(data)
        assert isinstance(old, ValueError)
        assert str(old) == "what it said"


def test_findings_of_something_else_give_a_stand_in() -> None:
    good: list[Any] = ["t", [["int_parsing", ["n"], 1, {}, None]], "python", False]
    bad: list[Any] = [
        None, 1, [], ["t"], ["t", 5], ["t", [5]], ["\ud800", []], [b"t", []],
        ["t", [["no_such_type", [], 1, {}]]], ["t", [["greater_than", [], 1, {}]]],
        ["t", [["int_parsing", [{}], 1, {}]]],
        ["t", [["int_parsing", [], 1, 5]]], ["t", [], "xml"], ["t", [], "python", 7],
    ]  # fmt: skip
    for findings in (good, *bad):
        parts = FaultParts(NAME, -1, ["ValueError"], (), {}, "told", "text", findings=findings)
        error = ImportBinding().exception(parts, [])
        assert isinstance(error, ValidationError) == (findings is good)
        assert isinstance(error, ValueError)
        assert str(error) == "told" or findings is good


NAMES = (
    "error expected gt ge lt le multiple_of min_length max_length actual_length field_type pattern class "
    "class_name method_name function_name name tag discriminator expected_tags max_digits decimal_places "
    "whole_digits tz_expected tz_actual expected_version encoding encoding_error"
).split()


@pytest.mark.parametrize("kind", [*get_args(ErrorType), "none_such", "\ud800", ""])
def test_the_host_survives_whatever_findings_hold(kind: str) -> None:
    odd: list[Any] = [
        None,
        1 << 70,
        -1,
        "text",
        b"\xff",
        float("nan"),
        {},
        [1],
        ValueError("v"),
        "\ud800",
    ]
    for value in odd:
        for template in (None, "a{gt}{error}", "\ud800"):
            for loc in ((), ("a", -1), ("\ud800",)):
                for title in ("title", "\ud800"):
                    line = Line(kind, loc, value, dict.fromkeys(NAMES, value), template)
                    try:
                        error = put_together(Findings(title, [line]))
                    except TypeError:
                        continue
                    assert str(error)
                    assert error.errors()
                    taken_apart(error)


def test_a_text_that_grows_as_it_is_put_together_is_refused() -> None:
    """Each place of it is filled with two of the next one."""
    context = {f"k{n}": f"{{k{n + 1}}}{{k{n + 1}}}" for n in range(40)}
    line = Line("mine", ("a",), 1, context, template="{k0}")
    with pytest.raises(TypeError, match="longer than"):
        put_together(Findings("M", [line]))


def test_more_lines_than_are_kept_are_refused() -> None:
    line = Line("missing", ("a",), {}, {})
    assert put_together(Findings("M", [line] * LINES)).error_count() == LINES
    with pytest.raises(TypeError, match="lines"):
        put_together(Findings("M", [line] * (LINES + 1)))
