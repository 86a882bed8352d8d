"""Calls that cannot be right in; a traceback that ends at the caller's own line out."""

import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import waymark
from waymark import Run, Workflow, workflow

OURS = str(Path(waymark.__file__).parent.parent.parent)


@workflow
class ToldToTheCaller(Workflow):
    async def run(self, n: int) -> int:
        return n


def ours(error: BaseException) -> list[str]:
    return [
        frame.name
        for frame in traceback.extract_tb(error.__traceback__)
        if "/packages/" in frame.filename or frame.filename.startswith(OURS)
    ]


options: Any = ToldToTheCaller.options


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: options(id="bad"),
        lambda: options(id=7),
        lambda: options(id="0190b7a0-0000-7000-8000-000000000001", idempotency_key="k"),
        lambda: options(idempotency_key=""),
        lambda: options(priority="high"),
        lambda: options(priority=10**30),
        lambda: options(delay=-1),
        lambda: options(delay=timedelta.max, start_at=datetime(2027, 1, 1, tzinfo=UTC)),
        lambda: options(start_at=datetime(2027, 1, 1)),  # noqa: DTZ001 - that is what is wrong
        lambda: options(tags={"a": 1}),
        lambda: Run.get("bad"),
    ],
)
def test_a_wrong_option_shows_no_frame_of_ours(wrong: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        wrong()
    assert ours(raised.value) == []
