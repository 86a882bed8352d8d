"""A coroutine from synchronous code in, its result out: one background loop serves all threads of a process."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar

from waymark.callers import told_to_the_caller

if TYPE_CHECKING:
    from collections.abc import Coroutine

R = TypeVar("R")


class _Background:
    """An event loop in a daemon thread, of the process that started it."""

    __slots__ = ("loop", "pid")

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self._serve, name="waymark-sync", daemon=True).start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


class _Slot:
    """The one place that a process's background loop is kept in."""

    __slots__ = ("background", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.background: _Background | None = None

    def forget(self) -> None:
        # After a fork the thread is gone and the lock may be held by one that no longer exists.
        self.lock = threading.Lock()
        self.background = None

    def loop(self) -> asyncio.AbstractEventLoop:
        with self.lock:
            if self.background is None or self.background.pid != os.getpid():
                self.background = _Background()
            return self.background.loop


_slot = _Slot()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_slot.forget)


def run_blocking(work: Coroutine[Any, Any, R], *, instead: str = "the awaitable form") -> R:
    """Run ``work`` to its end on the background loop and return its result.

    ``instead`` names what asynchronous code should use. An interrupt (Ctrl-C) cancels the work.

    Raises:
        RuntimeError: this thread runs an event loop, which waiting here would block.

    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        work.close()
        msg = f"a synchronous call was made inside a running event loop; use {instead} with await there"
        raise RuntimeError(msg)
    future = asyncio.run_coroutine_threadsafe(work, _slot.loop())
    try:
        with told_to_the_caller:
            return future.result()
    except CancelledError:
        raise asyncio.CancelledError from None
    except BaseException:
        future.cancel()
        raise
