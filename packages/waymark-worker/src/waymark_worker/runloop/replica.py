"""A run up to one entry of its journal, on standard input; what a recovered machine then asks for, on standard output."""

from __future__ import annotations

import sys
from typing import BinaryIO
from uuid import UUID

import msgspec

from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.kinds import JournalKind
from waymark_schema.tables.instances import LoadedInstance
from waymark_schema.tables.journal import JournalEntry
from waymark_worker.clock import moment
from waymark_worker.runloop import recovery
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.programs import RunnableProgram
from waymark_worker.vm.effects import Effect
from waymark_worker.vm.link import link
from waymark_worker.vm.snapshot import SnapshotRefused

LENGTH = 8


class Step(msgspec.Struct, frozen=True, array_like=True):
    """Everything that is stored of a run when its process dies, right after a commit."""

    instance: UUID
    digest: bytes
    program: bytes
    actions: list[str]
    inputs: bytes
    """As the column keeps them."""
    entries: list[JournalEntry]
    """All of them; empty: only the first advance has been run."""
    snapshot: bytes | None
    """Taken before the last entry, as the column keeps it."""
    spans: bytes = b""
    """Lines of the program, for the tracebacks of errors."""


class Recovered(msgspec.Struct, frozen=True, array_like=True):
    """What the last step asks for in a machine recovered in front of it, and the snapshot behind it."""

    by_journal: list[Effect] = []
    by_snapshot: list[Effect] | None = None
    snapshot: bytes | None = None
    trouble: str = ""
    """Why it could not be recovered."""
    word_hash: int = 0
    """``hash("waymark")`` in the process that recovered it: another one for each hash seed."""


_encoder = msgspec.msgpack.Encoder()
_steps = msgspec.msgpack.Decoder(Step)
_answers = msgspec.msgpack.Decoder(Recovered)


def recover(step: Step) -> Recovered:
    """Rebuild the run by its journal and by its snapshot, and do its last step in each."""
    try:
        return _recover(step)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return Recovered(trouble=f"{type(error).__name__}: {error}")


def _recover(step: Step) -> Recovered:
    program = RunnableProgram(
        ProgramId(0),
        step.digest,
        "",
        "",
        link(step.program, step.digest, spans=step.spans),
        {key: index for index, key in enumerate(step.actions)},
        (),
    )
    replayed = recovery.fresh(InstanceId(step.instance), 0, program, step.inputs, awaited=False)
    replay = recovery.Replay(replayed, 0.0)
    started = bool(step.entries) and step.entries[0].kind == JournalKind.START
    by_journal = [] if started else replay.begin()
    for entry in step.entries:
        by_journal = replay.feed(entry)
    if step.snapshot is None or not step.entries:
        return Recovered(by_journal, None, _snapshot(replayed))
    restored = recovery.restored(_loaded(step), program, now=0.0, awaited=False)
    restored.rebuilt()
    by_snapshot = restored.feed(step.entries[-1])
    return Recovered(by_journal, by_snapshot, _snapshot(restored.instance))


def _loaded(step: Step) -> LoadedInstance:
    return LoadedInstance(
        id=InstanceId(step.instance),
        epoch=0,
        program=ProgramId(0),
        inputs=step.inputs,
        priority=0,
        recoveries=0,
        created_at=moment(0.0),
        snapshot_position=step.entries[-1].position - 1,
        snapshot_python_minor=sys.version_info[1],
        snapshot=step.snapshot,
    )


def _snapshot(instance: LiveInstance) -> bytes | None:
    if instance.machine.finished or not instance.machine.idle:
        return None
    try:
        return recovery.snapshot_state(instance)
    except SnapshotRefused:
        return None  # a pool goes by the journal then, too


# frames ------------------------------------------------------------------------------------------


def send(stream: BinaryIO, frame: Step | Recovered) -> None:
    """Write one frame behind its length."""
    body = _encoder.encode(frame)
    stream.write(len(body).to_bytes(LENGTH, "little") + body)
    stream.flush()


def receive_answer(stream: BinaryIO) -> Recovered:
    """Read one answer; raises EOFError when the other side has ended."""
    body = _body(stream)
    if body is None:
        raise EOFError
    return _answers.decode(body)


def _body(stream: BinaryIO) -> bytes | None:
    head = stream.read(LENGTH)
    if len(head) < LENGTH:
        return None
    return stream.read(int.from_bytes(head, "little"))


def main() -> None:
    """Answer steps until there are no more."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while (body := _body(source)) is not None:
        found = recover(_steps.decode(body))
        send(sink, msgspec.structs.replace(found, word_hash=hash("waymark")))


if __name__ == "__main__":
    main()
