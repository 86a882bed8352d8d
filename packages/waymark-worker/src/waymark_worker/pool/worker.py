"""One worker as the pool sees it: its process, its channel, what it runs."""

from __future__ import annotations

import signal
from typing import Any

from waymark_schema.wire.frames import CallStart, Hello, KnownTypes
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.channel import Channel
from waymark_worker.pool.process import ChildProcess
from waymark_worker.pool.watching import WatchChannel


class Worker:
    """Mutable record of one live worker process."""

    __slots__ = (
        "_known",
        "blocked_at",
        "blocked_by",
        "channel",
        "draining",
        "hello",
        "in_flight",
        "number",
        "process",
        "ready",
        "ready_at",
        "replaced",
        "resident_bytes",
        "silent_seconds",
        "started_count",
        "stuck_since",
        "token",
        "told_seconds",
        "watch",
        "why",
        "worked",
    )

    def __init__(self, number: int, process: ChildProcess, token: str, channel: Channel) -> None:
        self.number = number
        """Counts up over the life of the pool; the journal names it."""
        self.process = process
        self.token = token
        self.channel = channel
        self.hello: Hello | None = None
        self.ready = False
        self.draining = False
        self.replaced = False
        self.in_flight: dict[int, Attempt[Any]] = {}
        self.started_count = 0
        self.worked = False
        """It has ended a call."""
        self.silent_seconds = 0.0
        """Since its last tick, as far as this process was awake to see it."""
        self.blocked_at: float | None = None
        """Loop time since when its event loop has not moved; None while it does."""
        self.blocked_by: Attempt[Any] | None = None
        """What keeps it, if that is known."""
        self.told_seconds = 0.0
        """How long it had stood still when that was last told."""
        self.why = ""
        """Why it was killed, if it was."""
        self.watch: WatchChannel[Worker]
        """Its second socket."""
        self.ready_at = 0.0
        """Loop time of its hello; 0.0 before."""
        self.stuck_since: float | None = None
        """Loop time since when it says that more runs in it than was sent there."""
        self.resident_bytes = 0
        self._known: dict[bytes, int] = {}

    @property
    def takes_calls(self) -> bool:
        """Whether new calls may be sent to it."""
        return self.ready and not self.draining

    @property
    def state(self) -> str:
        """One word for people."""
        if self.blocked_at is not None:
            return "blocked"
        return "draining" if self.draining else "ready" if self.ready else "starting"

    def start(
        self, attempt: Attempt[Any], *, ticket: int, types: tuple[bytes, ...], now: float
    ) -> None:
        """Send one attempt, introducing the types of its program when it is the first of that program."""
        program = self._known.get(attempt.program)
        if program is None:
            program = self._known[attempt.program] = len(self._known)
            self.channel.know_types(KnownTypes(program, list(types)))
        attempt.worker_number = self.number
        attempt.runs = True
        attempt.ticket = ticket
        attempt.started_at = now
        self.in_flight[ticket] = attempt
        self.started_count += 1
        self.channel.start(
            CallStart(
                ticket,
                attempt.action,
                attempt.arguments,
                attempt.instance,
                attempt.call,
                attempt.number,
                attempt.timeout,
                program,
            )
        )

    def end(self, ticket: int) -> Attempt[Any] | None:
        """Forget the attempt of a ticket; None if there is none."""
        attempt = self.in_flight.pop(ticket, None)
        if attempt is not None:
            attempt.runs = False
        return attempt

    def kill(self) -> None:
        """End the process at once; its attempts come back as lost."""
        self.process.send(signal.SIGKILL)
