"""Rows of pools, their samples and what they know, and the time in, the workers page out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from waymark_schema.reports.workers import KnownLine, PoolLine, SampleLine, UnservedLine
from waymark_schema.tables.pools import WorkerState
from waymark_web.views.states import Badge, Tone
from waymark_web.views.words import Moment, ago, clean, duration, moment, number, shortened, size

SAMPLED = timedelta(minutes=2)
"""Rates are taken over the samples of this long."""

UNSERVED_MOST = 1_000
_SILENT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker process."""

    number: int
    pid: int
    badge: Badge
    calls: int
    action: str
    completed: str
    failed: str
    memory: str


@dataclass(frozen=True, slots=True)
class PoolView:
    """One pool with its workers and what they know."""

    id: int
    title: str
    badge: Badge
    started: Moment | None
    seen: str
    versions: str
    figures: list[Figure]
    workers: list[WorkerRow]
    actions: list[str]
    workflows: list[str]
    problem: str


@dataclass(frozen=True, slots=True)
class UnservedView:
    """Runs that nobody can run, and what to do about it."""

    workflow: str
    version: str
    queued: str
    advice: str


@dataclass(frozen=True, slots=True)
class WorkersView:
    """The whole page."""

    pools: list[PoolView]
    unserved: list[UnservedView]
    alive: int
    title: str = "Workers"


def workers_page(
    pools: Sequence[PoolLine],
    samples: Sequence[SampleLine],
    known: Sequence[KnownLine],
    unserved: Sequence[UnservedLine],
    *,
    now: datetime,
) -> WorkersView:
    """Put the workers page together; living pools come first."""
    ordered = sorted(pools, key=lambda pool: not pool.alive)
    return WorkersView(
        pools=[
            _pool(
                pool,
                [sample for sample in samples if sample.pool == pool.id],
                [line for line in known if line.pool == pool.id],
                now,
            )
            for pool in ordered
        ],
        unserved=[_unserved(line) for line in unserved],
        alive=sum(pool.alive for pool in pools),
    )


def actions_per_second(samples: Sequence[SampleLine]) -> float | None:
    """Settled attempts a second between the first and the last sample; None with fewer than two.

    A pool that restarts its runloops may count from zero again: what a counter lost is no rate.
    """
    if len(samples) < 2:  # noqa: PLR2004 - a rate needs two points
        return None
    seconds = (samples[-1].sampled_at - samples[0].sampled_at).total_seconds()
    done = [sample.actions_completed + sample.actions_failed for sample in samples]
    risen = sum(max(0, b - a) for a, b in pairwise(done))
    return risen / seconds if seconds > 0 else None


def _pool(
    pool: PoolLine, samples: Sequence[SampleLine], known: Sequence[KnownLine], now: datetime
) -> PoolView:
    # What a pool reported last is no longer so once it has ended.
    lives = pool.alive and pool.stopped_at is None
    workers, problem = _workers(pool) if lives else ([], "")
    return PoolView(
        id=pool.id,
        title=clean(f"{pool.host}, process {pool.pid}"),
        badge=_badge(pool, now),
        started=moment(pool.started_at),
        seen=ago(pool.seen_at, now),
        versions=clean(f"Waymark {pool.version}, Python {pool.python}"),
        figures=_figures(pool, samples) if lives else _left_behind(pool),
        workers=workers,
        actions=[clean(action) for action in sorted(pool.actions)] if lives else [],
        workflows=[clean(f"{line.workflow} {shortened(line.version)}") for line in known]
        if lives
        else [],
        problem=problem,
    )


def _badge(pool: PoolLine, now: datetime) -> Badge:
    if pool.stopped_at is not None:
        return Badge("stopped", Tone.QUIET.value)
    if not pool.alive:
        return Badge("gone", Tone.BAD.value)
    if now - pool.seen_at > _SILENT:
        return Badge("alive, reports late", Tone.WARN.value)
    return Badge("alive", Tone.GOOD.value)


def _left_behind(pool: PoolLine) -> list[Figure]:
    return [Figure("runs to be taken over", number(pool.held))] if pool.held else []


def _figures(pool: PoolLine, samples: Sequence[SampleLine]) -> list[Figure]:
    figures = [Figure("runs held", number(pool.held)), Figure("runloops", number(pool.leases))]
    rate = actions_per_second(samples)
    if rate is not None:
        figures += [
            Figure("actions/s", f"{rate:,.1f}"),
            Figure("actions/min", f"{rate * 60:,.0f}"),
        ]
    if samples:
        last = samples[-1]
        figures += [
            Figure("calls in flight", number(last.calls_in_flight)),
            Figure("calls queued", number(last.calls_queued)),
            Figure("runs in memory", number(last.instances_active)),
            Figure("memory", size(last.memory_bytes)),
            Figure("failed attempts", number(last.actions_failed)),
        ]
        if last.queue_latency_ms is not None:
            waited = timedelta(milliseconds=last.queue_latency_ms)
            figures.append(Figure("queue latency", duration(waited)))
    return figures


def _workers(pool: PoolLine) -> tuple[list[WorkerRow], str]:
    try:
        states = pool.workers
    except msgspec.MsgspecError:
        return (
            [],
            "Its workers are reported in a form that this version cannot read: upgrade waymark-web.",
        )
    return [_worker(state) for state in sorted(states, key=lambda state: state.number)], ""


_WORKER_TONES = {
    "ready": Tone.GOOD,
    "starting": Tone.WARN,
    "draining": Tone.WARN,
}


def _worker(state: WorkerState) -> WorkerRow:
    return WorkerRow(
        number=state.number,
        pid=state.pid,
        badge=Badge(clean(state.state), _WORKER_TONES.get(state.state, Tone.QUIET).value),
        calls=state.calls,
        action=clean(state.action.rpartition(":")[2]),
        completed=number(state.completed),
        failed=number(state.failed),
        memory=size(state.memory_bytes) if state.memory_bytes else "",
    )


def _unserved(line: UnservedLine) -> UnservedView:
    return UnservedView(
        workflow=clean(line.workflow),
        version=clean(shortened(line.version)),
        queued=number(line.queued, most=UNSERVED_MOST),
        advice=unserved_advice(line),
    )


def unserved_advice(line: UnservedLine) -> str:
    """Why no pool that lives takes runs of a program, and what would help."""
    if line.unknown_actions:
        names = ", ".join(sorted(line.unknown_actions))
        return clean(f"No living pool knows {names}. Start one whose WAYMARK_USER_MODULE has it.")
    return (
        "No living pool that knows one of its actions can read its program. Upgrade the pools, or start"
        " one of today's version with its modules."
    )
