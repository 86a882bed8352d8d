"""Two dozen runs of every kind, each killed before and after every entry of its journal, in; nothing lost or repeated, out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import crashing
from tests.chaos.faults.boundaries import CrashedBoundaries
from tests.chaos.rounds import Size, play
from tests.chaos.server import ChaosServer

pytestmark = [pytest.mark.postgres, pytest.mark.chaos, pytest.mark.timeout(3600)]

RUNS = 24
"""As many as are unfinished at once."""


def test_runs_that_die_at_every_boundary(chaos_server: ChaosServer, tmp_path: Path) -> None:
    folder = tmp_path / "round"
    played = play(
        [CrashedBoundaries(runs=RUNS, entries=10_000)],
        number=1,
        seed="boundaries",
        shared=chaos_server,
        folder=folder,
        size=Size(pools=3, workers=1, seconds=5.0),
        keep=True,
    )
    assert played.findings == [], f"see {played.evidence}"
    died = crashing.boundaries(folder / "ledger.txt")
    assert len(died) == RUNS
    for boundaries in died.values():
        entries = {boundary.partition("-")[0] for boundary in boundaries}
        assert boundaries == {
            f"{entry}-{side}" for entry in entries for side in ("before", "after")
        }
        assert sorted(map(int, entries)) == list(range(1, len(entries) + 1))
