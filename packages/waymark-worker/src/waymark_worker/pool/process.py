"""Processes of a pool: a command in, a child out; a worker has its own end of a socket pair."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

TOKEN_VARIABLE = "WAYMARK_WORKER_TOKEN"  # noqa: S105 - the name of a variable
WATCH_VARIABLE = "WAYMARK_WORKER_WATCH_FD"


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """What every worker of a pool is started with."""

    modules: tuple[str, ...]
    concurrency: int
    python: str = sys.executable


class ChildProcess:
    """A child of ours, without the race in asyncio's own signals.

    Those look first whether the process has ended, and so may take its exit status away from the loop,
    which then reports 255.
    """

    __slots__ = ("_process",)

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end; its exit status, the negative number of a signal that ended it."""
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)


async def start_process(
    *command: str, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> ChildProcess:
    """Start a child that reads nothing; without ``env`` it has ours.

    Raises OSError when it cannot be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, env=env, pass_fds=tuple(pass_fds)
        )
    except RuntimeError as error:
        # Where asyncio has a thread wait for each child, threads may be short like processes.
        raise OSError(errno.EAGAIN, str(error)) from error
    return ChildProcess(process)


@dataclass(frozen=True, slots=True)
class Spawned:
    """A started worker: the process, our ends of its two sockets, and the secret that its hello must name."""

    process: ChildProcess
    connection: socket.socket
    watch: socket.socket
    token: str


async def spawn(command: WorkerCommand) -> Spawned:
    """Start one worker. Its sockets are inherited, so nothing lies in the file system to be left behind.

    Raises OSError when the process cannot be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    watch, theirs_watch = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    token = secrets.token_hex(16)
    try:
        for end in (ours, watch):
            end.setblocking(False)  # noqa: FBT003 - socket's own signature
        process = await start_process(
            command.python,
            "-m",
            "waymark.executor",
            "--socket-fd",
            str(theirs.fileno()),
            "--modules",
            ",".join(command.modules),
            "--concurrency",
            str(command.concurrency),
            pass_fds=(theirs.fileno(), theirs_watch.fileno()),
            env={
                **os.environ,
                TOKEN_VARIABLE: token,
                WATCH_VARIABLE: str(theirs_watch.fileno()),
            },
        )
    except BaseException:
        ours.close()
        watch.close()
        raise
    finally:
        theirs.close()
        theirs_watch.close()
    return Spawned(process, ours, watch, token)


def exit_text(code: int) -> str:
    """How a process ended, for people."""
    return f"signal {-code}" if code < 0 else f"exit status {code}"
