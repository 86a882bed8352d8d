"""The skeleton's worker: batches of calls in, batches of results out, nothing in between."""

import asyncio
import socket
import sys

import msgspec

from waymark_schema.wire.framing import FrameReader

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


async def increment(x: int) -> int:
    """The action of every workload."""
    return x + 1


class Bare(asyncio.Protocol):
    """One task per call, one write per loop turn."""

    def __init__(self) -> None:
        self.reader = FrameReader()
        self.results: list[tuple[int, int]] = []
        self.loop = asyncio.get_running_loop()
        self.closed = self.loop.create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.flush()  # an empty frame says that calls may come

    def data_received(self, data: bytes) -> None:
        """Start a task for every call."""
        for body in self.reader.feed(data):
            for ticket, arguments in _decode(body):
                self.loop.create_task(self.run(ticket, arguments))

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the pool."""
        self.closed.set_result(None)

    async def run(self, ticket: int, arguments: dict[str, int]) -> None:
        """Run one call."""
        result = await increment(**arguments)
        if not self.results:
            self.loop.call_soon(self.flush)
        self.results.append((ticket, result))

    def flush(self) -> None:
        """Send everything that ended in this turn."""
        results, self.results = self.results, []
        body = _encode(results)
        self.transport.write(len(body).to_bytes(4, "little") + body)


async def main(descriptor: int) -> None:
    """Serve one inherited socket until it closes."""
    loop = asyncio.get_running_loop()
    _, bare = await loop.create_connection(Bare, sock=socket.socket(fileno=descriptor))
    await bare.closed


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
