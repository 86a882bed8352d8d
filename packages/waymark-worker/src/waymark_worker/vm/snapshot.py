"""A machine that only waits comes in, its bytes go out, and back; whatever cannot be read is refused."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

from waymark_worker.vm.scheduling import Future, Task
from waymark_worker.vm.snapshot_reader import GraphReader
from waymark_worker.vm.snapshot_writer import GraphWriter

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

LAYOUT = 2
"""How a snapshot is written; 2 knows more records than 1, which is read as it is."""
READ = frozenset({1, LAYOUT})


class SnapshotUnreadable(Exception):
    """These bytes are no snapshot that this machine can go on with."""


class SnapshotRefused(Exception):
    """The state holds something that has no stored form, or the machine does not stand still."""


class _Snapshot(msgspec.Struct, array_like=True, tag="waymark-snapshot"):
    layout: int
    format: int
    semantics: int
    minor: int
    digest: bytes
    counters: list[int]
    roots: list[Any]
    nodes: list[list[Any]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Snapshot).decode


def write_snapshot(machine: Machine) -> bytes:
    """Everything of ``machine``; raises ``SnapshotRefused``."""
    if not machine.idle or machine.finished:
        msg = "a snapshot is taken while the machine only waits for entries; feed it, or wait for its inline step"
        raise SnapshotRefused(msg)
    for careful in (False, True):
        writer = GraphWriter(machine.linked, careful=careful)
        roots = writer.values(
            [
                machine.root,
                list(machine.tasks),
                list(machine.calls.values()),
                list(machine.timers.values()),
                machine.globals,
            ]
        )
        try:
            writer.finish()
            counters = [
                machine.next_call,
                machine.next_timer,
                machine.phase,
                int(machine.cancel_asked),
            ]
            return _encode(
                _Snapshot(
                    LAYOUT,
                    machine.linked.program.format,
                    machine.linked.program.semantics,
                    sys.version_info[1],
                    machine.linked.digest,
                    counters,
                    roots,
                    writer.nodes,
                )
            )
        except UnicodeEncodeError:
            if careful:
                raise
        except TypeError as error:
            raise SnapshotRefused(str(error)) from error
    msg = "unreachable: the second pass returns or raises"
    raise AssertionError(msg)


def read_snapshot(machine: Machine, snapshot: bytes) -> None:
    """Make a new machine the one that the snapshot was taken of; raises ``SnapshotUnreadable``."""
    try:
        _read(machine, _decode(snapshot))
    except SnapshotUnreadable:
        raise
    except Exception as error:
        msg = f"the snapshot cannot be read: {type(error).__name__}: {error}"
        raise SnapshotUnreadable(msg) from error


def _read(machine: Machine, stored: _Snapshot) -> None:
    linked = machine.linked
    header = (stored.format, stored.semantics, stored.minor, stored.digest)
    program = linked.program
    expected = (program.format, program.semantics, sys.version_info[1], linked.digest)
    if stored.layout not in READ:
        msg = f"the snapshot has layout {stored.layout}; this machine reads {sorted(READ)}"
        raise SnapshotUnreadable(msg)
    if header != expected:
        msg = f"the snapshot was written as {header!r}; this machine reads {expected!r}"
        raise SnapshotUnreadable(msg)
    root, tasks, calls, timers, globals_ = GraphReader(linked, stored.nodes).read(stored.roots)
    machine.next_call, machine.next_timer, machine.phase, asked = stored.counters
    machine.cancel_asked = bool(asked)
    _check(isinstance(root, Task), "its root is no task")
    machine.root = root
    for task in tasks:
        _check(isinstance(task, Task), "one of its tasks is something else")
        machine.tasks[task] = None
        machine.decimals = machine.decimals or task.decimal is not None
    for future in calls:
        _check(
            isinstance(future, Future) and future.effect is not None,
            "one of its calls is something else",
        )
        machine.calls[future.effect.call] = future
    for future in timers:
        _check(
            isinstance(future, Future) and future.effect is not None,
            "one of its timers is something else",
        )
        machine.timers[future.effect.timer] = future
    _check(isinstance(globals_, dict), "its captured values are no dict")
    machine.globals = globals_


def _check(fits: bool, what: str) -> None:  # noqa: FBT001 - the condition is the point
    if not fits:
        raise SnapshotUnreadable(f"the snapshot cannot be read: {what}")
