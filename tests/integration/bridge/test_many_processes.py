"""Applications of every kind in: loops, threads, forks, odd containers; runs that start in all of them out."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.integration.bridge.greetings import Counting
from tests.support.bridges import Bridges, finish, rows
from tests.support.namespaces import unsharing
from tests.support.processes import Processes, installed, wait_until

ROOT = Path(__file__).resolve().parents[3]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def _python(
    processes: Processes, script: str, *options: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end, every warning an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", script],
        cwd=ROOT,
        env=processes.environment(variables),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _fine(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_loop_for_each_call_leaves_nothing_behind(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    script = """
import asyncio, gc, os
from tests.integration.bridge.greetings import Counting

def open_now():
    return len(os.listdir("/proc/self/fd"))

async def once(number):
    return await Counting.start(number)

asyncio.run(once(0))
before = open_now()
for number in range(1, 30):
    asyncio.run(once(number))
assert open_now() == before, (before, open_now())
run = asyncio.run(once(30))
try:
    asyncio.run(run.result(timeout=0.1))
except TimeoutError:
    print("timed out")
loop = asyncio.new_event_loop()
loop.run_until_complete(once(31))
waiting = loop.create_task(run.result())
loop.run_until_complete(asyncio.wait([waiting], timeout=0.1))
waiting.cancel()
loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
loop.close()
asyncio.run(once(32))
gc.collect()
assert open_now() == before, (before, open_now())
"""
    assert _fine(_python(processes, script)) == "timed out\n"
    assert len(rows(database_url)) == 33


def test_several_loops_in_threads_and_synchronous_calls_share_a_process(
    bridges: Bridges, database_url: str
) -> None:
    failures: list[BaseException] = []

    def asynchronous(number: int) -> None:
        async def start_some() -> None:
            await asyncio.gather(*(Counting.start(number * 100 + each) for each in range(20)))

        try:
            asyncio.run(start_some())
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    def synchronous(number: int) -> None:
        try:
            for each in range(20):
                Counting.start_sync(number * 100 + each)
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [
        threading.Thread(target=target, args=(number,))
        for number in range(8)
        for target in (asynchronous, synchronous)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(rows(database_url)) == 320
    assert len(bridges.pids) == 1


@pytest.mark.slow
def test_parent_and_forked_children_go_on_starting_runs(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    script = """
import asyncio, os, sys
from tests.integration.bridge.greetings import Counting

async def some(first):
    await asyncio.gather(*(Counting.start(first + each) for each in range(10)))

Counting.start_sync(0)
asyncio.run(some(100))
children = []
for number in range(1, 4):
    child = os.fork()
    if child == 0:
        Counting.start_sync(number)
        asyncio.run(some(number * 100))
        Counting.start_sync(number)
        sys.exit(0)
    children.append(child)
Counting.start_sync(5)
asyncio.run(some(500))
statuses = [os.waitpid(child, 0)[1] for child in children]
Counting.start_sync(6)
print(statuses)
"""
    done = _python(processes, script, "-W", "ignore::DeprecationWarning")
    assert _fine(done) == "[0, 0, 0]\n"
    assert len(rows(database_url)) == 1 + 10 + 3 * 12 + 1 + 10 + 1


def test_a_waiting_parent_is_not_disturbed_by_a_fork(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    script = """
import asyncio, os, sys
from tests.integration.bridge.greetings import Counting

async def main():
    run = await Counting.start(1)
    print(run.id, flush=True)
    waiting = asyncio.ensure_future(run.result(timeout=60))
    await asyncio.wait([waiting], timeout=0.1)
    child = await asyncio.to_thread(forked)
    assert os.waitpid(child, 0)[1] == 0
    print("forked", flush=True)
    print(await waiting, flush=True)

def forked():
    child = os.fork()
    if child == 0:
        asyncio.run(other())
        os._exit(0)
    return child

async def other():
    await Counting.start(2)

asyncio.run(main())
"""
    child = processes.start_python("-W", "ignore", "-c", script, cwd=ROOT)
    child.wait_for_line("forked")
    finish(database_url, [child.lines[0]], result=8)
    child.wait_for_line("^8$")
    assert child.wait() == 0


def test_gunicorn_with_preload_starts_runs_in_master_and_workers(
    bridges: Bridges, database_url: str, processes: Processes, tmp_path: Path
) -> None:
    web = tmp_path / "web.sock"
    server = processes.start(
        [installed("gunicorn"), "--preload", "--workers", "3", "--threads", "2", "--bind", f"unix:{web}",
         "tests.integration.bridge.preloaded:application"],
        cwd=ROOT,
    )  # fmt: skip
    script = f"""
import http.client, socket
class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect({str(web)!r})
pids = set()
for number in range(3_000):  # which worker answers is the kernel's choice
    if number >= 30 and len(pids) >= 2:
        break
    asked = Local("localhost")
    asked.request("GET", "/")
    answer = asked.getresponse()
    body = answer.read().decode()
    assert answer.status == 200, body
    pids.add(body)
    asked.close()
print(len(pids))
"""
    server.wait_for_line("Booting worker.*")
    wait_until(web.exists, what="gunicorn listens")
    assert int(_fine(_python(processes, script))) >= 2
    assert len(rows(database_url)) == 31
    assert len(bridges.pids) == 1
    assert server.terminate() == 0


def test_a_user_without_a_name_or_home(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    script = """
import os, pwd
assert os.getuid() == 54321 and "HOME" not in os.environ
try:
    pwd.getpwuid(54321)
except KeyError:
    pass
else:
    raise AssertionError("54321 has a name here")
from tests.integration.bridge.greetings import Counting
Counting.start_sync(1)
"""
    beginning = unsharing("--user", "--map-user=54321", "--map-group=54321")
    environment = processes.environment({})
    for name in ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR"):
        environment.pop(name, None)
    done = subprocess.run(
        [*beginning, sys.executable, "-W", "error", "-c", script],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    _fine(done)
    assert len(rows(database_url)) == 1
    assert [path.name for path in bridges.home.iterdir()] == ["waymark-54321"]


@needs_root
def test_a_read_only_system_with_one_writable_directory(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    environment = processes.environment({"TMPDIR": str(bridges.home)})
    del environment["WAYMARK_RUNTIME_DIR"]
    environment.pop("XDG_RUNTIME_DIR", None)
    script = f"""
mount --bind {bridges.home} {bridges.home} && mount -o remount,bind,ro / && cd / || exit 70
for each in /tmp /dev/shm; do
    if mountpoint -q $each; then mount -o remount,bind,ro $each || exit 70; fi
done
exec {sys.executable} -W error -c 'from tests.integration.bridge.greetings import Counting; Counting.start_sync(1)'
"""
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [*unsharing("--mount"), "sh", "-c", script],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode == 70:
        pytest.skip(f"file systems cannot be mounted read-only here: {done.stderr.strip()}")
    _fine(done)
    assert len(rows(database_url)) == 1
    assert bridges.sockets


def test_an_application_that_is_pid_1_collects_no_zombies(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    script = """
import os, signal, subprocess, sys, time
from pathlib import Path
assert os.getpid() == 1
from tests.integration.bridge.greetings import Counting
from tests.support.processes import wait_until

def states():
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and entry.name != "1":
            found[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()[0]
    return found

def bridge():
    (pid,) = [pid for pid in states() if "waymark.bridge" in Path(f"/proc/{pid}/cmdline").read_text()]
    return pid

Counting.start_sync(1)
os.kill(bridge(), signal.SIGKILL)
wait_until(lambda: states() == {}, what=lambda: f"own: {states()}")

child = "from tests.integration.bridge.greetings import Counting; Counting.start_sync(2)"
subprocess.run([sys.executable, "-c", child], check=True)
Counting.start_sync(3)
os.kill(bridge(), signal.SIGKILL)
wait_until(lambda: states() == {}, what=lambda: f"adopted: {states()}")
print("clean")
"""
    unshare = unsharing("--pid", "--fork", "--mount-proc", "--kill-child")
    done = subprocess.run(
        [*unshare, sys.executable, "-c", script],
        cwd=ROOT,
        env=processes.environment({}),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert _fine(done) == "clean\n"


def test_importing_the_sdk_loads_no_driver_and_no_bridge(processes: Processes) -> None:
    script = """
import sys
import waymark
from waymark.bridge.client import shared_client
shared_client()
found = sorted(name for name in sys.modules if name.startswith(("psycopg", "waymark.bridge.")))
print(found)
"""
    loaded = _fine(_python(processes, script))
    assert "psycopg" not in loaded
    assert "daemon" not in loaded


def test_on_windows_the_sdk_imports_and_the_bridge_refuses_in_a_sentence(
    processes: Processes,
) -> None:
    script = """
import asyncio, sys
sys.platform = "win32"
for name in ("fcntl", "pwd", "grp"):
    sys.modules[name] = None
from tests.integration.bridge.greetings import Counting
try:
    asyncio.run(Counting.start(1))
except Exception as error:
    print(type(error).__name__, error)
"""
    # What others made of Linux is loaded already; what counts is what our own modules ask for.
    said = _fine(
        _python(processes, f"import asyncio, subprocess, pydantic_settings, msgspec\n{script}")
    )
    assert said.startswith("BridgeUnavailable the bridge does not run on Windows")
    assert said.count("\n") == 1
