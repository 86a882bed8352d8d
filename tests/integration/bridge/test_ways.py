"""Bridges elsewhere, in this process, of other versions and of other users in; runs, or a refusal, out."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.bridge.greetings import Counting
from tests.support.bridges import Bridges, finish, forget_settings, rows
from tests.support.processes import Processes, installed, wait_until
from waymark import BridgeUnavailable
from waymark.bridge import connecting
from waymark.bridge.connecting import host_place
from waymark.bridge.place import private_directory
from waymark.bridge.protocol import PROTOCOL, Welcome, encode

ROOT = Path(__file__).resolve().parents[3]


def _set(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    forget_settings()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_sidecar_serves_by_address_and_token(
    bridges: Bridges, database_url: str, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{_free_port()}"
    _set(monkeypatch, WAYMARK_BRIDGE_ADDR=address, WAYMARK_BRIDGE_TOKEN="open sesame")
    sidecar = await asyncio.to_thread(processes.start_command, "waymark-bridge")
    monkeypatch.delenv("WAYMARK_DATABASE_URL")
    forget_settings()
    run = await Counting.start(1)
    await asyncio.to_thread(finish, database_url, [run.id], result=4)
    assert await run.result(timeout=20) == 4
    assert bridges.sockets == []
    _set(monkeypatch, WAYMARK_BRIDGE_TOKEN="guessed")
    with pytest.raises(BridgeUnavailable, match="WAYMARK_BRIDGE_TOKEN"):
        await Counting.start(2)
    assert await asyncio.to_thread(sidecar.terminate) == 0
    assert len(rows(database_url)) == 1


async def test_no_sidecar_is_told(bridges: Bridges, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "SIDECAR_SECONDS", 0.3)
    _set(monkeypatch, WAYMARK_BRIDGE_ADDR=f"127.0.0.1:{_free_port()}")
    with pytest.raises(BridgeUnavailable, match=r"no bridge answers at 127\.0\.0\.1"):
        await Counting.start(1)
    _set(monkeypatch, WAYMARK_BRIDGE_ADDR="localhost")
    with pytest.raises(BridgeUnavailable, match="expected host:port"):
        await Counting.start(1)


def test_a_sidecar_without_a_token_does_not_start(bridges: Bridges, processes: Processes) -> None:
    sidecar = processes.start_command(
        "waymark-bridge", environment={"WAYMARK_BRIDGE_ADDR": f"127.0.0.1:{_free_port()}"}
    )
    assert sidecar.wait() == 78
    assert "WAYMARK_BRIDGE_TOKEN" in sidecar.output
    assert "Traceback" not in sidecar.output


def test_a_bridge_in_this_process_boots_no_other(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    script = """
import asyncio, os, sys
from tests.integration.bridge.greetings import Counting

async def main():
    runs = await asyncio.gather(*(Counting.start(number) for number in range(30)))
    try:
        await runs[0].result(timeout=0.1)
    except TimeoutError:
        print("waited")

asyncio.run(main())
Counting.start_sync(30)
if (child := os.fork()) == 0:
    Counting.start_sync(31)
    sys.exit(0)
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", script],
        cwd=ROOT,
        env=processes.environment({"WAYMARK_BRIDGE_MODE": "inprocess"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "waited\n0\n", "")
    assert list(bridges.home.iterdir()) == []
    assert len(rows(database_url)) == 32


def test_runs_in_memory_need_neither_bridge_nor_database(bridges: Bridges) -> None:
    program = (
        "from tests.integration.bridge.greetings import Greeting\n"
        "run = Greeting.start_sync('you')\n"
        "print(run.result_sync(), run.status_sync(), Greeting().run_sync('me'))"
    )
    environment = {**os.environ, "WAYMARK_BRIDGE_IN_MEMORY": "true"}
    del environment["WAYMARK_DATABASE_URL"]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("hello you completed hello me\n", "")
    assert bridges.pids == []


@contextmanager
def _impostor(answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """Serve the place of this process's bridge with something else."""
    place = host_place()
    private_directory(place.directory)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place.socket))
        listening.listen()

        def serve() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.recv(65536)
                answer(connected)
                connected.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("protocol", "older"),
    [(PROTOCOL + 1, "this process"), (PROTOCOL - 1, "the bridge")],
)
async def test_another_protocol_is_told_with_who_is_older(
    bridges: Bridges, protocol: int, older: str
) -> None:
    def answer(connected: socket.socket) -> None:
        connected.sendall(encode(Welcome(protocol, "9.9", 1)))

    with (
        _impostor(answer),
        pytest.raises(BridgeUnavailable, match=rf"{older} \(waymark-sdk .*\) is older than"),
    ):
        await Counting.start(1)


async def test_a_bridge_that_says_nothing_is_told(
    bridges: Bridges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "HELLO_SECONDS", 0.3)
    with (
        _impostor(lambda connected: None),
        pytest.raises(BridgeUnavailable, match="did not answer within"),
    ):
        await Counting.start(1)


async def test_something_else_that_answers_is_told(bridges: Bridges) -> None:
    def answer(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with (
        _impostor(answer),
        pytest.raises(BridgeUnavailable, match="what answers as the bridge is none"),
    ):
        await Counting.start(1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_socket_that_another_user_serves_is_refused(bridges: Bridges) -> None:
    place = host_place()
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        # Listens as somebody else: a process that was root, say, and gave that up.
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(place.socket))
            os.setresuid(65534, 65534, 65534)
            listening.listen()
            os.write(told, b"!")
            signal.pause()
        os._exit(0)
    try:
        os.read(ready, 1)
        with pytest.raises(
            BridgeUnavailable, match="is served by user 65534; expected a bridge of"
        ):
            Counting.start_sync(1)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(told)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_bridge_answers_nobody_elses_processes(bridges: Bridges) -> None:
    Counting.start_sync(1)
    (path,) = bridges.sockets
    bridges.home.chmod(0o777)
    path.parent.chmod(0o777)
    path.chmod(0o777)
    script = f"""
import os, socket, sys
os.setresuid(65534, 65534, 65534)
with socket.socket(socket.AF_UNIX) as connected:
    connected.settimeout(10)
    connected.connect({str(path)!r})
    try:
        received = connected.recv(100)
    except ConnectionResetError:
        received = b""
    os._exit(0 if received == b"" else 1)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
    wait_until(lambda: "belongs to another user" in bridges.log, what="the bridge notes it")


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [installed("waymark"), "bridge", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
def test_the_bridge_can_be_seen_and_stopped(bridges: Bridges) -> None:
    none = _command("status")
    assert (none.returncode, none.stderr) == (1, "")
    assert none.stdout.startswith("no bridge runs for ")
    assert _command("stop").stdout.startswith("no bridge runs for ")
    assert list(bridges.home.glob("*/*.lock")) == []
    run = Counting.start_sync(1)
    pid = bridges.pid
    seen = json.loads(_command("status", "--json").stdout)
    assert (seen["pid"], seen["running"], seen["connected"], seen["awaited"]) == (
        pid,
        True,
        True,
        0,
    )
    assert seen["clients"] == 2
    assert f"bridge {pid}, waymark-sdk " in _command("status").stdout
    stopped = _command("stop")
    assert stopped.stdout.startswith(f"stopped bridge {pid} of ")
    assert bridges.pids == []
    assert run.status_sync() == "queued"


def test_a_bridge_that_hangs_can_be_stopped(
    bridges: Bridges, monkeypatch: pytest.MonkeyPatch, processes: Processes
) -> None:
    Counting.start_sync(1)
    pid = bridges.pid
    os.kill(pid, signal.SIGSTOP)
    script = """
from waymark.bridge import connecting
connecting.HELLO_SECONDS = 0.5
from waymark_schema.cli import main
main()
"""
    hurried = [sys.executable, "-c", script, "bridge", "stop"]
    done = subprocess.run(hurried, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.startswith(f"stopped bridge {pid} of "), done.stderr
    assert bridges.pids == []


def test_a_second_bridge_in_the_foreground_says_who_serves(
    bridges: Bridges, processes: Processes
) -> None:
    first = processes.start_command("waymark-bridge")
    first.wait_for_line("serves")
    wait_until(lambda: bridges.sockets, what="the socket")
    second = processes.start_command("waymark-bridge")
    assert second.wait() == 78
    assert f"process {first.pid} already is the bridge" in second.output
    Counting.start_sync(1)
    assert bridges.pid == first.pid
    assert first.interrupt() == 0
    assert bridges.sockets == []
