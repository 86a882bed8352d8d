"""One worker process: a command in, a child with its own end of a socket pair out."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from dataclasses import dataclass

TOKEN_VARIABLE = "WAYMARK_WORKER_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """What every worker of a pool is started with."""

    modules: tuple[str, ...]
    concurrency: int
    python: str = sys.executable


@dataclass(frozen=True, slots=True)
class Spawned:
    """A started worker: the process, our end of its socket, and the secret that its hello must name."""

    process: asyncio.subprocess.Process
    connection: socket.socket
    token: str


async def spawn(command: WorkerCommand) -> Spawned:
    """Start one worker. Its socket is inherited, so nothing lies in the file system to be left behind.

    Raises OSError when the process cannot be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    token = secrets.token_hex(16)
    try:
        ours.setblocking(False)  # noqa: FBT003 - socket's own signature
        process = await asyncio.create_subprocess_exec(
            command.python,
            "-m",
            "waymark.executor",
            "--socket-fd",
            str(theirs.fileno()),
            "--modules",
            ",".join(command.modules),
            "--concurrency",
            str(command.concurrency),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env={**os.environ, TOKEN_VARIABLE: token},
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return Spawned(process, ours, token)


def exit_text(code: int) -> str:
    """How a process ended, for people."""
    return f"signal {-code}" if code < 0 else f"exit status {code}"
