"""Listening sockets and a database in; clients served out, until nobody was there for a while."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, assert_never
from uuid import UUID

from waymark.bridge import protocol
from waymark.bridge.announcer import Announcer
from waymark.bridge.intake import Asked, Intake
from waymark.bridge.parties import failed
from waymark.bridge.pauses import growing, pause
from waymark.bridge.peers import peer_uid
from waymark.bridge.protocol import Answer, Request
from waymark.bridge.registrar import Registrar
from waymark.bridge.release import version
from waymark.bridge.standings import Standings
from waymark.bridge.store import Store
from waymark.bridge.unserved import UnservedRuns
from waymark.bridge.waits import Waits
from waymark_schema.errors import DatabaseError, DatabaseUnreachable
from waymark_schema.wire.framing import FrameError, FrameReader

_FLUSH_S: Final = 1.0
LINGER: Final = timedelta(seconds=3)
"""How long a bridge that cannot serve waits for the client that booted it, to tell it why."""
_log = logging.getLogger("waymark.bridge")


@dataclass(frozen=True, slots=True)
class Door:
    """One listening socket and who may come in: this user alone, or whoever knows the token."""

    listening: socket.socket
    token: str | None = None


class Daemon:
    """Serves clients on behalf of one database. One event loop, one instance."""

    def __init__(
        self, store: Store, *, idle_exit: timedelta | None, linger: timedelta = LINGER
    ) -> None:
        self._store = store
        self._idle_exit = idle_exit
        self._linger = linger
        self._waits = Waits(store)
        self._announcer = Announcer(store)
        self._intake = Intake(store, queued=self._queued)
        self._registrar = Registrar(store, registered=self._intake.registered)
        self._standings = Standings(store)
        self._unserved = UnservedRuns(self._waits)
        self._clients: set[Client] = set()
        self._begun_at = time.monotonic()
        self._stopped = asyncio.Event()
        self._came_and_went = asyncio.Event()
        self._trouble: Exception | None = None
        self._told = asyncio.Event()

    async def run(self, doors: Iterable[Door] = ()) -> Exception | None:
        """Serve until stopped or idle; return the error that makes serving this database pointless, if any."""
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(self._client_of(door), sock=door.listening) for door in doors
        ]
        trouble: Exception | None = None
        try:
            trouble = await self._serve()
        finally:
            for server in servers:
                server.close()
            await self._dismiss()
            await self._store.close()
        return trouble

    async def adopt(self, connected: socket.socket) -> None:
        """Serve a connection that was made elsewhere."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: Client(self, None), connected)

    def stop(self) -> None:
        """End soon; may be called more than once."""
        self._stopped.set()

    def joined(self, client: Client) -> None:
        """Count a client."""
        self._clients.add(client)
        self._came_and_went.set()

    def left(self, client: Client) -> None:
        """Count a client no more; nobody waits for what it asked."""
        self._clients.discard(client)
        self._waits.leave(client)
        self._came_and_went.set()

    def take(self, client: Client, request: Request) -> None:
        """Hand a request to the service that answers it."""
        if self._trouble is not None and not isinstance(request, protocol.Hello | protocol.Forget):
            client.answer(failed(request.request, self._trouble))
            self._told.set()
            return
        match request:
            case protocol.Start(number, runs):
                self._intake.add(Asked(client, number, runs))
            case protocol.Wait(number, instance):
                self._waits.watch(client, number, UUID(bytes=instance))
            case protocol.Forget(number):
                self._waits.forget(client, number)
            case protocol.Register(number, programs):
                self._registrar.add(client, number, programs)
            case protocol.Status(number, instance):
                self._standings.add(client, number, UUID(bytes=instance))
            case protocol.Inspect(number):
                client.answer(self._inspected(number))
            case protocol.Stop(number):
                client.answer(protocol.Stopping(number))
                self.stop()
            case protocol.Hello():
                client.end("said hello twice")
            case _:
                assert_never(request)

    def _client_of(self, door: Door) -> Callable[[], Client]:
        return lambda: Client(self, door)

    def _queued(self, runs: Iterable[protocol.NewRun]) -> None:
        self._announcer.queued()
        self._waits.queued(UUID(bytes=run.id) for run in runs if run.awaited)

    async def _serve(self) -> Exception | None:
        work = asyncio.create_task(self._work())  # noqa: TID251 - ends with this function, its failure is the result
        ends = [asyncio.create_task(self._stopped.wait()), asyncio.create_task(self._idle())]  # noqa: TID251 - likewise
        try:
            await asyncio.wait([work, *ends], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, *ends):
                task.cancel()
            await asyncio.wait([work, *ends])
        if work.cancelled():
            return None
        self._trouble = _first(work.exception())
        if self._trouble is not None:
            await self._tell(self._trouble)
        return self._trouble

    async def _work(self) -> None:
        await self._prepare()
        _log.info("bridge %d serves %s", os.getpid(), self._store.target)
        async with asyncio.TaskGroup() as services:
            services.create_task(self._intake.run_shared())
            services.create_task(self._intake.run_keyed())
            services.create_task(self._registrar.run())
            services.create_task(self._standings.run())
            services.create_task(self._announcer.run())
            services.create_task(self._waits.run())
            services.create_task(self._unserved.run())
            if self._store.can_listen:
                services.create_task(self._waits.hear())

    async def _prepare(self) -> None:
        """Wait for the database; from the time that is allowed for it on, tell whoever asks for something."""
        loop = asyncio.get_running_loop()
        patient_until = loop.time() + self._store.patience.total_seconds()
        for seconds in growing():
            try:
                await self._store.prepare()
            except DatabaseUnreachable as error:
                _log.warning("%s", error)
                if loop.time() + seconds > patient_until:
                    self._give_up(error)
                await pause(seconds)
            else:
                return

    def _give_up(self, error: Exception) -> int:
        """Answer everything that waits with an error; return how much that was."""
        services = (self._intake, self._registrar, self._standings, self._waits)
        return sum(service.give_up(error) for service in services)

    async def _tell(self, trouble: Exception) -> None:
        """Answer whoever waits with the trouble; if nobody does yet, whoever comes first."""
        if self._give_up(trouble) or not self._linger:
            return
        try:
            async with asyncio.timeout(self._linger.total_seconds()):
                await self._told.wait()
        except TimeoutError:
            _log.info("nobody came to be told why this bridge ends")

    async def _idle(self) -> None:
        """Return once no client was connected for the whole time that is allowed."""
        if self._idle_exit is None:
            await asyncio.Event().wait()
            return
        while True:
            self._came_and_went.clear()
            alone = not self._clients and not self._intake.waiting
            try:
                async with asyncio.timeout(self._idle_exit.total_seconds() if alone else None):
                    await self._came_and_went.wait()
            except TimeoutError:
                _log.info("nobody was connected for %s; ending", self._idle_exit)
                return

    async def _dismiss(self) -> None:
        """Give the last answers the time to leave, then close all connections."""
        deadline = asyncio.get_running_loop().time() + _FLUSH_S
        while any(client.unsent for client in self._clients):
            if asyncio.get_running_loop().time() > deadline:
                break
            await pause(0.01)
        for client in list(self._clients):
            client.end()

    def _inspected(self, number: int) -> protocol.Inspected:
        return protocol.Inspected(
            number,
            pid=os.getpid(),
            version=version(),
            uptime_s=time.monotonic() - self._begun_at,
            database=f"{self._store.target}, schema {self._store.schema}",
            connected=self._store.reachable,
            listening=self._waits.listening,
            clients=len(self._clients),
            starting=self._intake.waiting,
            awaited=len(self._waits),
        )


class Client(asyncio.Protocol):
    """One connection of one application process."""

    def __init__(self, daemon: Daemon, door: Door | None) -> None:
        self._daemon = daemon
        self._door = door
        self._reader = FrameReader(max_frame_bytes=protocol.MAX_FRAME_BYTES)
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._welcomed = False

    @property
    def unsent(self) -> int:
        """Bytes of answers that the client has not taken yet."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + len(self._outgoing)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._door is not None and self._door.token is None and not self._is_ours(transport):
            self.end("belongs to another user")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._daemon.left(self)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._reader.feed(data):
                request = protocol.decode_request(body)
                if self._welcomed:
                    self._daemon.take(self, request)
                else:
                    self._greet(request)
        except (FrameError, ValueError) as error:
            self.end(str(error))

    def answer(self, answer: Answer) -> None:
        """Send an answer, if the client is still there."""
        if self._transport is None or self._transport.is_closing():
            return
        if not self._outgoing:
            # Whatever else is answered in this turn of the loop leaves in the same packet.
            asyncio.get_running_loop().call_soon(self._flush)
        try:
            self._outgoing.append(protocol.encode(answer))
        except FrameError as error:
            number = 0 if isinstance(answer, protocol.Welcome) else answer.request
            self._outgoing.append(protocol.encode(failed(number, error)))

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if self._transport is not None:
            self._transport.writelines(outgoing)

    def end(self, why: str = "") -> None:
        """Close the connection."""
        if why:
            _log.warning("a client was sent away: it %s", why)
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def _greet(self, request: Request) -> None:
        refusal = self._refusal(request)
        self.answer(protocol.Welcome(protocol.PROTOCOL, version(), os.getpid(), refusal))
        if refusal:
            self.end(f"was refused: {refusal}")
            return
        self._welcomed = True
        self._daemon.joined(self)

    def _refusal(self, request: Request) -> str:
        if not isinstance(request, protocol.Hello):
            return "the first frame was not a hello"
        wanted = self._door.token if self._door is not None else None
        if wanted is not None and not hmac.compare_digest(wanted.encode(), request.token.encode()):
            return (
                "WAYMARK_BRIDGE_TOKEN is missing or not the bridge's; set both to the same secret"
            )
        return protocol.disagreement(
            ours=protocol.PROTOCOL,
            theirs=request.protocol,
            we_are=f"the bridge (waymark-sdk {version()}, pid {os.getpid()})",
            they_are=f"the client (waymark-sdk {request.version}, pid {request.pid})",
        )

    @staticmethod
    def _is_ours(transport: asyncio.Transport) -> bool:
        return peer_uid(transport.get_extra_info("socket")) == os.geteuid()


def _first(error: BaseException | None) -> Exception | None:
    """Return the one error behind a task group's."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is None or isinstance(error, DatabaseError):
        return error
    raise error
