"""An arena whose load has ended, in; what its journal, its ledger and its client tell, in one time, out."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos import ledger
from tests.chaos.arena import Arena
from tests.chaos.oracle import Ending, stored
from waymark_schema.kinds import JournalKind


class Entry(NamedTuple):
    """A row of the journal."""

    run: str
    position: int
    kind: int
    call: int | None
    outcome_kind: int | None
    at: float
    """When it was committed, on the machine's monotonic clock."""
    attempt: int | None = None


class Instance(NamedTuple):
    """A row of a run."""

    run: str
    state: int
    owner: int | None
    ending: Ending | None
    epoch: int = 1
    """How often it was claimed."""


class Offset(NamedTuple):
    """What the machine's wall clock, which is the server's too, showed at one moment of the monotonic one."""

    monotonic: float
    wall: float


def offset() -> Offset:
    """Read both clocks; of many looks the one that took the least time."""
    looks = []
    for _ in range(100):
        before, wall, after = time.monotonic(), time.time(), time.monotonic()
        looks.append((after - before, Offset((before + after) / 2, wall)))
    return min(looks)[1]


@dataclass(slots=True)
class Evidence:
    """Everything that the checks of a round look at."""

    entries: list[Entry]
    instances: dict[str, Instance]
    lines: list[ledger.Line]
    asked: dict[str, tuple[str, int]]
    """Workflow and number of every run that the client made an id for."""
    acknowledged: dict[str, float]
    answered: dict[str, Ending]
    refused: dict[str, str]
    by_run: dict[str, list[Entry]] = field(default_factory=dict)
    begun: dict[tuple[str, int], list[ledger.Line]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_run: dict[str, list[Entry]] = defaultdict(list)
        for entry in sorted(self.entries):
            by_run[entry.run].append(entry)
        self.by_run = dict(by_run)
        begun: dict[tuple[str, int], list[ledger.Line]] = defaultdict(list)
        for line in self.lines:
            if line.word == ledger.BEGUN:
                begun[line.instance, line.call].append(line)
        self.begun = dict(begun)

    def outcomes(self, run: str) -> list[Entry]:
        """The entries of a run that settled a call by its outcome."""
        return [e for e in self.by_run.get(run, []) if e.kind == JournalKind.OUTCOME]


def collect(arena: Arena, begun: Offset) -> Evidence:
    """Read all of it; `begun` is the server's clock at the beginning of the round."""
    now = offset()
    rows = arena.query(
        "select instance::text, position, kind, call, outcome_kind,"
        " extract(epoch from pg_xact_commit_timestamp(xmin))::float8, attempt from waymark.journal"
    )
    entries = [
        Entry(run, position, kind, call, outcome, _monotonic(wall, begun, now), attempt)
        for run, position, kind, call, outcome, wall, attempt in rows
    ]
    found = arena.query(
        "select id::text, state, owner, result, error, epoch from waymark.instances"
    )
    instances = {
        run: Instance(
            run, state, owner, stored(state, result, error) if state >= 4 else None, epoch
        )
        for run, state, owner, result, error, epoch in found
    }
    evidence = Evidence(entries, instances, ledger.read(arena.ledger), {}, {}, {}, {})
    for event in arena.events():
        run = event.get("run", "")
        match event["event"]:
            case "asked":
                evidence.asked[run] = (event["workflow"], event["n"])
            case "acknowledged":
                evidence.acknowledged[run] = event["at"]
            case "answered":
                evidence.answered[run] = Ending(event["how"], event["value"])
            case "refused":
                evidence.refused[run] = event["error"]
            case _:
                continue
    return evidence


def _monotonic(wall: float | None, first: Offset, last: Offset) -> float:
    """Take the server's time over to the monotonic clock; both may drift a little against each other."""
    if wall is None:
        return last.monotonic
    share = (wall - first.wall) / ((last.wall - first.wall) or 1.0)
    return first.monotonic + share * (last.monotonic - first.monotonic)
