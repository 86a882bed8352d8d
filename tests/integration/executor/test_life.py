"""Signals, lost sockets and modules that cannot be imported in; exits and reasons out."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.executor import WorkerUnderTest, exists
from waymark_schema.wire.frames import Hello
from waymark_schema.wire.framing import FrameReader, decode_to_pool

JOBS = "tests.integration.executor.jobs"


async def test_drain_finishes_what_runs_and_exits_zero(tmp_path: Path) -> None:
    async with WorkerUnderTest(JOBS) as worker:
        await worker.said_hello()
        (ticket,) = worker.start(("blocks", {"directory": str(tmp_path)}))
        await exists(tmp_path / "blocks-resource")
        worker.drain()
        (tmp_path / "release").touch()
        assert (await worker.end(ticket)).kind == 0
        assert await worker.exit_code() == 0


async def test_a_drain_of_an_idle_worker_ends_it(tmp_path: Path) -> None:
    async with WorkerUnderTest(JOBS) as worker:
        await worker.said_hello()
        worker.drain()
        assert await worker.exit_code() == 0


async def test_sigterm_drains_and_sigint_is_ignored(tmp_path: Path) -> None:
    async with WorkerUnderTest(JOBS) as worker:
        await worker.said_hello()
        worker.process.send_signal(signal.SIGINT)
        assert await worker.value("double", x=4) == 8
        (ticket,) = worker.start(("blocks", {"directory": str(tmp_path)}))
        await exists(tmp_path / "blocks-resource")
        worker.process.send_signal(signal.SIGTERM)
        (tmp_path / "release").touch()
        assert (await worker.end(ticket)).kind == 0
        assert await worker.exit_code() == 0


async def test_a_worker_whose_pool_is_gone_exits_at_once(tmp_path: Path) -> None:
    async with WorkerUnderTest(JOBS) as worker:
        await worker.said_hello()
        worker.start(("waits", {"directory": str(tmp_path)}))
        await exists(tmp_path / "waits-resource")
        worker.hang_up()
        assert await worker.exit_code() == 1


async def test_a_stream_that_is_no_protocol_ends_the_worker_with_a_reason() -> None:
    async with WorkerUnderTest(JOBS) as worker:
        await worker.said_hello()
        worker.send_bytes(b"GET / HTTP/1.1\r\n\r\n")
        assert await worker.exit_code() == 1
        assert worker.process.stderr is not None
        assert b"waymark worker: a frame of" in await worker.process.stderr.read()


async def test_os_exit_in_an_action_is_seen_as_a_closed_socket() -> None:
    async with WorkerUnderTest(JOBS) as worker:
        await worker.said_hello()
        worker.start(("die", {}))
        await worker.until(lambda: worker.closed or True)
        assert await worker.exit_code() == 9


@pytest.mark.skipif(sys.platform != "linux", reason="the signal of a parent's death is Linux's")
def test_a_worker_that_blocks_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    parent = """
import os, socket, subprocess, sys, time
ours, theirs = socket.socketpair()
child = subprocess.Popen(
    [sys.executable, "-m", "waymark.executor", "--socket-fd", str(theirs.fileno()),
     "--modules", "stuck_module"],
    pass_fds=(theirs.fileno(),),
)
print(child.pid, flush=True)
sys.stdin.read()
os._exit(0)
"""
    (tmp_path / "stuck_module.py").write_text(
        "import pathlib, time\npathlib.Path('stuck').touch()\ntime.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    watch = os.pidfd_open(pid)
    try:
        asyncio.run(exists(tmp_path / "stuck"))
        process.kill()
        process.communicate()
        import select  # noqa: PLC0415 - only here

        assert select.select([watch], [], [], 20)[0], "the worker outlived its parent"
    finally:
        os.close(watch)


async def failure(module: str, cwd: Path, **environment: str) -> str:
    async with WorkerUnderTest(module, cwd=cwd, environment=environment) as worker:
        hello = await worker.said_hello()
        assert [failed.module for failed in hello.failures] == [module]
        worker.drain()
        assert await worker.exit_code() == 0
        return hello.failures[0].message


async def test_a_module_that_is_not_there_names_the_path_and_the_nearest(tmp_path: Path) -> None:
    package = tmp_path / "yourapp"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "workflows.py").touch()
    message = await failure("yourap.workflows", tmp_path)
    assert "module 'yourap.workflows' cannot be imported: no module named 'yourap'" in message
    assert str(tmp_path) in message
    assert "Did you mean 'yourapp.workflows'?" in message
    message = await failure("yourapp.workflow", tmp_path)
    assert "Did you mean 'yourapp.workflows'?" in message


async def test_the_current_directory_is_where_modules_are_looked_for_first(tmp_path: Path) -> None:
    (tmp_path / "colorsys.py").write_text(
        "from waymark.actions import action\n@action\ndef mine(): ...\n"
    )
    async with WorkerUnderTest("colorsys", cwd=tmp_path) as worker:
        assert (await worker.said_hello()).actions == ["colorsys:mine"]


async def test_a_module_that_fails_tells_cause_and_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\ny = 1 / 0\n")
    message = await failure("broken", tmp_path)
    assert "ZeroDivisionError: division by zero" in message
    assert f"({tmp_path / 'broken.py'}:2)" in message
    (tmp_path / "unfinished.py").write_text("def f(:\n")
    assert "SyntaxError" in await failure("unfinished", tmp_path)
    (tmp_path / "needy.py").write_text("import no_such_library_at_all\n")
    message = await failure("needy", tmp_path)
    assert "it imports 'no_such_library_at_all', which is not installed here" in message


async def test_an_import_of_what_a_package_of_the_users_lacks_is_not_about_installing(
    tmp_path: Path,
) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "prices.py").touch()
    (package / "flows.py").write_text("from shop.price import of\n")
    message = await failure("shop.flows", tmp_path)
    assert (
        f"it imports 'shop.price', which is not in {package}. Did you mean 'shop.prices'?"
        in message
    )
    assert "Install" not in message
    (tmp_path / "newer.py").write_text("import pydantic.of_a_later_version\n")
    message = await failure("newer", tmp_path)
    assert "it imports 'pydantic.of_a_later_version', which is not installed here" in message


async def test_a_module_that_exits_is_a_failure_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text("import sys\nsys.exit(0)\n")
    assert "it called sys.exit()" in await failure("leaving", tmp_path)


async def test_the_token_is_not_left_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "nosy.py").write_text(
        "import os\nassert 'WAYMARK_WORKER_TOKEN' not in os.environ\n"
    )
    async with WorkerUnderTest("nosy", cwd=tmp_path) as worker:
        assert (await worker.said_hello()).failures == []


async def test_a_setting_that_cannot_be_used_is_said_in_one_line() -> None:
    async with WorkerUnderTest(JOBS, environment={"WAYMARK_MAX_VALUE_BYTES": "much"}) as worker:
        assert await worker.exit_code() == 2
        assert worker.process.stderr is not None
        said = (await worker.process.stderr.read()).decode()
        assert said == (
            "waymark worker: WAYMARK_MAX_VALUE_BYTES is 'much';"
            " expected a whole number of bytes, 1024 to 50331648\n"
        )


async def test_a_worker_can_connect_to_a_path_as_well(tmp_path: Path) -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.put_nowait(await reader.read(1 << 16))
        writer.close()

    server = await asyncio.start_unix_server(accept, tmp_path / "s")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "waymark.executor", "--socket", str(tmp_path / "s")
    )
    async with asyncio.timeout(20):
        body, *_ = FrameReader().feed(await said.get())
        assert isinstance(decode_to_pool(body), Hello)
        assert await process.wait() == 1
    server.close()
    await server.wait_closed()
