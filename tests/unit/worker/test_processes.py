"""Processes, and threads that wait for them, that are not to be had in; one kind of error out."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from waymark_worker import web
from waymark_worker.pool.process import WorkerCommand, spawn
from waymark_worker.runloop.child import RunloopChild


async def _runloop() -> None:
    child = RunloopChild(application="x/0", workers=1, session_features=False)
    try:
        await child.start(reported=lambda: None)
    finally:
        child.close()


@pytest.mark.parametrize("start", [_runloop, web._start, lambda: spawn(WorkerCommand(("x",), 1))])
async def test_a_thread_that_is_short_is_like_a_process_that_is_short(
    start: Callable[[], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Python 3.11 asyncio has a thread wait for each child."""

    async def no_thread(*_command: str, **_options: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", no_thread)
    with pytest.raises(OSError, match="can't start new thread") as raised:
        await start()
    assert raised.value.errno == errno.EAGAIN
