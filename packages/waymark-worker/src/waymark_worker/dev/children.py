"""Commands in; child processes that end when we end, however that comes, out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from waymark_worker.dev import keeper
from waymark_worker.embedded.identity import Guard, own_identity
from waymark_worker.pool.process import ChildProcess

KEEPER_SECONDS = 2.0
"""On top of the keeper's own grace."""


class Child:
    """A process in a session of its own, so that Ctrl-C reaches it through us."""

    def __init__(self, process: ChildProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for its end; its exit status, the negative number of a signal that ended it."""
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        self._process.send(number)

    async def stop(self, grace: float) -> None:
        """Ask it to end, and insist after ``grace`` seconds; idempotent."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self.wait()
        except TimeoutError:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """End it and whatever shares its session."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


async def start(
    command: Sequence[str], *, environment: Mapping[str, str], pass_fds: Sequence[int] = ()
) -> Child:
    """Start a command whose output is ours; it gets SIGTERM when this process is gone."""
    return Child(await _spawn(command, environment, pass_fds))


class KeptCommand(Child):
    """A command of the user's with everything that it starts: all of it ends with us."""

    def __init__(self, process: ChildProcess, status: asyncio.StreamReader) -> None:
        super().__init__(process)
        self._status = status

    async def ended(self) -> int:
        """Wait for the end of the command itself; what it started may go on."""
        line = await self._status.readline()
        return int(line) if line else keeper.NOT_STARTED

    async def stop(self, grace: float) -> None:
        """Ask all of it to end; the keeper insists by itself."""
        await super().stop(max(grace, keeper.GRACE_SECONDS) + KEEPER_SECONDS)

    def kill(self) -> None:
        """Have the keeper end everything at once: by itself it would leave orphans."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGTERM)


async def start_kept(command: Sequence[str], *, environment: Mapping[str, str]) -> KeptCommand:
    """Start a command of the user's under a keeper."""
    reading, writing = os.pipe()
    status = await _line_reader(reading)
    keeping = [sys.executable, "-I", "-S", str(Path(keeper.__file__)), str(writing), *command]
    try:
        process = await _spawn(keeping, environment, [writing])
    finally:
        os.close(writing)
    return KeptCommand(process, status)


async def start_announced(
    command: Sequence[str], *, environment: Mapping[str, str]
) -> tuple[Child, asyncio.StreamReader]:
    """Start a command that takes ``--ready-fd`` and writes a line to it when it is ready."""
    reading, writing = os.pipe()
    ready = await _line_reader(reading)
    try:
        child = await start(
            [*command, "--ready-fd", str(writing)], environment=environment, pass_fds=[writing]
        )
    finally:
        os.close(writing)
    return child, ready


async def _line_reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    return reader


async def _spawn(
    command: Sequence[str], environment: Mapping[str, str], pass_fds: Sequence[int]
) -> ChildProcess:
    bound = own_identity().command(
        command, guard=Guard.of_this_system(), at_owners_end=signal.SIGTERM
    )
    process = await asyncio.create_subprocess_exec(
        *bound,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=tuple(pass_fds),
    )
    return ChildProcess(process)
