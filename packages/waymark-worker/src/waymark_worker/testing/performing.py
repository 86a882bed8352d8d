"""One attempt in, its end out: what a worker process does, in an event loop of the test's process."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, TextIO, cast

from waymark.attempts import ActionAttempt
from waymark.dependencies import WorkerScope
from waymark.executor.arguments import Plan
from waymark.executor.invoke import Invoker
from waymark.executor.output import Tee, noting
from waymark_schema.wire.frames import CallEnd, CallStart
from waymark_worker.runloop.live import LiveCall
from waymark_worker.testing.alarm import real_time
from waymark_worker.testing.clock import Event
from waymark_worker.testing.stubs import Stub

PATIENCE = 0.2
"""Seconds of real time for which an attempt holds up what comes after it, later attempts and time both."""


class Try:
    """One attempt of one call; eq is identity."""

    def __init__(self, call: LiveCall, loop: asyncio.AbstractEventLoop, number: int) -> None:
        self.call = call
        self.loop = loop
        self.number = number
        self.attempt = ActionAttempt(
            call.instance.id_bytes,
            call.number,
            number,
            deadline_at=time.time() + call.policy.timeout if call.policy.timeout else None,  # noqa: TID251 - told to the action
        )
        self.began = real_time()
        """Real time at which it last began to do something."""
        self.taking: Event | None = None
        """While a stub lets virtual time pass."""
        self.deadline: Event | None = None
        self.waits = 0
        """How many runs it waits for right now: then time may pass without it."""
        self.given_up = False
        """Its outcome no longer matters."""
        self.task: asyncio.Task[None] | None = None

    @property
    def live(self) -> bool:
        """Whether it does something right now that takes real time."""
        if self.given_up and real_time() - self.began >= PATIENCE:
            return False  # it does not heed its cancellation
        return self.taking is None and not self.waits and self.loop.is_running()

    def release(self) -> None:
        """Call off what was planned for it."""
        for event in (self.taking, self.deadline):
            if event is not None:
                event.call_off()


class DaemonThreads(Executor):
    """A thread for each sync action: one that hangs keeps nobody from leaving."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it in a thread of its own."""
        job: Future[Any] = Future()

        def work() -> None:
            if not job.set_running_or_notify_cancel():
                return
            try:
                job.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - handed to who waits
                job.set_exception(error)

        threading.Thread(target=work, name="waymark-action", daemon=True).start()
        return job


class Performer(Invoker):
    """The worker of one run: what has ``scope="worker"`` lives as long as the run."""

    def __init__(self, stubs: dict[str, Stub]) -> None:
        self.scope = WorkerScope()
        self._stubs = stubs
        super().__init__(threads=DaemonThreads(), scope=self.scope)

    def plan(self, key: str) -> Plan:
        """Say how the action is called: as it is, or as its stub says."""
        real = super().plan(key)
        stub = self._stubs.get(key)
        return real if stub is None else stub.plan(real)

    def takes(self, key: str) -> float:
        """Seconds of virtual time that an attempt of the action takes before it does anything."""
        stub = self._stubs.get(key)
        return 0.0 if stub is None else stub.takes

    def begin(self, tried: Try, ended: Callable[[Try, CallEnd | None], None]) -> None:
        """Start an attempt on its loop; ``ended`` hears its end, None if the loop was closed under it.

        Raises RuntimeError when the loop is closed already.
        """
        # A context of its own, as in a worker: nothing leaks in that production would not have.
        context = contextvars.Context()
        tried.loop.call_soon_threadsafe(self._spawn, tried, ended, context, context=context)

    def _spawn(
        self,
        tried: Try,
        ended: Callable[[Try, CallEnd | None], None],
        context: contextvars.Context,
    ) -> None:
        if tried.given_up:
            ended(tried, None)
            return
        ends: list[CallEnd] = []
        task = tried.loop.create_task(self._run(tried, ends), context=context)
        tried.task = task
        task.add_done_callback(lambda _: ended(tried, ends[0] if ends else None))

    async def _run(self, tried: Try, ends: list[CallEnd]) -> None:
        call = tried.call
        start = CallStart(
            0,
            call.action,
            call.arguments,
            call.instance.id_bytes,
            call.number,
            tried.number,
            call.policy.timeout,
        )
        with _captured():
            end = await self.invoke(start, tried.attempt)
        task = asyncio.current_task()
        # Cancelled, but not by us: the loop is being closed, and the attempt is lost with it.
        if task is None or not task.cancelling() or tried.attempt.cancelled:
            ends.append(end)

    def give_up(self, tried: Try) -> None:
        """Cancel an attempt that nobody waits for any more."""
        tried.given_up = True
        tried.began = real_time()
        tried.release()
        tried.attempt.cancelled = True
        if tried.task is not None and not tried.loop.is_closed():
            tried.loop.call_soon_threadsafe(tried.task.cancel)


class _Captures:
    """What stands in for the streams while attempts run, in how many of them, and what stood there before."""

    __slots__ = ("count", "guard", "restore")

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.count = 0
        self.restore: Callable[[], None] = lambda: None

    def forked(self) -> None:
        """In the copy of a forked process no attempt runs, whoever held the lock."""
        self.guard = threading.Lock()
        if self.count:
            self.count = 0
            self.restore()


_captures = _Captures()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_captures.forked)


@contextmanager
def _captured() -> Iterator[None]:
    """Keep what attempts print and log in the log of their run, as long as one runs."""
    with _captures.guard:
        _captures.count += 1
        if _captures.count == 1:
            _captures.restore = _install()
    try:
        yield
    finally:
        with _captures.guard:
            _captures.count = max(0, _captures.count - 1)  # a fork may have reset it
            if _captures.count == 0:
                _captures.restore()


def _install() -> Callable[[], None]:
    out, err, make = sys.stdout, sys.stderr, logging.getLogRecordFactory()
    tees = (
        cast("TextIO", Tee(out, "stdout")),
        cast("TextIO", Tee(err, "stderr")),
    )  # as streams they do what streams do
    sys.stdout, sys.stderr = tees
    noted = noting(make)
    logging.setLogRecordFactory(noted)

    def restore() -> None:
        # Only what is still ours: a test, or pytest, may have put something else there meanwhile.
        if sys.stdout is tees[0]:
            sys.stdout = out
        if sys.stderr is tees[1]:
            sys.stderr = err
        if logging.getLogRecordFactory() is noted:
            logging.setLogRecordFactory(make)

    return restore
