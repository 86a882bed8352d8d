"""Requests to start, await and look at runs in; the bridge's answers out, through every restart of it."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from waymark.bridge import protocol
from waymark.bridge.link import Link, LinkLost
from waymark.bridge.pauses import growing, pause
from waymark.errors import BridgeUnavailable, InstanceNotFound
from waymark.requests import FINAL_STATES, Outcome, RunState, StartRequest
from waymark.unfinished import unfinished
from waymark_schema import errors as schema_errors
from waymark_schema.inputs import pack_inputs
from waymark_schema.kinds import InstanceState
from waymark_schema.wire.framing import FrameError

if TYPE_CHECKING:
    from waymark.bridge.connecting import Endpoint

_LOSSES: Final = 30
"""So many bridges may end one after the other under one request before it is given up."""
_MANY_ENDED: Final = (
    f"{_LOSSES} bridges ended one after the other while this request was in their hands"
)
_SETTLED_S: Final = 5.0
"""A bridge that lived longer did not end because of the request."""
_REGISTRATIONS: Final = 5
"""So often one and the same bridge may forget a program that it was told of."""
_LAST_LOOK_S: Final = 15.0

_STATES: Final[dict[int, RunState]] = {
    InstanceState.QUEUED: "queued",
    InstanceState.DELAYED: "queued",
    InstanceState.RUNNING: "running",
    InstanceState.WAITING: "waiting",
    InstanceState.COMPLETED: "completed",
    InstanceState.FAILED: "failed",
    InstanceState.CANCELLED: "cancelled",
    InstanceState.QUARANTINED: "quarantined",
}


class _Lane:
    """What one event loop has: its link, and whose turn it is to open a new one."""

    __slots__ = ("link", "turn")

    def __init__(self) -> None:
        self.link: Link | None = None
        self.turn = asyncio.Lock()


def _find() -> Endpoint:
    """Return the way to the bridge; nothing is started yet. Raises what ``connecting.endpoint`` does."""
    if sys.platform == "win32":
        msg = (
            "the bridge does not run on Windows; use WSL or a container there, or the in-process runtime"
            " of waymark_worker.testing"
        )
        raise BridgeUnavailable(msg)
    from waymark.bridge.connecting import endpoint  # noqa: PLC0415 - what it needs of the system is not everywhere

    return endpoint()


class BridgeClient:
    """The runtime that a bridge serves; one for all loops and threads of a process."""

    def __init__(self, find: Callable[[], Endpoint] = _find) -> None:
        self._find = find
        self._pid = os.getpid()
        self._guard = threading.Lock()
        self._endpoint: Endpoint | None = None
        self._lanes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Lane] = (
            weakref.WeakKeyDictionary()
        )
        self._left_behind: list[object] = []

    async def start(self, request: StartRequest) -> UUID:
        """Queue one run; see ``Runtime``."""
        return (await self.start_many([request]))[0]

    async def start_many(self, requests: Sequence[StartRequest]) -> list[UUID]:
        """Queue runs in one transaction; see ``Runtime``.

        Raises:
            BridgeUnavailable: no bridge could be reached or booted.
            SettingError, DatabaseError: the database cannot be used.
            ProgramConflict: another program has this workflow's name and version.
            RunIdTaken: a run of another workflow has the id of one of them; the others are queued.

        """
        if not requests:
            return []
        runs = [_new_run(request) for request in requests]
        reports = {request.program.digest: request.program for request in requests}
        gone, registered_with = 0, None
        for _ in range(_LOSSES):
            answer, link = await self._ask_somebody(lambda number: protocol.Start(number, runs))
            if isinstance(answer, protocol.Started):
                return [UUID(bytes=given) for given in answer.ids]
            if not isinstance(answer, protocol.UnknownPrograms):
                raise _unexpected(answer)
            # A bridge that has just begun knows none; only one that forgets what it was told is at fault.
            gone = gone + 1 if link is registered_with else 0
            if gone == _REGISTRATIONS:
                names = ", ".join(sorted({report.workflow for report in reports.values()}))
                msg = (
                    f"the programs of {names} were registered {gone} times and were gone each time"
                )
                raise BridgeUnavailable(msg)
            missing = [reports[digest] for digest in answer.digests]
            _, registered_with = await self._ask_somebody(
                lambda number, missing=missing: protocol.Register(number, missing)  # type: ignore[misc] # a bound loop variable
            )
        raise BridgeUnavailable(_MANY_ENDED)

    async def wait(self, instance_id: UUID, *, timeout: float | None = None) -> Outcome:  # noqa: ASYNC109 - see Runtime
        """Wait for the end of a run, through any number of bridges; see ``Runtime``."""
        if timeout is not None and timeout <= 0:
            if await self.status(instance_id) not in FINAL_STATES:
                raise TimeoutError(_not_ended(instance_id, timeout))
            timeout = _LAST_LOOK_S
        limit = asyncio.timeout(timeout)
        try:
            async with limit:
                answer = await self._ask(lambda number: protocol.Wait(number, instance_id.bytes))
        except TimeoutError as error:
            if limit.expired():
                raise TimeoutError(_not_ended(instance_id, timeout)) from None
            raise error from None
        if isinstance(answer, protocol.Missing):
            raise _not_found(instance_id)
        if not isinstance(answer, protocol.Ended):
            raise _unexpected(answer)
        return Outcome(
            id=instance_id,
            state=_STATES[answer.state],
            result=answer.result,
            error=answer.error,
        )

    async def status(self, instance_id: UUID) -> RunState:
        """Return the state of a run; see ``Runtime``."""
        answer = await self._ask(lambda number: protocol.Status(number, instance_id.bytes))
        if isinstance(answer, protocol.Missing):
            raise _not_found(instance_id)
        if not isinstance(answer, protocol.Standing):
            raise _unexpected(answer)
        return _STATES[answer.state]

    def forget(self) -> None:
        """Let go of every connection, silently: after a fork they are the parent's."""
        for lane in list(self._lanes.values()):
            if lane.link is not None:
                lane.link.let_go()
        # Kept, never used: taking them apart would reach into event loops that the parent still runs.
        self._left_behind.append((list(self._lanes.items()), self._endpoint, self._guard))
        self._lanes = weakref.WeakKeyDictionary()
        self._endpoint = None
        self._guard = threading.Lock()
        self._pid = os.getpid()

    async def _ask(self, make: Callable[[int], protocol.Request]) -> protocol.Answer:
        answer, _ = await self._ask_somebody(make)
        return answer

    async def _ask_somebody(
        self, make: Callable[[int], protocol.Request]
    ) -> tuple[protocol.Answer, Link]:
        """Return the answer and who gave it: another bridge, if the first one ended meanwhile."""
        losses = 0
        for seconds in growing():
            link = await self._link()
            try:
                answer = await link.ask(make)
            except LinkLost:
                lived = asyncio.get_running_loop().time() - link.opened_at
                losses = 0 if lived > _SETTLED_S else losses + 1
                if losses >= _LOSSES:
                    raise BridgeUnavailable(_MANY_ENDED) from None
                await pause(min(seconds, 0.2))
            except FrameError as error:
                raise ValueError(str(error)) from None
            else:
                if isinstance(answer, protocol.Failed):
                    raise _failure(answer)
                return answer, link
        raise AssertionError("pauses never end")

    async def _link(self) -> Link:
        if self._pid != os.getpid():
            self.forget()
        loop = asyncio.get_running_loop()
        lane = self._lane(loop)
        if lane.link is not None and lane.link.alive:
            return lane.link
        async with lane.turn:
            if lane.link is None or not lane.link.alive:
                lane.link = (await self._way().open()).link
            return lane.link

    def _lane(self, loop: asyncio.AbstractEventLoop) -> _Lane:
        with self._guard:
            lane = self._lanes.get(loop)
            if lane is None:
                for other, old in list(self._lanes.items()):
                    if other.is_closed():
                        if old.link is not None:
                            old.link.close()
                        del self._lanes[other]
                lane = self._lanes[loop] = _Lane()
            return lane

    def _way(self) -> Endpoint:
        with self._guard:
            if self._endpoint is None:
                self._endpoint = self._find()
            return self._endpoint


def _new_run(request: StartRequest) -> protocol.NewRun:
    if request.tags:
        raise unfinished("options(tags=…)")
    return protocol.NewRun(
        id=request.id.bytes,
        digest=request.program.digest,
        inputs=pack_inputs(request.inputs, request.attributes),
        priority=request.priority,
        awaited=request.awaited,
        delay=request.delay,
        start_at=request.start_at,
        key=request.stored_key,
    )


def _not_ended(instance_id: UUID, timeout: float | None) -> str:
    return f"run {instance_id} had not ended after {timeout:g} s; it goes on, and can be waited for again"


def _not_found(instance_id: UUID) -> InstanceNotFound:
    msg = (
        f"there is no run {instance_id}: it was never started, or it ended longer ago than"
        " WAYMARK_GARBAGE_COLLECTOR_RETENTION_HOURS"
    )
    return InstanceNotFound(msg, instance_id=str(instance_id))


def _unexpected(answer: protocol.Answer) -> BridgeUnavailable:
    return BridgeUnavailable(
        f"the bridge answered with {type(answer).__name__}, which was not asked for"
    )


def _failure(answer: protocol.Failed) -> Exception:
    """Rebuild what the bridge ran into: the class that a caller can catch, with the bridge's words."""
    known = getattr(schema_errors, answer.error, None)
    if isinstance(known, type) and issubclass(known, schema_errors.WaymarkError):
        try:
            return known(answer.message)
        except TypeError:  # one that is made of more than its words
            error = known.__new__(known)
            error.args = (answer.message,)
            return error
    return BridgeUnavailable(answer.message)


class _Slot:
    """The one place that a process's client is kept in."""

    __slots__ = ("client", "guard")

    def __init__(self) -> None:
        self.client: BridgeClient | None = None
        self.guard = threading.Lock()

    def forked(self) -> None:
        self.guard = threading.Lock()
        if self.client is not None:
            self.client.forget()


_slot = _Slot()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_slot.forked)


def shared_client() -> BridgeClient:
    """Return this process's client; nothing is connected or booted before the first request."""
    with _slot.guard:
        if _slot.client is None:
            _slot.client = BridgeClient()
        return _slot.client
