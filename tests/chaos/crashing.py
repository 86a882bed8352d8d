"""A commit of the journal in; for a few chosen runs the death of the process, once on either side of it, out.

A patch of pools under test (`Setting.patches`): it kills where no signal from outside could be aimed at.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.chaos.ledger import LEDGER
from waymark_worker.journal import Change, Committer

RUNS = "CHAOS_BOUNDARY_RUNS"
"""Environment: how many runs of a round die at every boundary."""
ENTRIES = "CHAOS_BOUNDARY_ENTRIES"
"""Environment: of a run with more entries only the first so many."""


def install() -> None:
    """Stand around the commit."""
    settle = Committer._settle

    async def settle_or_die(self: Any, changes: list[Change]) -> None:
        _perhaps_die(changes, "before")
        await settle(self, changes)
        # What was committed is not yet known to anybody: nothing was dispatched.
        _perhaps_die(changes, "after")

    Committer._settle = settle_or_die  # type: ignore[method-assign] # the patch


def deaths(ledger: Path) -> int:
    """Say how many there were in a round."""
    return sum(map(len, boundaries(ledger).values()))


def boundaries(ledger: Path) -> dict[str, set[str]]:
    """Say at which boundaries each chosen run died: `3-before`, `3-after`."""
    return {
        run.name: {mark.name for mark in run.iterdir()} for run in _place_beside(ledger).glob("*")
    }


def _perhaps_die(changes: list[Change], side: str) -> None:
    """Die if a boundary in this commit is new to one of the chosen runs: it is then behind all of them."""
    fresh = [
        _first(change.instance, f"{row.position}-{side}")
        for change in changes
        for row in change.rows
        if row.position <= int(os.environ[ENTRIES]) and _chosen(change.instance)
    ]
    if any(fresh):
        os.kill(os.getpid(), signal.SIGKILL)


def _chosen(run: UUID) -> bool:
    place = _place()
    if (place / str(run)).is_dir():
        return True
    if len(list(place.iterdir())) >= int(os.environ[RUNS]):
        return False
    (place / str(run)).mkdir(exist_ok=True)
    return True


def _first(run: UUID, boundary: str) -> bool:
    try:
        mark = _place() / str(run) / boundary
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


def _place() -> Path:
    place = _place_beside(Path(os.environ[LEDGER]))
    place.mkdir(exist_ok=True)
    return place


def _place_beside(ledger: Path) -> Path:
    return Path(f"{ledger}.boundaries")
