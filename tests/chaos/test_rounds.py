"""Every fault strikes a short load in: nothing lost, nothing committed twice, no invariant broken, out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.rounds import Size, play
from tests.chaos.server import ChaosServer

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]

# Those that get along share a round: what costs time is to start the pools.
GROUPS = (
    ("F1", "F16", "F15"),
    ("F3", "F4", "F8"),
    pytest.param(("F2", "F18"), marks=pytest.mark.slow),  # waits for leases to expire
    pytest.param(("F7",), marks=pytest.mark.slow),  # starts a runloop a dozen times
)


@pytest.mark.parametrize("names", GROUPS, ids="+".join)
def test_a_short_round(names: tuple[str, ...], chaos_server: ChaosServer, tmp_path: Path) -> None:
    missing = [reason for name in names if (reason := FAULTS[name].missing())]
    faults = [FAULTS[name]() for name in names if not FAULTS[name].missing()]
    played = play(
        faults,
        number=1,
        seed="+".join(names),
        shared=chaos_server,
        folder=tmp_path / "round",
        size=Size(pools=2, workers=1, seconds=4.0),
    )
    assert played.findings == [], f"see {played.evidence}"
    assert played.strikes >= len(faults)
    assert played.workflows > 0
    if missing:
        pytest.skip("; ".join(missing))
