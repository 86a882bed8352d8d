"""Wire bytes of every kind in, hostile ones too; what a page shows out."""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from tests.unit.web.rows import wire, wire_error
from waymark.coercion import codec as codec_of_users
from waymark_schema.inputs import pack_inputs
from waymark_web.views import values


class Customer(BaseModel):
    name: str
    password: SecretStr


@dataclass(frozen=True)
class Order:
    number: int
    customer: Customer


def _shown(value: Any) -> str:
    data = codec_of_users().encode(value)
    view = values.shown(data, len(data))
    assert view is not None
    return view.text


def test_models_are_shown_without_their_classes_and_secrets_are_masked() -> None:
    text = _shown(Order(17, Customer(name="Ada", password=SecretStr("hunter2"))))
    assert text.startswith("Order(")
    assert "name='Ada'" in text
    assert "hunter2" not in text
    assert "**********" in text


def test_none_is_a_value_and_no_value_is_none() -> None:
    assert values.shown(wire(None), 1) == values.Shown("None")
    assert values.shown(None, None) is None


def test_a_value_that_stayed_in_the_database_is_told_of_by_its_size() -> None:
    assert values.shown(None, 5_300_000) == values.Shown("", "5.3 MB: too large to show here")
    assert values.inputs(None, 5_300_000).arguments.note.startswith("5.3 MB")
    told = values.fault(None, 5_300_000)
    assert told is not None
    assert "5.3 MB" in told.message


def test_a_huge_value_is_cut() -> None:
    assert len(_shown(["x" * 1000] * 1000)) < 30_000


@given(st.binary(max_size=200))
def test_bytes_that_are_no_value_are_shown_as_such_and_never_raise(data: bytes) -> None:
    values.shown(data, len(data))
    values.inputs(data, len(data))
    values.inputs(pack_inputs(data, data), len(data))
    assert values.fault(data, len(data)) is not None


def test_attributes_of_the_workflow_are_shown_only_if_it_has_any() -> None:
    bare = values.inputs(pack_inputs(wire({"a": 1}), wire({})), 9)
    assert (bare.arguments.text, bare.attributes) == ("{'a': 1}", None)
    told = values.inputs(pack_inputs(wire({}), wire({"region": "eu"})), 9)
    assert told.attributes == values.Shown("{'region': 'eu'}")


class Refused(Exception):
    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def _raised() -> bytes:
    try:
        try:
            _lookup()
        except KeyError as error:
            refused = Refused("card refused", 17)
            refused.add_note("seen by Ada")
            raise refused from error
    except Refused as error:
        return codec_of_users().encode_exception(error)
    raise AssertionError


def _lookup() -> None:
    raise KeyError("account")


def test_an_error_is_shown_with_everything_it_brought_along() -> None:
    data = _raised()
    view = values.fault(data, len(data))
    assert view is not None
    assert view.name.endswith(":Refused")
    assert view.message == "card refused"
    assert view.notes == ("seen by Ada",)
    assert "code = 17" in view.attributes
    assert "in _raised" in view.traceback
    assert [(one.link, one.name) for one in view.chain] == [("Caused by", "KeyError")]
    assert "in _lookup" in view.chain[0].traceback
    assert values.headline(view) == "Refused: card refused"


def test_the_members_of_a_group_are_shown_one_by_one() -> None:
    group = ExceptionGroup("two failed", [ValueError("a"), TypeError("b")])
    data = wire_error(group)
    view = values.fault(data, len(data))
    assert view is not None
    assert [one.name for one in view.chain] == ["ValueError", "TypeError"]
    assert view.chain[0].link == "Exception 1 of 2 in the group"


def _suppressing() -> bytes:
    try:
        try:
            _lookup()
        except KeyError:
            raise ValueError("x") from None
    except ValueError as error:
        return wire_error(error)
    raise AssertionError


def test_a_context_that_was_suppressed_is_not_shown() -> None:
    data = _suppressing()
    view = values.fault(data, len(data))
    assert view is not None
    assert view.chain == ()


@pytest.mark.parametrize("message", ["<script>alert(1)</script>", "\x00", "\ud800", "", "\n\n"])
def test_the_headline_of_any_message_is_one_line(message: str) -> None:
    data = wire_error(ValueError(message))
    view = values.fault(data, len(data))
    assert view is not None
    assert "\n" not in values.headline(view)
