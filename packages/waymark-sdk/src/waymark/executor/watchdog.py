"""A loop and the attempts that it runs, watched from a thread, in; who keeps it from everything else, told, out."""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from waymark.attempts import running_attempt
from waymark_schema.wire.frames import Blocked, TakeBack, TakenBack
from waymark_schema.wire.framing import FrameError, FrameReader, encode_frame

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from waymark.attempts import ActionAttempt

BLOCKED_SECONDS = 1.0
"""A loop that has not moved for so long is reported."""
LOOK_SECONDS = 1.0
LISTEN_SECONDS = 0.2
_DECODER = msgspec.msgpack.Decoder(TakeBack)
_STDLIB = sysconfig.get_path("stdlib")


class Admission:
    """Which attempts have begun: decided once for each, by the loop that begins or the thread that takes back.

    Tickets rise along a connection, so that the last one that began tells of all before it.
    """

    __slots__ = ("_last", "_lock", "_revoked")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = -1
        self._revoked: set[int] = set()

    def begin(self, ticket: int) -> bool:
        """Whether the attempt may begin; it has, from here on."""
        with self._lock:
            self._last = ticket
            if ticket not in self._revoked:
                return True
            self._revoked.remove(ticket)
            return False

    def revoke(self, tickets: Iterable[int]) -> list[int]:
        """Take back those that have not begun; they never will."""
        with self._lock:
            revoked = [ticket for ticket in tickets if ticket > self._last]
            self._revoked.update(revoked)
            return revoked


class Watchdog:
    """Asks the loop for a sign of life once a second, in a thread of its own that needs nothing of the loop."""

    def __init__(
        self,
        connection: socket.socket,
        loop: asyncio.AbstractEventLoop,
        admission: Admission,
        *,
        ticket_of: Callable[[ActionAttempt | None, asyncio.Task[object] | None], int],
    ) -> None:
        """``ticket_of`` finds an attempt, or else the task that runs it; -1 when neither is known."""
        self._connection = connection
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._admission = admission
        self._ticket_of = ticket_of
        self._reader = FrameReader()

    def start(self) -> None:
        """Watch the loop of the calling thread until the process ends."""
        threading.Thread(target=self._run, name="waymark-watchdog", daemon=True).start()

    def _run(self) -> None:
        try:
            while True:
                moved = threading.Event()
                asked_at = time.monotonic()
                self._loop.call_soon_threadsafe(moved.set)
                if not moved.wait(BLOCKED_SECONDS):
                    self._tell_until(moved, asked_at)
                self._listen(LOOK_SECONDS)
        except (OSError, FrameError, msgspec.MsgspecError):
            return  # the pool is gone, and this process goes with it
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def _tell_until(self, moved: threading.Event, asked_at: float) -> None:
        told_at = 0.0
        while not moved.is_set():
            now = time.monotonic()
            if now - told_at >= LOOK_SECONDS:
                told_at = now
                self._send(Blocked(self._culprit(), now - asked_at, self._place()))
            self._listen(LISTEN_SECONDS)

    def _culprit(self) -> int:
        task = asyncio.current_task(self._loop)
        if task is None:
            return -1
        attempt = None
        if sys.version_info >= (3, 12):
            attempt = task.get_context().get(running_attempt)
        return self._ticket_of(attempt, task)

    def _place(self) -> str:
        """The innermost function on the loop's stack that is somebody's own: no library's, if there is one."""
        frame = innermost = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - the documented way to see other threads
        while frame is not None:
            file = frame.f_code.co_filename
            if not file.startswith((_STDLIB, "<")) and "site-packages" not in file:
                break
            frame = frame.f_back
        frame = frame or innermost
        if frame is None:
            return ""
        return f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})"

    def _listen(self, seconds: float) -> None:
        """Answer what the pool asks within this time."""
        self._connection.settimeout(seconds)
        try:
            received = self._connection.recv(65_536)
        except TimeoutError:
            return
        if not received:
            raise ConnectionError("the pool closed the watch socket")
        for body in self._reader.feed(received):
            self._send(TakenBack(self._admission.revoke(_DECODER.decode(body).tickets)))

    def _send(self, frame: Blocked | TakenBack) -> None:
        self._connection.settimeout(None)
        self._connection.sendall(encode_frame(frame))
