"""A machine comes in, its bytes go out, and back; whatever cannot be read is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedProgram
    from waymark_worker.vm.machine import Machine


class SnapshotUnreadable(Exception):  # noqa: N818 - says what is the matter; the journal is replayed instead
    """These bytes are no snapshot that this machine can go on with."""


def write_snapshot(machine: Machine) -> bytes:
    """Everything of ``machine``; it must be idle."""
    raise NotImplementedError


def read_snapshot(linked: LinkedProgram, snapshot: bytes) -> Machine:
    """Make the machine that the snapshot was taken of."""
    raise SnapshotUnreadable("snapshots are not written yet")
