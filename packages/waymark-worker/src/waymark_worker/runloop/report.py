"""What a runloop tells its supervisor of itself: one JSON line each in, a typed record out."""

from __future__ import annotations

import msgspec

from waymark_schema.tables.pools import WorkerState


class RunloopReport(msgspec.Struct, frozen=True):
    """State of one runloop; counters count up from its start."""

    ready: bool
    actions: list[str]
    programs: list[int]
    workflows: list[str]
    workers: list[WorkerState]
    counters: dict[str, int]
    instances_active: int
    calls_in_flight: int
    calls_queued: int
    memory_bytes: int
    refusals: dict[int, str] = {}
    """Programs of the database that this runloop cannot run, and why."""
    failure: str = ""
    """Why starting it again cannot help; it ends after saying so."""


_decoder = msgspec.json.Decoder(RunloopReport)


def encode_report(report: RunloopReport) -> bytes:
    """One line, newline included."""
    return msgspec.json.encode(report) + b"\n"


def decode_report(line: bytes) -> RunloopReport:
    """Read one line; raises msgspec.MsgspecError when it is something else."""
    return _decoder.decode(line)
