"""Connections of this process in; a bridge in a thread of it out, for where no other process may be started."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import socket
import threading

from waymark import settings
from waymark.bridge.daemon import Daemon
from waymark.bridge.store import Store
from waymark.errors import BridgeUnavailable

_START_S = 10.0
_END_S = 5.0
_log = logging.getLogger("waymark.bridge")


class _Thread:
    """A daemon and its event loop in a thread, of the process that started it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._store = Store(settings.database())
        self._ready = threading.Event()
        self._daemon: Daemon | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="waymark-bridge", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise BridgeUnavailable(f"the bridge's thread did not start within {_START_S:g} s")

    @property
    def serving(self) -> bool:
        return self._thread.is_alive() and self.pid == os.getpid()

    def adopt(self, connected: socket.socket) -> None:
        assert self._loop is not None
        assert self._daemon is not None
        asyncio.run_coroutine_threadsafe(self._daemon.adopt(connected), self._loop)

    def end(self) -> None:
        if self.serving and self._loop is not None and self._daemon is not None:
            self._loop.call_soon_threadsafe(self._daemon.stop)
            self._thread.join(_END_S)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._daemon = Daemon(self._store, idle_exit=None)
        self._ready.set()
        trouble = await self._daemon.run()
        if trouble is not None:
            _log.error("%s", trouble)


class _Slot:
    """The one place that a process's bridge thread is kept in."""

    __slots__ = ("guard", "thread")

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.thread: _Thread | None = None

    def forked(self) -> None:
        self.guard = threading.Lock()

    def end(self) -> None:
        if self.thread is not None:
            self.thread.end()


_slot = _Slot()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_slot.forked)
atexit.register(_slot.end)


def adopt(connected: socket.socket) -> None:
    """Serve a connection from this process's bridge thread, started if it does not run."""
    with _slot.guard:
        if _slot.thread is None or not _slot.thread.serving:
            _slot.thread = _Thread()
        _slot.thread.adopt(connected)
