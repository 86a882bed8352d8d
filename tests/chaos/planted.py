"""Pools under test in, pools with one wrong rule out: bugs that the oracle must find (`Setting.patches`)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import msgspec

from waymark_schema.database.statement import Statement
from waymark_schema.tables import instances, journal, settle
from waymark_schema.wire.frames import CallStart
from waymark_worker import wakes
from waymark_worker.journal import Change, Committer
from waymark_worker.pool.channel import Channel


def write_without_the_fence() -> None:
    """A commit neither asks whether the lease is fenced nor whether it owns what it writes."""
    settle.SETTLE = _unguarded(settle.SETTLE)
    settle.SETTLE_NARROW = _unguarded(settle.SETTLE_NARROW)


def _unguarded(statement: Statement[Any]) -> Statement[Any]:
    text = _without(r"and not fenced", statement.text)
    text = _without(r"and i\.epoch = t\.epoch and \(i\.owner = \$\d+(::bigint)?\) is true", text)
    return replace(statement, text=text)


def acknowledge_before_the_commit() -> None:
    """What a commit says is taken as said, and calls are dispatched, before it is sent."""

    async def commit(self: Any, changes: list[Change]) -> None:
        wanted = [change for change in changes if self._wanted(change)]
        self._committed(wanted)
        await self._settle(wanted)

    Committer._commit = commit  # type: ignore[method-assign] # the bug


def dispatch_an_attempt_twice() -> None:
    """Of sixteen attempts one is sent to its worker a second time, under a ticket that nobody waits for."""
    send = Channel.start

    def send_twice(self: Channel, start: CallStart) -> None:
        if start.ticket % 16 == 0:
            send(self, msgspec.structs.replace(start, ticket=-start.ticket))
        send(self, start)

    Channel.start = send_twice  # type: ignore[method-assign] # the bug


def lose_a_wake_up() -> None:
    """Of sixteen runs that sleep one is never woken."""
    woken = _with(
        r"(and i\.wake_at <= statement_timestamp\(\))", r"\1 and i.id::text not like '%7'"
    )
    instances.WAKE_DUE = replace(instances.WAKE_DUE, text=woken(instances.WAKE_DUE.text))


def begin_a_committed_step_again() -> None:
    """A run that is taken over forgets the last outcome of its journal."""
    behind = "exists (select from {schema}.journal as n where n.instance = j.instance and n.position > j.position)"
    forgetful = _with(r"(and j\.position > t\.after)", rf"\1 and (j.kind <> 1 or {behind})")
    journal.TAIL = replace(journal.TAIL, text=forgetful(journal.TAIL.text))


def leave_the_runs_of_the_dead() -> None:
    """Nobody queues what a fenced lease holds."""

    async def release_orphans(*_: Any, **__: Any) -> int:
        return 0

    wakes.release_orphans = release_orphans


def _without(pattern: str, text: str) -> Any:
    return _with(pattern, "")(text)


def _with(pattern: str, made: str) -> Any:
    """A replacement that must happen exactly once: a bug that is not planted proves nothing."""

    def change(text: str) -> str:
        changed, count = re.subn(pattern, made, text)
        if count != 1:
            msg = f"expected {pattern!r} once, found it {count} times in:\n{text}"
            raise AssertionError(msg)
        return changed

    return change
