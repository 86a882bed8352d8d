"""More due runs than a moment can wake in; a duty that comes back to them and lets others go first out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from waymark_schema.tables.instances import NextWake
from waymark_worker import wakes


class Flood:
    """A database in which there is always another batch of due runs; each statement takes a tenth of a second."""

    schema = "waymark"

    def __init__(self, batches: int) -> None:
        self.batches = batches
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def now(self) -> float:
        raise AssertionError("a host's wall clock decides nothing")

    async def fetch_all(self, _session: object, query: object) -> list[object]:
        if "wake_due" not in str(query):
            return []
        self.time += 0.1
        self.batches -= 1
        return [object()] * (wakes.ROOM if self.batches > 0 else 1)

    async def fetch_optional(self, _session: object, _query: object) -> NextWake:
        return NextWake(timedelta(hours=1))


@pytest.mark.parametrize(("batches", "left", "again"), [(100, 98, 0.0), (2, 0, 1.0)])
async def test_very_many_due_runs_do_not_keep_other_duties_waiting(
    monkeypatch: pytest.MonkeyPatch, batches: int, left: int, again: float
) -> None:
    flood = Flood(batches)
    told: list[None] = []
    monkeypatch.setattr(wakes, "fetch_all", flood.fetch_all)
    monkeypatch.setattr(wakes, "fetch_optional", flood.fetch_optional)
    session: object = flood
    seconds = await wakes.wake(session, told=lambda: told.append(None), clock=flood)  # type: ignore[arg-type] # not asked anything
    assert (seconds, flood.batches) == (again, left)
    assert told
