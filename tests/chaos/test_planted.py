"""Pools with one wrong rule in, the finding that names what it does out: the oracle proves itself."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.chaos.checks import BROKEN, LOST, TWICE, Finding
from tests.chaos.fault import Fault, Setting
from tests.chaos.faults.processes import KilledProcesses, StoppedPool
from tests.chaos.rounds import Size, play
from tests.chaos.server import ChaosServer

pytestmark = [pytest.mark.postgres, pytest.mark.chaos, pytest.mark.timeout(900)]


class Planted(Fault):
    """A bug in every pool; it strikes by itself."""

    name = "planted"
    title = "a planted bug"

    def __init__(self, bug: str) -> None:
        self.bug = bug

    def prepare(self, setting: Setting, chance: Random) -> None:
        setting.patches.append(f"tests.chaos.planted:{self.bug}")


class KilledPools(KilledProcesses):
    """Whole pools only: what they held must be taken over."""

    def __init__(self) -> None:
        super().__init__()
        self._next = ["pool"] * 100


def findings(bug: str, faults: list[Fault], server: ChaosServer, folder: Path) -> list[Finding]:
    """Play one round with the bug in it; what was found."""
    played = play(
        [*faults, Planted(bug)],
        number=1,
        seed=bug,
        shared=server,
        folder=folder / "round",
        size=Size(pools=2, workers=1, seconds=6.0, patience=30.0),
    )
    return played.findings


def test_nothing_is_found_without_a_bug(chaos_server: ChaosServer, tmp_path: Path) -> None:
    played = play(
        [],
        number=1,
        seed="calm",
        shared=chaos_server,
        folder=tmp_path / "round",
        size=Size(pools=2, workers=1, seconds=4.0),
    )
    assert played.findings == [], f"see {played.evidence}"


def test_a_commit_that_is_acknowledged_early_is_found(
    chaos_server: ChaosServer, tmp_path: Path
) -> None:
    found = findings("acknowledge_before_the_commit", [], chaos_server, tmp_path)
    assert any(
        each.kind == BROKEN and "which led to it, was committed" in each.text for each in found
    )


def test_a_lost_wake_up_is_found(chaos_server: ChaosServer, tmp_path: Path) -> None:
    found = findings("lose_a_wake_up", [], chaos_server, tmp_path)
    assert any(each.kind == LOST and "is still WAITING" in each.text for each in found)


def test_a_committed_step_that_begins_again_is_found(
    chaos_server: ChaosServer, tmp_path: Path
) -> None:
    found = findings("begin_a_committed_step_again", [KilledPools()], chaos_server, tmp_path)
    assert any(each.kind == TWICE and "began again" in each.text for each in found)


def test_a_write_without_the_fence_is_found(chaos_server: ChaosServer, tmp_path: Path) -> None:
    found = findings("write_without_the_fence", [StoppedPool()], chaos_server, tmp_path)
    assert any(each.kind in (LOST, TWICE) for each in found), found


def test_runs_that_nobody_takes_over_are_found(chaos_server: ChaosServer, tmp_path: Path) -> None:
    found = findings("leave_the_runs_of_the_dead", [KilledPools()], chaos_server, tmp_path)
    assert any(each.kind == LOST and "is still RUNNING" in each.text for each in found)
