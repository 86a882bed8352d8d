"""A policy and how an attempt ended in; whether and when it is tried again out."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark_schema.failures import ActionTimeout
from waymark_schema.ir.policies import StoredPolicy
from waymark_schema.kinds import OutcomeKind
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding
from waymark_worker.runloop import outcomes
from waymark_worker.settlement import Resume, RetryAfter, settle

_codec = Codec(RecordBinding())
RETRYING = StoredPolicy(attempts=3, base=2.0, factor=3.0, max=10.0)


def _settle(
    policy: StoredPolicy, failed: int = 1, error: BaseException | None = None, **rest: Any
) -> Any:
    names = outcomes.error_names(_codec.encode_exception(error)) if error else ()
    rest = {"outcome": OutcomeKind.ERROR, "draw": 0.0, **rest}
    return settle(policy, failed_attempts=failed, error_names=names, **rest)


def test_a_value_resumes_whatever_the_policy() -> None:
    assert _settle(RETRYING, outcome=OutcomeKind.VALUE) == Resume()


def test_without_a_policy_the_first_error_goes_to_the_workflow() -> None:
    assert _settle(StoredPolicy()) == Resume(exhausted=False)


def test_attempts_count_executions() -> None:
    assert [_settle(RETRYING, failed) for failed in (1, 2, 3)] == [
        RetryAfter(2.0),
        RetryAfter(6.0),
        Resume(exhausted=True),
    ]


def test_the_pause_grows_by_the_factor_up_to_its_bound() -> None:
    policy = msgspec.structs.replace(RETRYING, attempts=2_000)
    assert [_settle(policy, failed).seconds for failed in (1, 2, 3, 4, 1_999)] == [2, 6, 10, 10, 10]


def test_a_pause_that_no_float_holds_is_the_bound() -> None:
    policy = StoredPolicy(attempts=10**6, base=1.0, factor=1e6, max=60.0)
    assert _settle(policy, 900_000) == RetryAfter(60.0)


@given(draw=st.floats(0, 1, exclude_max=True), jitter=st.floats(0, 1))
def test_jitter_adds_at_most_its_fraction(draw: float, jitter: float) -> None:
    policy = StoredPolicy(attempts=5, base=4.0, jitter=jitter)
    pause = _settle(policy, draw=draw).seconds
    assert 4.0 <= pause <= 4.0 * (1 + jitter)


@pytest.mark.parametrize(
    ("named", "retried"),
    [
        ("ConnectionResetError", True),
        ("ConnectionError", True),
        ("OSError", True),
        ("Exception", True),
        ("ValueError", False),
        ("Connection", False),
    ],
)
def test_exceptions_match_by_the_names_of_their_classes_and_bases(
    named: str, retried: bool
) -> None:
    policy = msgspec.structs.replace(RETRYING, exception_types=(named,))
    verdict = _settle(policy, error=ConnectionResetError("gone"))
    assert isinstance(verdict, RetryAfter) is retried


def test_what_is_not_named_ends_at_once_and_is_not_called_exhausted() -> None:
    policy = msgspec.structs.replace(RETRYING, exception_types=("KeyError",))
    assert _settle(policy, error=ValueError("x")) == Resume(exhausted=False)


def test_a_catch_all_does_not_repeat_a_timeout() -> None:
    assert _settle(RETRYING, outcome=OutcomeKind.TIMEOUT) == Resume()


@pytest.mark.parametrize("name", ["ActionTimeout", "TimeoutError"])
def test_a_timeout_is_repeated_when_it_is_named(name: str) -> None:
    policy = msgspec.structs.replace(RETRYING, exception_types=(name,))
    assert _settle(policy, outcome=OutcomeKind.TIMEOUT) == RetryAfter(2.0)


def test_a_timeout_is_found_by_its_names_too() -> None:
    names = outcomes.error_names(outcomes.timeout_error("m:act", 1.5, 2))
    assert {"ActionTimeout", "TimeoutError", "Exception"} <= set(names)
    raised = _codec.decode(outcomes.timeout_error("m:act", 1.5, 2))
    assert isinstance(raised, ActionTimeout)
    assert str(raised) == "act did not end within 1.5 s (attempt 2)"


def test_exhausted_retries_keep_the_last_exception_and_tell_of_the_attempts() -> None:
    error = _codec.decode(outcomes.exhausted(_codec.encode_exception(ValueError("no")), attempts=4))
    assert isinstance(error, ValueError)
    assert error.args == ("no",)
    assert error.__notes__ == ["retries exhausted: this was attempt 4 of 4"]


def test_bytes_that_are_no_exception_are_left_alone() -> None:
    for payload in (b"\xc1", b"", _codec.encode(3)):
        assert outcomes.exhausted(payload, attempts=2) == payload
        assert outcomes.error_names(payload) == ()


def test_policies_are_values() -> None:
    with pytest.raises(AttributeError):
        RETRYING.attempts = 9  # type: ignore[misc] # that is what is tested
    with pytest.raises(TypeError):
        replace(RetryAfter(1.0), pause=2)  # type: ignore[call-arg] # likewise
