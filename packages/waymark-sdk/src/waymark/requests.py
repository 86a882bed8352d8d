"""What a caller asks for in, and how it ended out: a request to start one run, and the outcome of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from waymark_schema.wire.frames import ProgramReport

RunState = Literal[
    "queued", "running", "waiting", "completed", "failed", "cancelled", "quarantined"
]
FINAL_STATES: frozenset[RunState] = frozenset(("completed", "failed", "cancelled"))
"""States that a run never leaves. A quarantined run waits for a person, its callers with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """One run to queue. Sending it twice starts it once, because the client makes the id."""

    id: UUID
    """UUIDv7."""
    program: ProgramReport
    """What runs: name, version, digest, and all that is needed to register an unknown digest."""
    inputs: bytes
    """Durable wire form of the dict of ``run()``'s bound arguments by name."""
    attributes: bytes
    """Durable wire form of ``vars(self)``."""
    priority: int = 0
    awaited: bool = True
    """Somebody will wait for it: the pool notifies when it ends. False costs waiters some polling."""
    delay: timedelta | None = None
    start_at: datetime | None = None
    """Aware. At most one of ``delay`` and ``start_at`` is set."""
    idempotency_key: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def stored_key(self) -> str | None:
        """The idempotency key as the database has it: the workflow's own, whatever either name holds."""
        if self.idempotency_key is None:
            return None
        owner = self.program.workflow.replace("\\", "\\\\").replace(":", "\\:")
        return f"{owner}:{self.idempotency_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: ``result`` is durable bytes when completed, ``error`` when failed."""

    id: UUID
    state: RunState
    result: bytes | None = None
    error: bytes | None = None


_decoder = msgspec.msgpack.Decoder(StartRequest)


def pack(request: StartRequest) -> bytes:
    """Return the request as bytes, the program that it runs included."""
    return msgspec.msgpack.encode(request)


def unpack(payload: bytes) -> StartRequest:
    """Read what ``pack`` made; raises ``ValueError`` when it is something else."""
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        msg = f"{payload[:20]!r}… is no serialised run; expected W.call(…).payload: {error}"
        raise ValueError(msg) from error
