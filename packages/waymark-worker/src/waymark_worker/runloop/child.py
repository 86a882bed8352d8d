"""A runloop as its supervisor sees it: a share of the workers in; a process, its page and its reports out."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from uuid import UUID

import msgspec

from waymark_schema.ids import LeaseId
from waymark_worker.board import Board, create_page
from waymark_worker.pool.process import ChildProcess, start_process
from waymark_worker.runloop.report import RunloopReport, decode_report
from waymark_worker.telemetry import log

LONGEST_REPORT = 64 * 1024 * 1024
"""Bytes; one names every worker, and every program that it refuses with the reason."""
LOOK_SECONDS = 1.0
"""The most that one look adds to what was seen: after a time in which everything stood still, the runloop is about to move."""


class RunloopChild:
    """Owns one runloop process and what is shared with it; the lease is registered by the supervisor."""

    def __init__(self, *, application: str, workers: int, session_features: bool) -> None:
        self.application = application
        self.workers = workers
        self._features = session_features
        self._fd = create_page()
        self.board = Board(self._fd)
        self.lease: LeaseId | None = None
        self.generation = 0
        self.report: RunloopReport | None = None
        self.process: ChildProcess | None = None
        self._control: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._tick = -1
        self._looked_at = 0.0
        self._still_seconds = 0.0

    @property
    def lease_application(self) -> str:
        """application_name of the sessions that write under the present lease."""
        return f"{self.application}:{self.generation}"

    def next_application(self) -> str:
        """application_name for a lease that is about to be registered."""
        return f"{self.application}:{self.generation + 1}"

    def hold(self, lease: LeaseId) -> None:
        """Hand the runloop a new lease."""
        self.lease = lease
        self.generation += 1
        self.board.put("lease", lease)
        self.board.put("generation", self.generation)

    @property
    def ended(self) -> bool:
        """Whether the last process that was started has ended."""
        return self.process is not None and self.process.returncode is not None

    @property
    def wants_lease(self) -> bool:
        """Whether the process lives, can run calls, and has no lease or has given its present one up."""
        if self.process is None or self.ended:
            return False
        if self.report is None or not self.report.ready:
            return False
        return self.lease is None or self.board.get("lost") >= self.generation

    async def start(self, *, reported: Callable[[], None], poison: Iterable[UUID] = ()) -> None:
        """Start the process; ``reported`` is called on every report; ``poison`` names runs it must not touch.

        Raises OSError when it cannot be started.
        """
        self.report = None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - socket's own signature
        try:
            self.process = await start_process(
                sys.executable,
                "-m",
                "waymark_worker.runloop",
                "--page-fd",
                str(self._fd),
                "--control-fd",
                str(theirs.fileno()),
                "--application",
                self.application,
                "--workers",
                str(self.workers),
                *(["--session-features"] if self._features else []),
                *(word for instance in poison for word in ("--poison", str(instance))),
                pass_fds=(self._fd, theirs.fileno()),
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, self._control = await asyncio.open_unix_connection(sock=ours, limit=LONGEST_REPORT)
        self._reading = asyncio.create_task(self._read(reader, reported))  # noqa: TID251 - ends with the process it watches
        self._tick = -1

    def tick_age(self, now: float) -> float:
        """Seconds for which the runloop's loop was seen not to move; ``now`` by the supervisor's clock.

        A time in which nobody looked, because the supervisor itself stood still, counts for no more than one look.
        """
        passed, self._looked_at = min(now - self._looked_at, LOOK_SECONDS), now
        tick = self.board.get("tick")
        if tick != self._tick:
            self._tick = tick
            self._still_seconds = 0.0
        else:
            self._still_seconds += passed
        return self._still_seconds

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process if it lives."""
        if self.process is not None:
            self.process.send(number)

    async def wait(self) -> int:
        """Wait for the end of the process; its exit status."""
        assert self.process is not None
        code = await self.process.wait()
        # Its end is the end of what it reported: only then is everything read that it said.
        if self._reading is not None:
            await self._reading
        if self._control is not None:
            self._control.close()
        return code

    def close(self) -> None:
        """Give the page back."""
        self.board.close()
        os.close(self._fd)

    async def _read(self, reader: asyncio.StreamReader, reported: Callable[[], None]) -> None:
        try:
            async for line in reader:
                try:
                    self.report = decode_report(line)
                except msgspec.MsgspecError as error:
                    log.warning("runloop.bad_report", error=str(error))
                    continue
                reported()
        except ConnectionError as error:
            log.debug("runloop.report_ended", error=str(error))
