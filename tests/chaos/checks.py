"""What a round left behind in; what was lost, what was committed twice and which invariant broke, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from tests.chaos.arena import Arena
from tests.chaos.evidence import Entry, Evidence
from tests.chaos.ledger import ENDED, Line
from tests.chaos.oracle import expected
from tests.chaos.workflows import SEQUENTIAL
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind

LOST, TWICE, BROKEN = "lost", "committed twice", "broken"
_MARGIN = 0.003
"""What two clocks, one of them read through a session, may differ by."""
_CATCHING_UP = 5.0
"""So long a process that was stopped may take to begin what it had received by then."""
_SEQUENTIAL = {workflow.__name__ for workflow in SEQUENTIAL}


class Finding(NamedTuple):
    """One thing that must not be."""

    kind: str
    text: str
    run: str = ""


def check(arena: Arena, evidence: Evidence) -> list[Finding]:
    """Hold everything against the oracle and the invariants; the load has ended, pools still run."""
    found = [*_of_runs(evidence), *_of_calls(arena, evidence), *_of_order(evidence)]
    return [*found, *_of_rows(arena)]


# --- runs -------------------------------------------------------------------------------------------


def _of_runs(evidence: Evidence) -> Iterator[Finding]:
    for run in evidence.acknowledged.keys() - evidence.instances.keys():
        yield Finding(LOST, "was acknowledged and is not in the database", run)
    for run, error in evidence.refused.items():
        yield Finding(BROKEN, f"its caller was told {error}", run)
    for run, instance in evidence.instances.items():
        if run not in evidence.asked:
            yield Finding(BROKEN, "nobody asked for it", run)
            continue
        workflow, n = evidence.asked[run]
        wanted = expected(workflow, n)
        name = f"{workflow}({n})"
        if instance.ending is None:
            state = InstanceState(instance.state).name
            yield Finding(LOST, f"{name} is still {state}", run)
        elif instance.ending != wanted.ending:
            yield Finding(
                LOST, f"{name} ended with {instance.ending}, plain Python with {wanted.ending}", run
            )
        elif (settled := _settled(evidence, run)) != wanted.calls:
            yield Finding(
                LOST, f"{name} settled {settled} calls, plain Python makes {wanted.calls}", run
            )
        told = evidence.answered.get(run)
        if told is not None and told != wanted.ending:
            yield Finding(
                LOST,
                f"the caller of {name} was told {told}, plain Python says {wanted.ending}",
                run,
            )


def _settled(evidence: Evidence, run: str) -> int:
    return len({entry.call for entry in evidence.outcomes(run)})


# --- calls ------------------------------------------------------------------------------------------


def _of_calls(arena: Arena, evidence: Evidence) -> Iterator[Finding]:
    yield from _settled_twice(evidence)
    yield from _identities(evidence)
    yield from _begun_too_often(evidence)
    ended = {(line.instance, line.call) for line in evidence.lines if line.word == ENDED}
    for entry in evidence.entries:
        if entry.kind != JournalKind.OUTCOME or entry.call is None:
            continue
        call = (entry.run, entry.call)
        if entry.outcome_kind == OutcomeKind.VALUE and call not in ended:
            what = f"call {entry.call} has a result and no attempt returned one"
            yield Finding(BROKEN, what, entry.run)
        yield from _begun_again(arena, entry, evidence.begun.get(call, []))


def _settled_twice(evidence: Evidence) -> Iterator[Finding]:
    settling = Counter(
        (entry.run, entry.call)
        for entry in evidence.entries
        if entry.kind in (JournalKind.OUTCOME, JournalKind.TIMEOUT) and entry.call is not None
    )
    for (run, call), count in settling.items():
        if count > 1:
            yield Finding(TWICE, f"call {call} was settled {count} times", run)


def _identities(evidence: Evidence) -> Iterator[Finding]:
    """All attempts of a call have one key and the same arguments; no other call has that key."""
    for (run, call), lines in evidence.begun.items():
        if len({line.key for line in lines}) > 1:
            yield Finding(BROKEN, f"attempts of call {call} had several idempotency keys", run)
        if len({(line.action, line.arguments) for line in lines}) > 1:
            yield Finding(BROKEN, f"attempts of call {call} had different arguments", run)
    keys = Counter(lines[0].key for lines in evidence.begun.values())
    for key, count in keys.items():
        if count > 1:
            yield Finding(BROKEN, f"{count} calls have the idempotency key {key}")


def _begun_too_often(evidence: Evidence) -> Iterator[Finding]:
    """An attempt begins once for each claim of its run, and once more for each time that it was lost.

    Nothing else begins it anew: after an error or a timeout comes the next attempt, an offer that returns untaken
    has not begun, one whose taker died is journaled as lost, and what was parked or orphaned is claimed again.
    """
    lost = Counter(
        (entry.run, entry.call, entry.attempt)
        for entry in evidence.entries
        if entry.kind == JournalKind.LOST
    )
    begun = Counter(
        (run, call, line.attempt) for (run, call), lines in evidence.begun.items() for line in lines
    )
    for (run, call, attempt), times in begun.items():
        instance, losses = evidence.instances.get(run), lost[run, call, attempt]
        if instance is not None and times > instance.epoch + losses:
            what = (
                f"attempt {attempt} of call {call} began {times} times,"
                f" though it was lost {losses} times and its run claimed {instance.epoch} times"
            )
            yield Finding(BROKEN, what, run)


def _begun_again(arena: Arena, entry: Entry, lines: list[Line]) -> Iterator[Finding]:
    for line in lines:
        late = line.at - entry.at
        if late > _MARGIN and not _stood_still(arena, line, entry.at):
            what = f"call {entry.call} began again {late:.3f} s after its commit"
            yield Finding(TWICE, what, entry.run)


def _stood_still(arena: Arena, line: Line, committed: float) -> bool:
    """Whether the process was stopped when the outcome was committed, and has only just gone on.

    It had begun already, for all it knew.
    """
    stops = arena.stood_still.get(line.pid, [])
    return any(
        since <= committed and 0 <= _awake(stops, until, line.at) <= _CATCHING_UP
        for since, until in stops
    )


def _awake(stops: list[tuple[float, float]], first: float, last: float) -> float:
    """Seconds between two moments in which a process was not stopped."""
    slept = sum(until - since for since, until in stops if first <= since and until <= last)
    return last - first - slept


# --- order ------------------------------------------------------------------------------------------


def _of_order(evidence: Evidence) -> Iterator[Finding]:
    for run, entries in evidence.by_run.items():
        positions = [entry.position for entry in entries]
        if positions != list(range(1, len(positions) + 1)):
            yield Finding(BROKEN, f"its journal has the positions {positions}", run)
        workflow, _ = evidence.asked.get(run, ("", 0))
        if workflow in _SEQUENTIAL:
            yield from _ahead(evidence, run)


def _ahead(evidence: Evidence, run: str) -> Iterator[Finding]:
    """A call that began before the outcome that led to it was committed."""
    outcomes = evidence.outcomes(run)
    for before, after in pairwise(outcomes):
        if after.call is None:
            continue
        for line in evidence.begun.get((run, after.call), []):
            if line.at < before.at - _MARGIN:
                yield Finding(
                    BROKEN,
                    f"call {after.call} began {before.at - line.at:.3f} s before"
                    f" the outcome of call {before.call}, which led to it, was committed",
                    run,
                )


# --- rows -------------------------------------------------------------------------------------------

_NEVER = {
    "an ended run has an owner": "select id from waymark.instances where state >= 4 and owner is not null",
    "a run is owned by a lease that is fenced or gone": (
        "select i.id from waymark.instances as i left join waymark.leases as l on l.id = i.owner"
        " where i.owner is not null and (l.id is null or l.fenced)"
    ),
    "an offer outlived its run": (
        "select o.instance from waymark.offers as o left join waymark.instances as i on i.id = o.instance"
        " where i.id is null or i.state >= 4"
    ),
    "a live row outlived its run": (
        "select f.instance from waymark.in_flight as f left join waymark.instances as i"
        " on i.id = f.instance where i.id is null or i.state >= 4"
    ),
    "a snapshot outlived its run": (
        "select s.instance from waymark.snapshots as s left join waymark.instances as i"
        " on i.id = s.instance where i.id is null or i.state in (4, 5, 6)"
    ),
    "a message waits for a run that goes on": (
        "select x.instance from waymark.inbox as x left join waymark.instances as i"
        " on i.id = x.instance where i.id is null or i.state < 4"
    ),
    "a journal has no run": (
        "select distinct j.instance from waymark.journal as j left join waymark.instances as i"
        " on i.id = j.instance where i.id is null"
    ),
}
"""What no row may say once every run has ended; a late outcome may lie in the inbox of a run that is over."""


def _of_rows(arena: Arena) -> Iterator[Finding]:
    for what, query in _NEVER.items():
        found = arena.query(query)
        if found:
            some = ", ".join(str(run) for (run,) in found[:3])
            yield Finding(BROKEN, f"{what}: {len(found)} rows, such as {some}")


def leases_settled(arena: Arena) -> bool:
    """Whether every pool holds its leases, and nobody else holds one."""
    pools = arena.live()
    if any(pool.id is None for pool in pools):
        return False
    runloops = sum(len(pool.runloops()) for pool in pools)
    ((held,),) = arena.query("select count(*) from waymark.leases where not fenced")
    return int(held) == runloops
