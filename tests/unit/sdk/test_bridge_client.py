"""A bridge that answers by script in; what the client makes of it out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from msgspec import structs

from waymark.bridge import client as client_module
from waymark.bridge import protocol
from waymark.bridge.client import BridgeClient
from waymark.bridge.connecting import Opened
from waymark.bridge.link import Link
from waymark.bridge.protocol import Answer, Request, encode
from waymark.errors import BridgeUnavailable, InstanceNotFound
from waymark.requests import StartRequest
from waymark_schema.errors import DatabaseUnreachable, ProgramConflict, SchemaTooNew
from waymark_schema.ids import new_instance_id
from waymark_schema.kinds import InstanceState
from waymark_schema.wire.frames import ProgramReport
from waymark_schema.wire.framing import FrameReader

REPORT = ProgramReport("orders", "1", bytes(32), b"program", b"", "")
HANG_UP = None
"""A script's line: close the connection instead of answering."""


def request_of(**options: object) -> StartRequest:
    return StartRequest(
        id=new_instance_id(),
        program=REPORT,
        inputs=b"i",
        attributes=b"a",
        **options,  # type: ignore[arg-type] # as given
    )


def started(request: Request) -> Answer:
    assert isinstance(request, protocol.Start)
    return protocol.Started(request.request, [run.id for run in request.runs])


@dataclass
class Script:
    """An endpoint whose bridges answer line by line; behind the last line they say nothing."""

    lines: Iterator[Callable[[Request], Answer] | None]
    heard: list[Request] = field(default_factory=list)
    bridges: int = 0

    async def open(self) -> Opened:
        self.bridges += 1
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        link = Link(ours, loop)
        theirs.settimeout(0)
        reader = FrameReader(max_frame_bytes=protocol.MAX_FRAME_BYTES)

        def readable() -> None:
            received = theirs.recv(1 << 20)
            for body in reader.feed(received):
                self.heard.append(protocol.decode_request(body))
                if isinstance(self.heard[-1], protocol.Forget):
                    continue
                line = next(self.lines, lambda _: protocol.Missing(-1))
                if line is HANG_UP:
                    received = b""
                    break
                theirs.sendall(encode(line(self.heard[-1])))
            if not received:
                loop.remove_reader(theirs.fileno())
                theirs.close()

        loop.add_reader(theirs.fileno(), readable)
        self.links.append(link)
        return Opened(link, protocol.Welcome(protocol.PROTOCOL, "0", 0))

    links: list[Link] = field(default_factory=list)


def served(*lines: Callable[[Request], Answer] | None) -> tuple[BridgeClient, Script]:
    script = Script(iter(lines))
    return BridgeClient(lambda: script), script


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "growing", lambda: iter(lambda: 0.0, None))


async def close(script: Script) -> None:
    for link in script.links:
        link.close()
    # The script's own ends see the close in the next turn of the loop.
    for _ in range(3):
        await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0.01)


async def test_what_was_lost_is_asked_again_with_the_same_ids() -> None:
    client, script = served(HANG_UP, HANG_UP, started)
    request = request_of()
    assert await client.start(request) == request.id
    assert script.bridges == 3
    assert len({run.id for asked in script.heard for run in asked.runs}) == 1  # type: ignore[union-attr] # Starts only
    await close(script)


async def test_a_request_that_ends_every_bridge_is_given_up() -> None:
    client, script = served(*[HANG_UP] * 100)
    with pytest.raises(BridgeUnavailable, match="30 bridges ended one after the other"):
        await client.start(request_of())
    assert script.bridges == 30
    await close(script)


async def test_unknown_programs_are_registered_before_the_start_is_repeated() -> None:
    client, script = served(
        lambda asked: protocol.UnknownPrograms(asked.request, [REPORT.digest]),  # type: ignore[union-attr] # no hello
        lambda asked: protocol.Registered(asked.request),  # type: ignore[union-attr] # no hello
        started,
    )
    await client.start(request_of())
    assert [type(asked).__name__ for asked in script.heard] == ["Start", "Register", "Start"]
    await close(script)


async def test_a_program_that_never_stays_is_given_up() -> None:
    def unknown(asked: Request) -> Answer:
        if isinstance(asked, protocol.Register):
            return protocol.Registered(asked.request)
        assert isinstance(asked, protocol.Start)
        return protocol.UnknownPrograms(asked.request, [REPORT.digest])

    client, script = served(*[unknown] * 100)
    with pytest.raises(BridgeUnavailable, match="orders were registered 5 times"):
        await client.start(request_of())
    await close(script)


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        ("DatabaseUnreachable", DatabaseUnreachable),
        ("ProgramConflict", ProgramConflict),
        ("SchemaTooNew", SchemaTooNew),
        ("Sequence", BridgeUnavailable),
        ("", BridgeUnavailable),
        ("__builtins__", BridgeUnavailable),
    ],
)
async def test_a_failure_is_raised_as_the_class_it_was(name: str, raised: type[Exception]) -> None:
    client, script = served(lambda asked: protocol.Failed(asked.request, name, "it said no"))  # type: ignore[union-attr] # no hello
    with pytest.raises(raised, match="it said no"):
        await client.start(request_of())
    await close(script)


async def test_a_cancelled_wait_is_taken_back() -> None:
    client, script = served(started)
    request = request_of()
    await client.start(request)
    script.lines = iter([lambda _: protocol.Missing(999)])
    with pytest.raises(TimeoutError, match=str(request.id)):
        await client.wait(request.id, timeout=0.05)
    await close(script)
    assert [type(asked).__name__ for asked in script.heard] == ["Start", "Wait", "Forget"]


async def test_answers_may_come_in_any_order_and_to_nobody() -> None:
    client, script = served()
    asked: list[protocol.Wait] = []

    def last_first(request: Request) -> Answer:
        assert isinstance(request, protocol.Wait)
        asked.append(request)
        if len(asked) < 3:
            return protocol.Missing(12345)
        for one in asked:
            link._take(protocol.Ended(one.request, InstanceState.COMPLETED, one.id, None))
        return protocol.Registered(54321)

    script.lines = iter([last_first] * 3)
    link = await client._link()
    ids = [new_instance_id() for _ in range(3)]
    outcomes = await asyncio.gather(*(client.wait(each, timeout=5) for each in ids))
    assert [outcome.result for outcome in outcomes] == [each.bytes for each in ids]
    await close(script)


async def test_no_two_workflows_share_a_key() -> None:
    client, script = served(*[started] * 5)
    pairs = [("a", "b:c"), ("a:b", "c"), ("a\\", "b"), ("a", "\\:b"), ("a\\:b", "")]
    for workflow, key in pairs:
        report = structs.replace(REPORT, workflow=workflow)
        await client.start(replace(request_of(idempotency_key=key), program=report))
    sent = [request.runs[0].key for request in script.heard if isinstance(request, protocol.Start)]
    assert sent[0] == "a:b:c", "as it was stored before"
    assert len(set(sent)) == len(pairs)
    await close(script)


async def test_a_missing_run_is_not_found() -> None:
    client, script = served(*[lambda asked: protocol.Missing(asked.request)] * 2)
    with pytest.raises(InstanceNotFound):
        await client.status(UUID(int=7))
    with pytest.raises(InstanceNotFound):
        await client.wait(UUID(int=7))
    await close(script)


async def test_a_large_request_leaves_in_pieces() -> None:
    client, script = served(started, started)
    large = StartRequest(
        id=new_instance_id(), program=REPORT, inputs=bytes(20_000_000), attributes=b""
    )
    small = request_of()
    assert [*await asyncio.gather(client.start(large), client.start(small))] == [large.id, small.id]
    await close(script)


async def test_a_request_that_is_too_large_is_refused_here(monkeypatch: pytest.MonkeyPatch) -> None:
    client, script = served(started)
    monkeypatch.setattr(
        "waymark.bridge.link.encode", lambda frame: encode(frame, max_frame_bytes=50)
    )
    with pytest.raises(ValueError, match="the bridge takes 50 at most"):
        await client.start(request_of())
    await close(script)


async def test_tasks_that_come_at_once_share_one_connection() -> None:
    client, script = served(*[started] * 50)
    await asyncio.gather(*(client.start(request_of()) for _ in range(50)))
    assert script.bridges == 1
    await close(script)
