"""Records of the machine in; the names that CPython gives its own types in messages, out."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from waymark_schema.failures import SerializationError
from waymark_schema.values.codec import Codec
from waymark_worker.vm import scheduling, views  # noqa: F401 - they name their records
from waymark_worker.vm.callables import SleepValue
from waymark_worker.vm.names import RECORDS
from waymark_worker.vm.types import ShadowTypes


def forgotten() -> Any:
    """Return what a workflow holds that forgot an ``await``."""
    return SleepValue(1, None)


def test_an_operator_on_a_call_that_was_not_awaited_says_what_cpython_says() -> None:
    with pytest.raises(
        TypeError, match=r"^unsupported operand type\(s\) for \+: 'coroutine' and 'int'$"
    ):
        operator.add(forgotten(), 1)


def test_a_call_that_was_not_awaited_cannot_be_kept_and_says_so() -> None:
    with pytest.raises(SerializationError) as refused:
        Codec(ShadowTypes([])).encode([forgotten()], path="result")
    assert str(refused.value) == (
        "result[0]: coroutine cannot be kept as a durable value; put `await` in front of the call that made it"
    )


@pytest.mark.parametrize("record", list(RECORDS), ids=lambda record: RECORDS[record])
def test_no_record_shows_the_name_of_a_class_of_ours(record: type) -> None:
    assert record.__name__ == RECORDS[record]
    assert not record.__module__.startswith("waymark")
