"""The connection string of a server in; the same database behind a proxy that delays, swallows, resets and loses out.

It runs on a thread and a loop of its own, listens on 127.0.0.1, and knows the protocol just well enough to
tell statements and their answers apart. Connections are plain: no TLS.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

_LENGTH = struct.Struct("!i")
_RESET = struct.pack("ii", 1, 0)
_WITHOUT_VERSION = 80877102
"""Codes from here on ask for encryption or for a cancellation: packets without parameters."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Link:
    """One client, its connection to the server, and what is known of both."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    application: str = "?"
    silent: bool = False
    """Swallows everything from now on, for good."""
    prepared: dict[bytes, str] = field(default_factory=dict)
    asked: str = ""
    """The text of the statement that is under way."""
    losing: bool = False
    """Its answer is to be lost."""

    def reset(self) -> None:
        for writer in (self.client, self.server):
            transport_socket = writer.get_extra_info("socket")
            if writer is self.client and transport_socket is not None:
                transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class PgProxy:
    """One proxied server; a context manager. Everything may be called from the test's thread."""

    def __init__(self, url: str) -> None:
        self._upstream = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._swallow = False
        self._delay = 0.0
        self._lose: dict[str, int] = {}
        self._port = 0
        self.lost = 0
        """How many answers were lost on purpose."""
        self.counts: Counter[tuple[str, str]] = Counter()
        """Statements by application name and text."""

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # what a test does --------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The database through the proxy."""
        return self.url_of(self._upstream)

    def url_of(self, upstream: str) -> str:
        """Another database of the same server through the proxy."""
        parts = urlsplit(upstream)
        user = parts.username or "waymark"
        secret = f":{parts.password}" if parts.password else ""
        query = urlencode({"sslmode": "disable", "gssencmode": "disable"})
        place = f"{user}{secret}@127.0.0.1:{self._port}"
        return urlunsplit(("postgresql", place, parts.path, query, ""))

    def delay(self, seconds: float) -> None:
        """Hold everything for so long in either direction; 0 ends that."""
        self._call(lambda: setattr(self, "_delay", seconds))

    def freeze(self) -> None:
        """Hold everything until ``thaw``; nothing gets lost."""
        self._call(self._open.clear)

    def thaw(self) -> None:
        self._call(self._open.set)

    def blackhole(self) -> int:
        """Swallow whatever comes on connections there are and on new ones; none is closed. How many there were."""
        return self._call(self._blackhole)

    def heal(self) -> None:
        """Let new connections through again; those that were cut off stay so."""
        self._call(lambda: setattr(self, "_swallow", False))

    def reset(self, application: str = "") -> int:
        """Reset the connections whose application name begins so; how many there were."""
        return self._call(lambda: self._reset(application))

    def lose_answers(self, statements: Iterable[str], *, times: int) -> None:
        """Hang up instead of handing over the answer, once the server has given it, to these statements."""
        texts = list(statements)
        self._call(lambda: self._lose.update(dict.fromkeys(texts, times)))

    def connections(self, application: str = "") -> int:
        """How many connections are open whose application name begins so."""
        return self._call(
            lambda: sum(link.application.startswith(application) for link in self._links)
        )

    def statements(self, application: str = "") -> Counter[str]:
        """How often each text was run by those whose name begins so."""

        def counted() -> Counter[str]:
            found: Counter[str] = Counter()
            for (name, text), count in self.counts.items():
                if name.startswith(application):
                    found[text] += count
            return found

        return self._call(counted)

    # the loop's side ---------------------------------------------------------------------------

    def _call(self, work: Callable[[], T]) -> T:
        async def now() -> T:
            return work()

        return self._run(now())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _start(self) -> None:
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=256)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self._open.set()
        for link in tuple(self._links):
            link.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _blackhole(self) -> int:
        self._swallow = True
        for link in self._links:
            link.silent = True
        return len(self._links)

    def _reset(self, application: str) -> int:
        ended = [link for link in self._links if link.application.startswith(application)]
        for link in ended:
            link.reset()
        return len(ended)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, far_writer, silent=self._swallow)
        self._links.add(link)
        pumps = [
            self._loop.create_task(self._ask(link, reader, far_writer)),
            self._loop.create_task(self._answer(link, far_reader, writer)),
        ]
        self._tasks.update(pumps)
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._tasks.difference_update(pumps)
            for end in (writer, far_writer):
                end.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self._upstream)
        query = parse_qs(parts.query)
        if "host" in query:
            port = query.get("port", ["5432"])[0]
            return await asyncio.open_unix_connection(f"{query['host'][0]}/.s.PGSQL.{port}")
        return await asyncio.open_connection(parts.hostname, parts.port or 5432)

    async def _pass(self, link: _Link, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._delay:
            await asyncio.sleep(self._delay)  # noqa: TID251 - the delay is the fault
        await self._open.wait()
        if not link.silent:
            writer.write(data)
            await writer.drain()

    async def _ask(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Client to server: learn what is asked."""
        try:
            while True:
                packet = await _packet(reader, kind=b"")
                (code,) = _LENGTH.unpack_from(packet, 4)
                await self._pass(link, packet, writer)
                if code < _WITHOUT_VERSION:
                    words = packet[8:].split(b"\0")
                    named = dict(zip(words[::2], words[1::2], strict=False))
                    link.application = named.get(b"application_name", b"?").decode()
                    break
            while True:
                message = await _packet(reader, kind=await reader.readexactly(1))
                self._learn(link, message)
                await self._pass(link, message, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    def _learn(self, link: _Link, message: bytes) -> None:
        kind, body = message[:1], message[5:]
        if kind == b"P":
            name, text, _ = body.split(b"\0", 2)
            link.prepared[name] = text.decode()
        elif kind == b"B":
            name = body.split(b"\0", 2)[1]
            self._begin(link, link.prepared.get(name, "?"))
        elif kind == b"Q":
            self._begin(link, body.rstrip(b"\0").decode())

    def _begin(self, link: _Link, text: str) -> None:
        link.asked = text
        self.counts[link.application, text] += 1
        left = self._lose.get(text, 0)
        if left:
            self._lose[text] = left - 1
            link.losing = True

    async def _answer(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Server to client: whole messages, because an answer that is to be lost ends with one."""
        try:
            while True:
                kind = await reader.readexactly(1)
                if kind == b"N" and link.application == "?":
                    # Not a notice but one byte: no encryption.
                    await self._pass(link, kind, writer)
                    continue
                message = await _packet(reader, kind=kind)
                if not link.losing:
                    await self._pass(link, message, writer)
                elif kind == b"E":
                    # Nothing was committed, so there is nothing to lose.
                    link.losing = False
                    await self._pass(link, message, writer)
                elif kind == b"Z":
                    self.lost += 1
                    link.reset()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def _packet(reader: asyncio.StreamReader, *, kind: bytes) -> bytes:
    """Read one message whose type byte, if it has one, was read."""
    length = await reader.readexactly(_LENGTH.size)
    return kind + length + await reader.readexactly(_LENGTH.unpack(length)[0] - _LENGTH.size)
