"""A restart of a server after which not all is as before, in; the figure and the finding that tell of it out."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos.faults import servers
from tests.chaos.faults.servers import RestartedServer

LEASES = [(1, 10), (2, 20)]


class Restarted:
    """An arena of pools 1 and 2, of which the second gets another lease by the restart and settles nothing."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        server = SimpleNamespace(stop_immediately=lambda: None, start=self._start)
        self.setting = SimpleNamespace(faults=faults, server=server)
        self.figures: list[float] = []
        self.broken: list[str] = []
        self.notes: list[str] = []
        self._leases = LEASES

    def _start(self) -> None:
        self._leases = [(1, 10), (2, 21)]

    def ready(self) -> list[Any]:
        return [SimpleNamespace(id=1), SimpleNamespace(id=2)]

    def query(self, _query: str, *values: float) -> list[tuple[int, float]]:
        return [(1, values[0] + 0.01)] if values else list(self._leases)

    def measured(self, _figure: str, seconds: float) -> None:
        self.figures.append(seconds)


@pytest.mark.parametrize("faults", [("F3",), ("F3", "F1")])
def test_a_pool_that_does_not_come_back_counts_and_one_that_was_fenced_is_told_of(
    faults: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_PATIENCE", 0.05)
    arena: Any = Restarted(faults)
    RestartedServer().strike(arena, Random(0))
    (seconds,) = arena.figures
    assert seconds >= 0.05
    told = arena.broken if faults == ("F3",) else arena.notes
    assert "F3: pool 2 lost its lease 20 when the server restarted" in told
    assert len(arena.broken) + len(arena.notes) == 2
