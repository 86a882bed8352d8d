"""The runloop's end of the line to its supervisor: reports in, lines out; the end of the line ends the process."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

from waymark_worker.runloop.report import RunloopReport, encode_report


class Control:
    """Open until ``close``. When the supervisor dies, however it dies, nothing here may go on."""

    def __init__(self, writer: asyncio.StreamWriter, lifeline: asyncio.Task[None]) -> None:
        """Use ``open_control``."""
        self._writer = writer
        self._lifeline = lifeline

    def report(self, report: RunloopReport) -> None:
        """Send a report; it is not waited for."""
        if not self._writer.is_closing():
            self._writer.write(encode_report(report))

    async def close(self) -> None:
        """Return when the last report has been sent."""
        self._lifeline.cancel()
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


async def open_control(fd: int) -> Control:
    """Take over one end of a socket pair; the supervisor has the other."""
    connection = socket.socket(fileno=fd)
    connection.setblocking(False)  # noqa: FBT003 - socket's own signature
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, protocol = await loop.create_unix_connection(
        lambda: asyncio.StreamReaderProtocol(reader), sock=connection
    )
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    return Control(writer, loop.create_task(_die_with(reader)))


async def _die_with(reader: asyncio.StreamReader) -> None:
    """The supervisor's end closes when it dies."""
    with suppress(ConnectionError):
        # Reset: it died before it had read our last report.
        await reader.read()
    os._exit(1)
