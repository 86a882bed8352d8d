"""Texts of WAYMARK_FAILPOINT in; what is refused, and what happens at which statement, out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from waymark_schema.database import failpoints
from waymark_schema.database.faults import Fault, classify
from waymark_schema.database.settings import from_environment
from waymark_schema.errors import SettingError

_URL = {"WAYMARK_DATABASE_URL": "postgresql://app@db/app"}


async def _met(text: str, statement: str = "settle.sql:settle", *, times: int = 1) -> list[str]:
    """What happened, try by try: `ran`, `before` when it never ran, `after` when its answer was an error."""
    rules = failpoints.read(text)
    assert rules is not None
    connection: Any = None
    found = []
    for _ in range(times):
        ran: list[int] = []

        async def run(ran: list[int] = ran) -> None:
            ran.append(1)

        try:
            await rules.around(connection, statement, run)
        except psycopg.Error:
            found.append("after" if ran else "before")
        else:
            found.append("ran")
    return found


async def _nothing() -> None:
    return None


@pytest.mark.parametrize(
    "text",
    [
        "settle",
        "settle.settle:during=exit",
        "settle.settle:before",
        "settle.settle:before=explode",
        "settle.settle:before=exit:now",
        "settle.settle:before=error",
        "settle.settle:before=error:99X99",
        "settle.settle:before=stall:soon",
        "settle.settle:before=stall:-1",
        ":before=exit",
        "settle.settle:before=exit sometimes",
        "settle.settle:before=exit nth=first",
        "settle.settle:before=exit once=",
    ],
)
def test_what_cannot_be_read_is_refused_by_every_process(text: str) -> None:
    with pytest.raises(SettingError, match="WAYMARK_FAILPOINT is") as refused:
        from_environment({**_URL, "WAYMARK_FAILPOINT": text})
    assert repr(text) in str(refused.value)
    assert "expected rules like" in str(refused.value)


@pytest.mark.parametrize("text", ["", "  "])
def test_unset_nothing_is_asked_at_all(text: str) -> None:
    assert from_environment({**_URL, "WAYMARK_FAILPOINT": text}).failpoints is None
    assert from_environment(_URL).failpoints is None


async def test_an_error_comes_before_or_after_the_statement_and_means_what_its_state_means() -> (
    None
):
    assert await _met("settle.settle:before=error:40001") == ["before"]
    assert await _met("settle.settle:after=error:40P01") == ["after"]
    rules = failpoints.read("*:before=error:40001 chance=1")
    assert rules is not None
    connection: Any = None
    with pytest.raises(psycopg.errors.SerializationFailure) as error:
        await rules.around(connection, "any.sql:one", _nothing)
    assert classify(error.value) is Fault.TRANSIENT


async def test_other_statements_are_left_alone() -> None:
    assert await _met("settle.settle:before=error:40001", "settle.sql:settle_narrow") == ["ran"]
    assert await _met("settle.settle*:before=error:40001 nth=1", "settle.sql:settle_narrow") == [
        "before"
    ]


async def test_counts_say_from_when_and_how_often(tmp_path: Path) -> None:
    some = "settle.settle:before=error:40001 nth=3 times=2"
    assert await _met(some, times=6) == ["ran", "ran", "before", "before", "ran", "ran"]
    once = f"settle.settle:before=error:40001 once={tmp_path / 'flag'}"
    assert await _met(once, times=3) == ["before", "ran", "ran"]
    assert (tmp_path / "flag").exists()
    gated = f"settle.settle:before=error:40001 while={tmp_path / 'gate'}"
    assert await _met(gated) == ["ran"]
    (tmp_path / "gate").touch()
    assert await _met(gated) == ["before"]


async def test_chance_is_drawn_from_the_seed() -> None:
    half = "settle.settle:before=error:40001 chance=0.5 seed="
    first = await _met(half + "7", times=40)
    failpoints.read.cache_clear()
    assert await _met(half + "7", times=40) == first
    assert await _met(half + "8", times=40) != first
    assert {"ran", "before"} == set(first)


async def test_two_rules_may_stand_beside_each_other() -> None:
    both = "settle.settle:before=error:40001 times=1; settle.settle:after=error:40001 times=1"
    assert await _met(both, times=3) == ["before", "after", "ran"]
