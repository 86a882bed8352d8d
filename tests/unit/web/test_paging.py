"""Cursors and rows in; pages and what lies beside them out."""

from uuid import UUID

import pytest

from waymark_web.paging import BadParameter, Cursor, Page, address, cursor, cut, position

ONE = UUID(int=1)


def test_without_a_cursor_the_newest_rows_are_shown() -> None:
    assert cursor({}) == Cursor()
    assert cursor({"before": ""}).newest
    assert cut([5, 4, 3], Cursor(), room=3) == ([5, 4, 3], Page(older=False, newer=False))


def test_a_surplus_row_says_that_there_is_more_and_is_not_shown() -> None:
    assert cut([5, 4, 3], Cursor(), room=2) == ([5, 4], Page(older=True, newer=False))
    assert cut([3, 2, 1], Cursor(before=ONE), room=2) == ([3, 2], Page(older=True, newer=True))


def test_rows_read_backwards_are_shown_newest_first() -> None:
    at = cursor({"after": str(ONE)})
    assert at.backwards
    assert cut([3, 4, 5], at, room=2) == ([4, 3], Page(older=True, newer=True))
    assert cut([3, 4], at, room=2) == ([4, 3], Page(older=True, newer=False))


@pytest.mark.parametrize(
    "parameters",
    [
        {"before": "x"},
        {"after": "' or 1=1"},
        {"before": str(ONE), "after": str(ONE)},
        {"after": "\x00"},
    ],
)
def test_a_cursor_that_is_no_id_is_refused_with_its_value(parameters: dict[str, str]) -> None:
    with pytest.raises(BadParameter, match=r"before|after"):
        cursor(parameters)


@pytest.mark.parametrize("text", ["0", "-1", "x", "²", "2147483648", "9" * 5000, "1.5", " 1"])
def test_a_position_that_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="before is"):
        position({"before": text}, "before")


def test_a_position_is_a_number_or_missing() -> None:
    assert position({}, "before") is None
    assert position({"before": "17"}, "before") == 17


def test_an_address_leaves_out_what_is_empty_and_quotes_the_rest() -> None:
    assert address("/", {"a": None, "b": ""}) == "/"
    assert address("/", {"workflow": "a&b=<c>"}) == "/?workflow=a%26b%3D%3Cc%3E"
