"""From rows to a live instance: inputs, snapshot and journal entries in, a machine at its last committed point out."""

from __future__ import annotations

from uuid import UUID

import msgspec

from waymark_schema.inputs import unpack_inputs
from waymark_schema.kinds import JournalKind, OutcomeKind
from waymark_schema.tables.instances import LoadedInstance
from waymark_schema.tables.journal import JournalEntry
from waymark_schema.tables.settle import JournalRow
from waymark_schema.values.errors import MalformedValue
from waymark_worker.runloop.live import LiveCall, LiveInstance, LiveTimer
from waymark_worker.runloop.locals import (
    CallProgress,
    EntryLocals,
    StoredSnapshot,
    decode_locals,
    decode_snapshot,
    encode_snapshot,
)
from waymark_worker.runloop.programs import RunnableProgram
from waymark_worker.vm.effects import CancelCall, CancelTimer, Effect, StartCall, StartTimer
from waymark_worker.vm.entries import CallRaised, CallReturned, Entry, TimerFired
from waymark_worker.vm.local import RecordedLocals
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.snapshot import SnapshotUnreadable

ENTRY_BYTES = 100
"""What an entry takes beside its values, in a row and in the work of feeding it."""


class Diverged(Exception):
    """The journal tells another story than the program: the instance needs a person."""


def fresh(
    instance_id: UUID, epoch: int, program: RunnableProgram, inputs: bytes, *, awaited: bool
) -> LiveInstance:
    """An instance of which nothing is committed: nobody ever ran it, or not as far as a first commit."""
    instance = LiveInstance(instance_id, epoch, program, _started(program, inputs), awaited=awaited)
    instance.begun = False
    return instance


def _started(program: RunnableProgram, inputs: bytes) -> Machine:
    start = unpack_inputs(inputs)
    return Machine.start(program.linked, inputs=start.arguments, attributes=start.attributes)


def begun(loaded: LoadedInstance, program: RunnableProgram, *, now: float, awaited: bool) -> Replay:
    """A replay that is to be fed the whole journal."""
    instance = fresh(loaded.id, loaded.epoch, program, loaded.inputs, awaited=awaited)
    instance.had_snapshot = loaded.snapshot is not None
    return Replay(instance, now)


def restored(
    loaded: LoadedInstance, program: RunnableProgram, *, now: float, awaited: bool
) -> Replay:
    """A replay that is to be fed the entries behind the snapshot, or all if there is none.

    Raises SnapshotUnreadable when the snapshot cannot be used: then it has to begin with the first entry.
    """
    if loaded.snapshot is None:
        return begun(loaded, program, now=now, awaited=awaited)
    try:
        stored = decode_snapshot(loaded.snapshot)
    except msgspec.MsgspecError as error:
        raise SnapshotUnreadable(str(error)) from error
    machine = Machine.restore(program.linked, stored.machine)
    instance = LiveInstance(loaded.id, loaded.epoch, program, machine, awaited=awaited)
    instance.position = instance.kept_at = loaded.snapshot_position or 0
    instance.kept_bytes = len(loaded.snapshot)
    instance.had_snapshot = True
    instance.told_at = stored.told_at
    _restore_progress(instance, stored, now)
    return Replay(instance, now)


def snapshot_state(instance: LiveInstance) -> bytes:
    """Everything of the instance that its journal behind this point would not tell."""
    return encode_snapshot(
        StoredSnapshot(
            instance.machine.snapshot(),
            {number: timer.due_at for number, timer in instance.timers.items()},
            {
                number: CallProgress(
                    call.failed,
                    call.deaths,
                    call.retry_at,
                    call.alone,
                    call.alone_epoch,
                    call.lone_deaths,
                    call.beside_epochs,
                )
                for number, call in instance.calls.items()
                if call.failed or call.deaths or call.alone
            },
            instance.told_at,
        )
    )


def _restore_progress(instance: LiveInstance, stored: StoredSnapshot, now: float) -> None:
    for number, start in instance.machine.pending_calls.items():
        call = instance.calls[number] = LiveCall(instance, start, now)
        progress = stored.calls.get(number)
        if progress is not None:
            call.failed, call.deaths, call.retry_at = (
                progress.failed,
                progress.deaths,
                progress.retry_at,
            )
            call.alone, call.alone_epoch = progress.alone, progress.alone_epoch
            call.lone_deaths = progress.lone_deaths
            call.beside_epochs = progress.beside_epochs
    for number in instance.machine.pending_timers:
        due_at = stored.timers.get(number)
        if due_at is None:
            raise SnapshotUnreadable(f"timer {number} of the snapshot has no due time")
        instance.timers[number] = LiveTimer(due_at)


class Replay:
    """Feeds entries in order and keeps the books of open calls and timers."""

    def __init__(self, instance: LiveInstance, now: float) -> None:
        self.instance = instance
        self._now = now

    def begin(self, recorded: EntryLocals | None = None) -> list[Effect]:
        """Run the first advance, unless it has been run. Without any entry it is the runloop's, not replay's."""
        if self.instance.begun:
            return []
        self.instance.begun = True
        return self._advance(None, recorded or EntryLocals())

    def feed(self, entry: JournalEntry) -> list[Effect]:
        """Apply one stored entry; what it made the machine ask for."""
        instance = self.instance
        if entry.position != instance.position + 1:
            raise Diverged(
                f"entry {entry.position} of the journal follows entry {instance.position}: one is missing"
            )
        instance.position = entry.position
        instance.grown += entry_size(entry)
        try:
            return self._apply(entry, JournalKind(entry.kind), decode_locals(entry.local))
        except (MalformedValue, msgspec.MsgspecError, ValueError) as error:
            raise Diverged(
                f"entry {entry.position} of the journal cannot be read: {error}"
            ) from error

    def rebuilt(self) -> LiveInstance:
        """The instance behind its last entry. Raises Diverged when its program has ended there."""
        if self.instance.machine.finished:
            raise Diverged(
                f"the program has ended at entry {self.instance.position} of the journal, but the run has not"
            )
        return self.instance

    def _apply(self, entry: JournalEntry, kind: JournalKind, recorded: EntryLocals) -> list[Effect]:
        instance = self.instance
        if kind is JournalKind.START:
            return self.begin(recorded)
        self.begin()
        if kind is JournalKind.TIMER:
            if instance.timers.pop(_number(entry), None) is None:
                raise Diverged(
                    f"entry {entry.position} fires timer {entry.call}, which the program has not started"
                )
            return self._advance(TimerFired(_number(entry)), recorded)
        if kind in (JournalKind.RETRY, JournalKind.LOST):
            self._note(self._call(entry), kind, recorded)
            return []
        if kind in (JournalKind.OUTCOME, JournalKind.TIMEOUT):
            call = self._call(entry)
            del instance.calls[call.number]
            payload = entry.outcome or b""
            fed: Entry = (
                CallReturned(call.number, payload)
                if entry.outcome_kind == OutcomeKind.VALUE
                else CallRaised(call.number, payload)
            )
            return self._advance(fed, recorded)
        raise Diverged(
            f"entry {entry.position} is of kind {kind.name}, which this version does not replay"
        )

    def _call(self, entry: JournalEntry) -> LiveCall:
        call = self.instance.calls.get(_number(entry))
        if call is None:
            raise Diverged(
                f"entry {entry.position} settles call {entry.call}, which the program has not started"
            )
        expected = self.instance.program.action_index.get(call.action)
        if entry.action != expected:
            raise Diverged(
                f"entry {entry.position} settles call {entry.call} of action number {entry.action}, "
                f"but the program calls {call.action!r} (number {expected}) there"
            )
        return call

    def _note(self, call: LiveCall, kind: JournalKind, recorded: EntryLocals) -> None:
        if kind is JournalKind.RETRY:
            call.failed += 1
            call.survived()
            call.retry_at = recorded.retry_at
        elif recorded.alone_epoch is not None:
            call.alone += 1
            call.alone_epoch = recorded.alone_epoch
        elif recorded.beside_epoch is not None:
            call.alone += 1
            call.beside_epochs += (recorded.beside_epoch,)
        else:
            call.died(alone=False)  # the journal does not tell

    def _advance(self, entry: Entry | None, recorded: EntryLocals) -> list[Effect]:
        local = RecordedLocals(recorded.values, self.instance.told_at)
        effects = self.instance.machine.advance(entry, local, replay=True)
        self.instance.told_at = local.told_at
        mismatch = local.mismatch()
        if mismatch is not None:
            raise Diverged(mismatch)
        for effect in effects:
            self._keep(effect, recorded)
        return effects

    def _keep(self, effect: Effect, recorded: EntryLocals) -> None:
        instance = self.instance
        if isinstance(effect, StartCall):
            instance.calls[effect.call] = LiveCall(instance, effect, self._now)
        elif isinstance(effect, StartTimer):
            due_at = recorded.timers.get(effect.timer)
            if due_at is None:
                raise Diverged(
                    f"the program starts timer {effect.timer} where the journal has none"
                )
            instance.timers[effect.timer] = LiveTimer(due_at)
        elif isinstance(effect, CancelCall):
            instance.calls.pop(effect.call, None)
        elif isinstance(effect, CancelTimer):
            instance.timers.pop(effect.timer, None)


def entry_size(entry: JournalEntry | JournalRow) -> int:
    """About how many bytes a replay reads of an entry."""
    return ENTRY_BYTES + len(entry.outcome or b"") + len(entry.local or b"")


def _number(entry: JournalEntry) -> int:
    return -1 if entry.call is None else entry.call
