"""Moments, spans, sizes and users' texts in; words out."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark_web.views import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 ms"), (0, "0 ms"), (0.0004, "0 ms"), (0.25, "250 ms"), (1, "1.0 s"), (59.99, "59.9 s"),
        (60, "1 min 0 s"), (3599.9, "59 min 59 s"), (3600, "1 h 0 min"), (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"), (10**9, "11574 d 1 h"),
    ],
)  # fmt: skip
def test_a_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert words.duration(timedelta(seconds=seconds)) == text


def test_what_is_unknown_is_left_out() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert words.duration(None) == ""
    assert words.between(None, moment) is None
    assert words.between(moment, None) is None
    assert words.moment(None) is None
    assert words.ago(None, moment) == ""


def test_moments_are_told_in_utc() -> None:
    told = words.moment(datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))))
    assert told is not None
    assert told.shown == "2025-12-31 23:30:00"


def test_a_count_that_was_given_up_says_so() -> None:
    assert words.number(10_000, most=10_000) == "10,000"
    assert words.number(10_001, most=10_000) == "10,000+"


def test_a_digest_is_shortened_and_a_name_is_not() -> None:
    assert words.shortened("2026-03-release") == "2026-03-release"
    assert words.shortened("f" * 64) == "ffffffffffff…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("one\r\ntwo", "one\ntwo"),
        ("\x00", "\\x00"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\ud800", "\\ud800"),
        ("a\u202eb", "a\\u202eb"),
        ("\u200b\ufeff", "\\u200b\\ufeff"),
        ("a\u00a0b", "a\u00a0b"),
        ("naïve 茶 🙂", "naïve 茶 🙂"),
    ],
)
def test_what_could_hide_or_turn_text_is_spelled_out(text: str, shown: str) -> None:
    assert words.clean(text) == shown


@given(st.text(st.characters()))
def test_clean_text_always_fits_into_a_page(text: str) -> None:
    shown = words.clean(text)
    shown.encode("utf-8")
    hidden = {
        sign for sign in shown if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }
    assert hidden <= {"\n", "\t"}
