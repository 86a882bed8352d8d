"""One run's rows and the time in, its page out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.recorded import EntryLocals, decode_locals
from waymark_schema.reports.run import EntryLine, FlyingLine, RunDetail
from waymark_schema.reports.workers import UnservedLine
from waymark_schema.values import render
from waymark_schema.values.errors import MalformedValue
from waymark_web.paging import address
from waymark_web.views.states import (
    Badge,
    Tone,
    is_finished,
    kind_title,
    outcome_badge,
    state_badge,
)
from waymark_web.views.values import FaultView, Inputs, Shown, fault, headline, inputs, shown
from waymark_web.views.words import Moment, ago, between, clean, duration, moment, shortened
from waymark_web.views.worker_list import unserved_advice

_CALLS = frozenset({JournalKind.OUTCOME, JournalKind.RETRY, JournalKind.TIMEOUT, JournalKind.LOST})
_LOG_LINES = 200
_LOG_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what is known under it; `at` instead of `text` for a moment, `url` for a link."""

    name: str
    text: str = ""
    at: Moment | None = None
    url: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that the workflow or an attempt printed or logged; `at` is its time of day, if it is known."""

    level: str
    text: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of the journal: an attempt of a call, or something else that moved the run on."""

    position: int
    title: str
    module: str
    which: str
    badge: Badge | None
    inputs: Shown | None
    outcome: Shown | None
    fault: FaultView | None
    headline: str
    started: Moment | None
    took: str
    waited: str
    worker: str
    notes: tuple[str, ...]
    log: tuple[LogLine, ...]
    output: tuple[LogLine, ...]
    """What the attempt printed and logged."""
    lines: str
    """How many lines that are."""


@dataclass(frozen=True, slots=True)
class FlyingView:
    """A call that runs right now."""

    title: str
    module: str
    which: str
    inputs: Shown | None
    running_for: str
    worker: str
    key: str


@dataclass(frozen=True, slots=True)
class RunView:
    """The whole page; it refreshes itself while `live`."""

    id: str
    url: str
    workflow: str
    badge: Badge
    live: bool
    facts: list[Fact]
    inputs: Inputs
    result: Shown | None
    fault: FaultView | None
    flying: list[FlyingView]
    entries: list[EntryView]
    total: int
    earlier: str | None
    latest: str | None
    waits_for: str

    @property
    def title(self) -> str:
        """What the browser's tab says: the state first, because tabs are short."""
        return f"{self.badge.label} · {self.workflow}"


def run_page(
    detail: RunDetail,
    entries: Sequence[EntryLine],
    flying: Sequence[FlyingLine],
    *,
    before: int | None,
    now: datetime,
    unserved: Sequence[UnservedLine] = (),
) -> RunView:
    """Put the page of one run together; `entries` are in order, those before `before` if it is given.

    `unserved` are the programs whose runs no pool can take.
    """
    url = f"/runs/{detail.id}"
    finished = is_finished(detail.state)
    more = bool(entries) and entries[0].position > 1
    return RunView(
        id=str(detail.id),
        url=address(url, {"before": None if before is None else str(before)}),
        workflow=clean(detail.workflow or "(its program is gone)"),
        badge=state_badge(detail.state),
        live=not finished,
        facts=_facts(detail, now),
        inputs=inputs(detail.inputs, detail.inputs_size),
        result=shown(detail.result, detail.result_size),
        fault=fault(detail.error, detail.error_size),
        flying=[_flying(line) for line in flying],
        entries=[_entry(line, now) for line in entries],
        total=detail.position,
        earlier=address(url, {"before": str(entries[0].position)}) if more else None,
        latest=url if before is not None else None,
        waits_for=_unserved(detail, unserved) or _waits_for(detail, flying=bool(flying), now=now),
    )


def _facts(detail: RunDetail, now: datetime) -> list[Fact]:
    finished = is_finished(detail.state)
    took = between(detail.started_at, detail.finished_at if finished else now)
    facts = [
        Fact(
            "Version",
            clean(shortened(detail.version or "unknown")),
            hint=clean(detail.version or ""),
        ),
        Fact("Created", at=moment(detail.created_at), hint=ago(detail.created_at, now)),
        Fact("Started", at=moment(detail.started_at)),
        Fact("Finished", at=moment(detail.finished_at)),
        Fact("Duration", duration(took)),
        Fact("Before it started", duration(between(detail.created_at, detail.started_at))),
        Fact("Entries", f"{detail.position:,}" if detail.position else ""),
        Fact("Priority", str(detail.priority) if detail.priority else ""),
        Fact("Held by", clean(f"{detail.host}, process {detail.pid}") if detail.host else ""),
        Fact(
            "Taken over",
            f"from a pool that died, {detail.recoveries} in a row" if detail.recoveries else "",
        ),
        Fact("Unread messages", str(detail.unread) if detail.unread else ""),
        Fact(
            "Parent",
            str(detail.parent or ""),
            url=f"/runs/{detail.parent}" if detail.parent else "",
        ),
        Fact("Schedule", "" if detail.schedule is None else str(detail.schedule)),
        Fact("Idempotency key", clean(detail.idempotency_key or "")),
    ]
    return [fact for fact in facts if fact.text or fact.at]


def _unserved(detail: RunDetail, unserved: Sequence[UnservedLine]) -> str:
    if detail.state != InstanceState.QUEUED:
        return ""
    found = (line for line in unserved if line.id == detail.program)
    return next((f"Queued: {_lower_first(unserved_advice(line))}" for line in found), "")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _waits_for(detail: RunDetail, *, flying: bool, now: datetime) -> str:
    due = _when(detail.wake_at, now)
    told = {
        InstanceState.QUEUED: "Queued: the next pool with room that knows its workflow and actions takes it.",
        InstanceState.DELAYED: f"Delayed: it starts {due}.",
        InstanceState.WAITING: f"Waiting: it goes on {due}."
        if due
        else "Waiting for an event, a child or a message.",
        InstanceState.RUNNING: ""
        if flying
        else "Running: a pool holds it. Calls show up here once they have run for a moment.",
        InstanceState.QUARANTINED: "Stopped until a person decides: the error below says why.",
    }
    return {int(state): text for state, text in told.items()}.get(detail.state, "")


def _when(at: datetime | None, now: datetime) -> str:
    exact = moment(at)
    if at is None or exact is None:
        return ""
    return f"{ago(at, now) if at > now else 'now'} ({exact.shown} UTC)"


def _entry(line: EntryLine, now: datetime) -> EntryView:
    recorded, unreadable = _recorded(line)
    output, count = _output(recorded.output)
    is_call = line.kind in _CALLS
    raised = is_call and line.outcome_kind not in (None, OutcomeKind.VALUE)
    error = fault(line.outcome, line.outcome_size) if raised else None
    title, module = _action(line.action) if is_call and line.action else (kind_title(line.kind), "")
    return EntryView(
        position=line.position,
        title=title,
        module=module,
        which=_which(line.call, line.attempt) if is_call else "",
        badge=_badge(line),
        inputs=shown(line.inputs, line.inputs_size),
        outcome=None if raised else shown(line.outcome, line.outcome_size),
        fault=error,
        headline=headline(error) if error else "",
        started=moment(line.started_at),
        took=duration(between(line.started_at, line.finished_at)),
        waited=duration(between(line.queued_at, line.started_at)),
        worker="" if line.worker is None else f"worker {line.worker}",
        notes=(*_notes(recorded, now), *unreadable),
        log=tuple(
            LogLine(clean(level), clean(text[:_LOG_TEXT]))
            for level, text in recorded.log[:_LOG_LINES]
        ),
        output=output,
        lines="1 line" if count == 1 else f"{count:,} lines",
    )


def _badge(line: EntryLine) -> Badge | None:
    if line.kind == JournalKind.LOST:
        return outcome_badge(OutcomeKind.LOST)
    if line.kind == JournalKind.RETRY and line.outcome_kind == OutcomeKind.ERROR:
        return Badge("raised, retried", Tone.WARN.value)
    if line.kind == JournalKind.RETRY and line.outcome_kind == OutcomeKind.TIMEOUT:
        return Badge("timed out, retried", Tone.WARN.value)
    return outcome_badge(line.outcome_kind)


def _recorded(line: EntryLine) -> tuple[EntryLocals, tuple[str, ...]]:
    try:
        return decode_locals(line.local), ()
    except msgspec.MsgspecError:
        return EntryLocals(), ("What was recorded beside this entry cannot be read.",)


def _output(data: bytes) -> tuple[tuple[LogLine, ...], int]:
    """Lines of an attempt, the last ones where there are too many; how many there are in all."""
    if not data:
        return (), 0
    try:
        written = render.read(data)
    except MalformedValue:
        return (LogLine("", "What the attempt printed cannot be read."),), 1
    lines = [line for line in written if len(line) == len(("level", "text", "at"))]
    shown_lines = [
        LogLine(clean(str(level)), clean(str(text)[:_LOG_TEXT]), _time_of_day(at))
        for level, text, at in lines[-_LOG_LINES:]
    ]
    if len(lines) > _LOG_LINES:
        shown_lines.insert(0, LogLine("", f"… {len(lines) - _LOG_LINES:,} lines before these"))
    return tuple(shown_lines), len(lines)


def _time_of_day(seconds: object) -> str:
    try:
        at = datetime.fromtimestamp(float(seconds), UTC)  # type: ignore[arg-type] # what it is, is seen by trying
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def _notes(recorded: EntryLocals, now: datetime) -> list[str]:
    notes = []
    if recorded.retry_at is not None:
        notes.append(_due("next attempt", recorded.retry_at, now))
    notes += [_due("sleeps until", due, now) for _, due in sorted(recorded.timers.items())]
    return notes


def _due(what: str, seconds: float, now: datetime) -> str:
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{what} {seconds!r}"
    exact = moment(at)
    later = f" ({ago(at, now)})" if at > now else ""
    return f"{what} {exact.shown if exact else ''}{later}"


def _flying(line: FlyingLine) -> FlyingView:
    title, module = _action(line.action)
    return FlyingView(
        title=title,
        module=module,
        which=_which(line.call, line.attempt),
        inputs=shown(line.inputs, line.inputs_size),
        running_for=duration(line.running_for),
        worker=", ".join(
            part
            for part in (
                "" if line.worker is None else f"worker {line.worker}",
                clean(f"on {line.host}") if line.host else "",
            )
            if part
        ),
        key=f"{line.call}-{line.attempt}",
    )


def _action(key: str) -> tuple[str, str]:
    """The name of an action and the module it comes from."""
    module, _, name = key.rpartition(":")
    return clean(name or "(an action that its program does not name)"), clean(module)


def _which(call: int | None, attempt: int | None) -> str:
    parts = [] if call is None else [f"call {call}"]
    if attempt is not None and attempt > 1:
        parts.append(f"attempt {attempt}")
    return ", ".join(parts)
