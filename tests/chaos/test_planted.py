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

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]

ROUNDS = 3


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


def findings(
    bug: str, faults: list[type[Fault]], server: ChaosServer, folder: Path
) -> list[Finding]:
    """Play a round with the bug in it, up to three if a strike may meet nobody who does what is wrong; what was found."""
    found: list[Finding] = []
    for number in range(1, ROUNDS + 1):
        played = play(
            [*(fault() for fault in faults), Planted(bug)],
            number=number,
            seed=f"{bug} {number}",
            shared=server,
            folder=folder / f"round-{number}",
            size=Size(pools=2, workers=1, seconds=6.0, patience=30.0),
        )
        found = played.findings
        if found:
            break
    return found


@pytest.mark.chaos
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


def test_an_attempt_that_is_dispatched_twice_is_found(
    chaos_server: ChaosServer, tmp_path: Path
) -> None:
    """The one of these that runs with all tests, so that they prove the oracle as well."""
    found = findings("dispatch_an_attempt_twice", [], chaos_server, tmp_path)
    assert any(each.kind == BROKEN and "began 2 times" in each.text for each in found), found


@pytest.mark.chaos
def test_a_commit_that_is_acknowledged_early_is_found(
    chaos_server: ChaosServer, tmp_path: Path
) -> None:
    found = findings("acknowledge_before_the_commit", [], chaos_server, tmp_path)
    assert any(
        each.kind == BROKEN and "which led to it, was committed" in each.text for each in found
    )


@pytest.mark.chaos
def test_a_lost_wake_up_is_found(chaos_server: ChaosServer, tmp_path: Path) -> None:
    found = findings("lose_a_wake_up", [], chaos_server, tmp_path)
    assert any(each.kind == LOST and "is still WAITING" in each.text for each in found)


@pytest.mark.chaos
def test_a_committed_step_that_begins_again_is_found(
    chaos_server: ChaosServer, tmp_path: Path
) -> None:
    found = findings("begin_a_committed_step_again", [KilledPools], chaos_server, tmp_path)
    assert any(each.kind == TWICE and "began again" in each.text for each in found)


@pytest.mark.chaos
def test_a_write_without_the_fence_is_found(chaos_server: ChaosServer, tmp_path: Path) -> None:
    found = findings("write_without_the_fence", [StoppedPool], chaos_server, tmp_path)
    # Two owners have written into one journal: at the same position, or the outcome of the same call.
    assert any(
        (each.kind == LOST and "duplicate key" in each.text and "journal_key" in each.text)
        or (each.kind == TWICE and "was settled 2 times" in each.text)
        for each in found
    ), found


@pytest.mark.chaos
def test_runs_that_nobody_takes_over_are_found(chaos_server: ChaosServer, tmp_path: Path) -> None:
    found = findings("leave_the_runs_of_the_dead", [KilledPools], chaos_server, tmp_path)
    assert any(each.kind == LOST and "is still RUNNING" in each.text for each in found)
