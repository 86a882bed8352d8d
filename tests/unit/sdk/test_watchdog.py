"""A loop that stands still in; what its thread tells of it, and what it takes back, out."""

import asyncio
import socket
from typing import Any

import msgspec

from waymark.attempts import ActionAttempt, running_attempt
from waymark.executor.watchdog import Admission, Watchdog
from waymark_schema.wire.frames import Blocked, FromWatch, TakeBack, TakenBack
from waymark_schema.wire.framing import FrameReader, encode_frame

NEVER = 60.0


def _next_frame(connection: socket.socket, reader: FrameReader) -> Any:
    """Wait for one frame in the loop's own thread: the loop stands still meanwhile."""
    while True:
        for body in reader.feed(connection.recv(65_536)):
            return msgspec.msgpack.decode(body, type=FromWatch)


async def test_a_thread_tells_who_keeps_the_loop_and_takes_back_what_has_not_begun() -> None:
    ours, theirs = socket.socketpair()
    ours.settimeout(NEVER)
    reader, admission = FrameReader(), Admission()
    mine = ActionAttempt(bytes(16), 0, 1)
    this = asyncio.current_task()

    def ticket_of(attempt: ActionAttempt | None, task: asyncio.Task[object] | None) -> int:
        return 7 if attempt is mine or task is this else -1

    with ours, theirs:
        Watchdog(theirs, asyncio.get_running_loop(), admission, ticket_of=ticket_of).start()
        running_attempt.set(mine)
        assert admission.begin(7)
        told = _next_frame(ours, reader)
        assert isinstance(told, Blocked)
        assert told.ticket == 7
        assert told.seconds >= 1.0
        assert told.place.startswith("_next_frame (")
        assert "test_watchdog.py:" in told.place
        ours.sendall(encode_frame(TakeBack([5, 7, 8, 9])))
        answer = _next_frame(ours, reader)
        while isinstance(answer, Blocked):
            answer = _next_frame(ours, reader)
        assert answer == TakenBack([8, 9])
        # It holds when the loop moves again.
        assert [admission.begin(ticket) for ticket in (8, 9, 10)] == [False, False, True]
        ours.shutdown(socket.SHUT_RDWR)


async def test_a_loop_that_moves_is_not_told_of() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        loop = asyncio.get_running_loop()
        Watchdog(theirs, loop, Admission(), ticket_of=lambda _attempt, _task: -1).start()
        # Still answers what comes late.
        await loop.sock_sendall(ours, encode_frame(TakeBack([1])))
        (body,) = FrameReader().feed(await loop.sock_recv(ours, 65_536))
        assert msgspec.msgpack.decode(body, type=FromWatch) == TakenBack([1])
        ours.shutdown(socket.SHUT_RDWR)


def test_a_ticket_is_decided_once() -> None:
    admission = Admission()
    assert admission.begin(1)
    assert admission.revoke([1, 2, 3]) == [2, 3]
    assert not admission.begin(2)
    assert admission.revoke([2]) == []
    assert not admission.begin(3)
    assert admission.begin(4)
