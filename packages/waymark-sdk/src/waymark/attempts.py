"""The attempt that runs here, in: what an action may know of it, and a run log that it can write to, out."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

MAX_LINES = 500
MAX_CHARACTERS = 64 * 1024


class RunLog:
    """Lines that one attempt adds to the log of its run; bounded, the rest is counted."""

    __slots__ = ("_characters", "_dropped", "_lines", "_lock", "_unfinished")

    def __init__(self) -> None:
        self._lines: list[tuple[str, str, float]] = []
        self._characters = 0
        self._dropped = 0
        self._unfinished: dict[str, str] = {}
        self._lock = threading.Lock()
        """An attempt may have threads of its own, which all write here."""

    def add(self, level: str, text: str) -> None:
        """Add one line under ``level`` (``stdout``, ``info`` …)."""
        with self._lock:
            self._add(level, text)

    def _add(self, level: str, text: str) -> None:
        room = MAX_CHARACTERS - self._characters
        if room <= 0 or len(self._lines) >= MAX_LINES:
            self._dropped += 1
            return
        kept = text if len(text) <= room else text[:room] + "…"
        self._characters += len(kept)
        self._lines.append((level, kept, time.time()))  # noqa: TID251 - for people only

    def write(self, level: str, text: str) -> None:
        """Take a piece of a stream; lines are added when they are complete."""
        with self._lock:
            *complete, rest = (self._unfinished.get(level, "") + text).split("\n")
            for line in complete:
                self._add(level, line)
            if len(rest) > MAX_CHARACTERS:
                self._add(level, rest)
                rest = ""
            self._unfinished[level] = rest

    def debug(self, message: str, *args: object) -> None:
        """Add a line; ``args`` are formatted in with ``%`` as logging does."""
        self.add("debug", message % args if args else message)

    def info(self, message: str, *args: object) -> None:
        """Add a line; ``args`` are formatted in with ``%`` as logging does."""
        self.add("info", message % args if args else message)

    def warning(self, message: str, *args: object) -> None:
        """Add a line; ``args`` are formatted in with ``%`` as logging does."""
        self.add("warning", message % args if args else message)

    def error(self, message: str, *args: object) -> None:
        """Add a line; ``args`` are formatted in with ``%`` as logging does."""
        self.add("error", message % args if args else message)

    def lines(self) -> list[tuple[str, str, float]]:
        """Return what was kept: level, text, seconds since the epoch."""
        with self._lock:
            for level, rest in self._unfinished.items():
                if rest:
                    self._add(level, rest)
            self._unfinished.clear()
        if not self._dropped:
            return self._lines
        note = f"{self._dropped} more lines were left out (at most {MAX_LINES} lines, {MAX_CHARACTERS} characters)"
        return [*self._lines, ("warning", note, time.time())]  # noqa: TID251 - for people only


class ActionAttempt:
    """What an action may know of the attempt that runs it; see ``current_action``."""

    __slots__ = ("_instance", "_log", "attempt", "call_id", "cancelled", "deadline_at", "progress")

    def __init__(
        self, instance: bytes, call_id: int, attempt: int, *, deadline_at: float | None = None
    ) -> None:
        self._instance = instance
        self.call_id = call_id
        self.attempt = attempt
        """1 for the first."""
        self.deadline_at = deadline_at
        """When its timeout passes, in seconds since the epoch; None without one."""
        self.progress: Any = None
        """What the last ``heartbeat`` said."""
        self.cancelled = False
        """Whether nobody waits for this attempt any more: it timed out, or the run was cancelled."""
        self._log: RunLog | None = None

    @property
    def instance_id(self) -> str:
        """Id of the run."""
        return str(UUID(bytes=self._instance))

    @property
    def deadline(self) -> datetime | None:
        """When its timeout passes; None without one."""
        if self.deadline_at is None:
            return None
        return datetime.fromtimestamp(self.deadline_at, UTC)

    @property
    def log(self) -> RunLog:
        """The run's log: ``current_action().log.info("sent %s", name)``."""
        if self._log is None:
            self._log = RunLog()
        return self._log

    def captured(self) -> list[tuple[str, str, float]]:
        """Return what the attempt logged so far."""
        return [] if self._log is None else self._log.lines()

    @property
    def idempotency_key(self) -> str:
        """The same text for every attempt of this call, and for no other call."""
        return f"{self.instance_id}:{self.call_id}"

    def heartbeat(self, progress: Any = None) -> None:
        """Note how far the work is; returns nothing and writes no database row.

        Raises:
            TimeoutError: nobody waits for this attempt any more. A sync action cannot be stopped from
                outside: one that beats between its steps ends here.

        """
        if self.cancelled:
            msg = f"attempt {self.attempt} of call {self.idempotency_key} is no longer waited for"
            raise TimeoutError(msg)
        if progress is not None and progress != self.progress:
            self.progress = progress
            self.log.add("progress", str(progress))


running_attempt: ContextVar[ActionAttempt | None] = ContextVar("waymark_attempt", default=None)


def current_action() -> ActionAttempt:
    """Return the attempt that runs the calling code.

    >>> async def charge(order: str) -> None:
    ...     key = current_action().idempotency_key

    Raises:
        RuntimeError: it was not called from an action that a worker runs.

    """
    attempt = running_attempt.get()
    if attempt is None:
        msg = (
            "current_action() was called outside of an action run by a worker;"
            " expected to be inside one. Called directly, an action belongs to no run"
        )
        raise RuntimeError(msg)
    return attempt
