"""A request and what happens to its run in; effects, the run's journal and its end out: one instance without a database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

from waymark.coercion import codec
from waymark.registry import registry
from waymark.requests import Outcome, RunState, StartRequest
from waymark_schema.errors import WaymarkError
from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.inputs import pack_inputs
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.tables.journal import JournalEntry
from waymark_schema.tables.settle import FinalRow, JournalRow
from waymark_schema.values.descriptors import digest as descriptor_digest
from waymark_schema.values.errors import MalformedValue
from waymark_worker.runloop import consequences, outcomes, recovery, rows
from waymark_worker.runloop.live import LiveCall, LiveInstance
from waymark_worker.runloop.locals import EntryLocals, encode_locals
from waymark_worker.runloop.programs import RunnableProgram
from waymark_worker.runloop.verdicts import Feed
from waymark_worker.testing.clock import Event, VirtualClock
from waymark_worker.testing.performing import Performer, Try
from waymark_worker.testing.records import CallRecord, RunRecord
from waymark_worker.vm.effects import Effect, StartCall
from waymark_worker.vm.entries import Entry, TimerFired
from waymark_worker.vm.limits import DEFAULT_BUDGET
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals

_STATES: dict[int, RunState] = {
    InstanceState.COMPLETED: "completed",
    InstanceState.FAILED: "failed",
    InstanceState.CANCELLED: "cancelled",
    InstanceState.QUARANTINED: "quarantined",
}
Committed = Callable[["Instance", JournalEntry | None, list[Effect]], None]


def runnable(request: StartRequest) -> RunnableProgram:
    """Link the program of a request, as a pool does with a stored one."""
    report = request.program
    linked = link(report.program, report.digest, spans=report.spans)
    return RunnableProgram(
        ProgramId(0),
        report.digest,
        report.workflow,
        report.version,
        linked,
        {entry.key: index for index, entry in enumerate(linked.program.actions)},
        tuple(descriptor_digest(entry.descriptor) for entry in linked.program.types),
    )


class Instance:
    """One run: the pool's own books of it, its journal in memory, and what a test may see."""

    def __init__(
        self,
        request: StartRequest,
        performer: Performer,
        clock: VirtualClock,
        committed: Committed | None,
    ) -> None:
        """``committed`` hears of every step: its entry (None: the first advance) and effects."""
        self.request = request
        self.performer = performer
        self.home: asyncio.AbstractEventLoop | None = None
        """The loop on which its actions run."""
        self.inputs = pack_inputs(request.inputs, request.attributes)
        self.journal: list[JournalEntry] = []
        self.tries: dict[int, Try] = {}
        self.timers: dict[int, Event] = {}
        self.retries: dict[int, Event] = {}
        self.places: dict[int, int] = {}
        """Of each call among all calls of the runtime."""
        self.calls: dict[int, CallRecord] = {}
        self.outcome: Outcome | None = None
        """How it ended; nothing happens to it afterwards."""
        self.trouble: BaseException | None = None
        """Why the test has to fail, whatever the run did."""
        self.cleaning: asyncio.Task[None] | None = None
        """Closes what lived as long as the run."""
        self._clock = clock
        self._committed = committed
        arguments = codec().decode(request.inputs)
        assert isinstance(arguments, dict)
        self.record = RunRecord(str(request.id), request.program.workflow, arguments)
        self.program = runnable(request)
        self.live: LiveInstance | None = None

    @property
    def id(self) -> UUID:
        """The run's id."""
        return self.request.id

    @property
    def state(self) -> RunState:
        """As ``Run.status`` tells it."""
        if self.outcome is not None:
            return self.outcome.state
        if self.live is None:
            return "queued"
        busy = any(call.retry_at is None for call in self.live.calls.values())
        return "running" if busy else "waiting"

    # steps --------------------------------------------------------------------------------------

    def begin(self) -> list[Effect]:
        """Run the first advance."""
        try:
            self.live = recovery.fresh(self.id, 0, self.program, self.inputs, awaited=True)
        except (ValueError, MalformedValue, LookupError) as error:  # as the claimer does
            self.quarantine(str(error))
            return []
        self.live.begun = True
        return self._advance(None, None)

    def settle(
        self, tried: Try, verdict: Feed, outcome: OutcomeKind, output: bytes
    ) -> list[Effect]:
        """Feed the outcome of a call that is over."""
        live = self._running
        row = self._row(tried, verdict.kind, outcome, verdict.payload)
        del live.calls[tried.call.number]
        self._close_record(tried.call.number, outcome, verdict.payload)
        return self._advance(verdict.entry, row, output)

    def put_off(
        self, tried: Try, outcome: OutcomeKind, payload: bytes, retry_at: float, output: bytes
    ) -> None:
        """Journal an attempt that failed; the next one starts at ``retry_at``."""
        tried.call.retry_at = retry_at
        self._print(output)
        row = self._row(tried, JournalKind.RETRY, outcome, payload)
        local = encode_locals(EntryLocals(retry_at=retry_at, output=output))
        self._commit(row._replace(local=local), [])

    def fire(self, number: int) -> list[Effect]:
        """Feed a timer that is due."""
        live = self._running
        self.timers.pop(number, None)
        del live.timers[number]
        return self._advance(TimerFired(number), rows.timer_row(live, number))

    def quarantine(self, reason: str) -> None:
        """End it here: it is damaged or our own machine failed."""
        final = FinalRow(
            self.id, 0, int(InstanceState.QUARANTINED), error=outcomes.quarantine_error(reason)
        )
        self._end(final)

    @property
    def _running(self) -> LiveInstance:
        assert self.live is not None
        return self.live

    def _row(
        self, tried: Try, kind: JournalKind, outcome: OutcomeKind, payload: bytes
    ) -> JournalRow:
        live, call = self._running, tried.call
        live.position += 1
        return JournalRow(
            live.id,
            live.position,
            int(kind),
            call.number,
            min(tried.number, rows.MOST_ATTEMPTS),
            self.program.action_index.get(call.action),
            call.arguments,
            payload,
            int(outcome),
        )

    def _advance(
        self, entry: Entry | None, row: JournalRow | None, output: bytes = b""
    ) -> list[Effect]:
        live = self._running
        fresh = FreshLocals(self._clock.now)
        try:
            effects, row = consequences.feed(live.machine, entry, row, fresh, budget=DEFAULT_BUDGET)
        except Exception as error:  # noqa: BLE001 - a defect of the machine is the run's end, as in a pool
            self.quarantine(f"the machine failed: {error!r}")
            return []
        recorded, final = consequences.read(
            live, effects, fresh, output=output, now=self._clock.now()
        )
        self._print(output)
        if recorded is not None:
            for _, text in recorded.log:
                self._echo(text)
            local = encode_locals(recorded)
            row = row._replace(local=local) if row else rows.start_row(live, local)
        for effect in effects:
            if isinstance(effect, StartCall):
                self._open_record(effect)
        self._commit(row, effects)
        if final is not None:
            live.ended = True
            self._end(final)
        return effects

    def _commit(self, row: JournalRow | None, effects: list[Effect]) -> None:
        entry = None
        if row is not None:
            entry = JournalEntry(
                InstanceId(row.instance),
                row.position,
                row.kind,
                row.call,
                row.attempt,
                row.action,
                row.outcome,
                row.outcome_kind,
                row.local,
                sys.version_info[1],
            )
            self.journal.append(entry)
        if self._committed is not None:
            self._committed(self, entry, effects)

    def _end(self, final: FinalRow) -> None:
        self.outcome = Outcome(
            id=self.id, state=_STATES[final.state], result=final.result, error=final.error
        )
        self.record.state = self.outcome.state
        if final.result is not None:
            self.record.result = codec().decode(final.result)
        if final.error is not None:
            error = codec().decode(final.error)
            self.record.error = error if isinstance(error, BaseException) else None
        for number in tuple(self.calls):
            self._close_record(number, OutcomeKind.CANCELLED, b"")

    # what a test may see --------------------------------------------------------------------------

    def _open_record(self, effect: StartCall) -> None:
        if effect.inline:
            return
        definition = registry.get(effect.action)
        name = definition.name if definition else effect.action.rpartition(":")[2]
        arguments = codec().decode(effect.arguments)
        record = CallRecord(self.record.id, effect.action, name, arguments, -1)
        self.calls[effect.call] = record
        self.record.calls.append(record)

    def _close_record(self, number: int, outcome: OutcomeKind, payload: bytes) -> None:
        record = self.calls.pop(number, None)
        if record is None:
            return
        if outcome is OutcomeKind.CANCELLED:
            record.ended = "cancelled"
            return
        value = codec().decode(payload)
        if outcome is OutcomeKind.VALUE:
            record.ended, record.result = "returned", value
        else:
            record.ended = "raised"
            record.error = value if isinstance(value, BaseException) else WaymarkError(repr(value))

    def cancelled(self, call: LiveCall) -> None:
        """Nobody waits for this call any more."""
        self._close_record(call.number, OutcomeKind.CANCELLED, b"")

    def _print(self, output: bytes) -> None:
        if output:
            lines: Any = codec().decode(output)
            self.record.log += [text for _, text, _ in lines]

    def _echo(self, text: str) -> None:
        """Keep a line that the workflow printed, and show it: nobody else would while a test runs."""
        self.record.log.append(text)
        sys.stdout.write(text + "\n")
