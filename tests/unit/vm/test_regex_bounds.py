"""A pattern is judged before it runs: what nobody can bound is refused, what may take long is counted."""

import re
import time

import pytest

from waymark_schema.ir.regexes import MAX_TEXT, bound_of
from waymark_worker.vm.meter import DEFAULT_BUDGET, METER
from waymark_worker.vm.refusals import LimitExceeded, UnsupportedOperation
from waymark_worker.vm.regexes import PATTERN_METHODS, compiled


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a|a)*b",
        r"(a|aa)+$",
        r"(?:ab|a)*c",
        r"(\w+\s?)*$",
        r"(x+x+)+y",
        r"(?:a?){50}",
        r"(?:a*)*",
        r"(.)\1",
        r"(?P<q>['\"]).*(?P=q)",
        r"(a)?(?(1)b|c)",
        r"(?:(?:){1000}){1000}",
        r"((a{1,100}){1,100}){1,100}",
        "a" * 5000,
    ],
)
def test_a_pattern_that_nobody_can_bound_is_refused(pattern: str) -> None:
    assert bound_of(pattern).problem
    METER.start(DEFAULT_BUDGET)
    with pytest.raises(UnsupportedOperation, match="cannot run in a workflow, because it"):
        compiled(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{4}-\d{2}-\d{2}",
        r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
        r"\s*(\w+)\s*=\s*(\w+)\s*",
        r"ORD-(?P<number>\d+)(?:/(?P<line>\d+))?",
        r"(?i)straße",
        r"(?:\d{3},)*\d{3}",
        r"#\w+|@\w+",
        rb"[\x00-\x1f]+",
        r"(?<=\$)\d+(?!\d)",
    ],
)
def test_an_ordinary_pattern_costs_little_on_an_ordinary_text(pattern: str | bytes) -> None:
    bound = bound_of(pattern)
    assert bound.problem is None
    assert bound.units(1_000, searches=True) < DEFAULT_BUDGET


@pytest.mark.parametrize("pattern", [r"\w+", r"[^,]+", r"[,;]\s*", r"ORD-(\d+)"])
def test_nothing_behind_a_repeat_makes_the_longest_text_cheap(pattern: str) -> None:
    assert bound_of(pattern).units(MAX_TEXT, searches=True) < 10_000


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r".*x.*y.*z", "a" * 5_000),
        (r"a+?x{2}", "a" * 60_000),
        ("a?" * 40 + "a" * 40, "a" * 39),
        (r"\d+x", "1" * MAX_TEXT),
        (r"\w+\d+\w+!", "a1" * 1_000),
    ],
)
def test_what_may_take_too_long_is_refused_before_it_begins(pattern: str, text: str) -> None:
    METER.start(DEFAULT_BUDGET)
    began = time.process_time()
    with pytest.raises(LimitExceeded, match="WAYMARK_STEP_BUDGET"):
        PATTERN_METHODS["search"](compiled(pattern), text)
    assert time.process_time() - began < 1


def test_a_long_text_is_refused_by_its_length() -> None:
    METER.start(DEFAULT_BUDGET)
    with pytest.raises(LimitExceeded, match=f"at most {MAX_TEXT} at once"):
        PATTERN_METHODS["findall"](compiled("a"), "a" * (MAX_TEXT + 1))


def test_what_is_no_pattern_is_the_hosts_error() -> None:
    METER.start(DEFAULT_BUDGET)
    with pytest.raises(re.error, match="missing"):
        compiled("(")


def test_the_flag_that_prints_is_refused() -> None:
    METER.start(DEFAULT_BUDGET)
    with pytest.raises(UnsupportedOperation, match=r"re\.DEBUG"):
        compiled("a", re.DEBUG)
