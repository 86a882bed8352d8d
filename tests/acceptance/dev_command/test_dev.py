"""`waymark dev` from outside: what it starts, what it says, and that nothing of it stays."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import psycopg
import pytest

from tests.acceptance.dev_command.conftest import Project
from tests.support.processes import Child, Processes, installed, wait_for_end

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]

_RUN = "from flows import Adding\nprint('sum', Adding().run_sync(41))\n"
# The first terminal that the leader of a session opens is the one whose end it is told of.
_ON_A_TERMINAL = (
    "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
)


def _database(dev: Child) -> str:
    return dev.wait_for_line(r"Postgres +(\S+)")[1]


def _up(dev: Child) -> str:
    return dev.wait_for_line(r"Web +(http://\S+)", seconds=60)[1]


def _server(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_read_file('postmaster.pid')").fetchone()
    assert row is not None
    return int(row[0].split("\n")[0])


def test_one_command_runs_workflows_and_one_ctrl_c_leaves_nothing(
    project: Project, processes: Processes
) -> None:
    dev = project.dev("flows")
    url = _database(dev)
    web = _up(dev)
    assert web == f"http://{project.address}"
    script = project.python(_RUN, database_url=url)
    script.wait_for_line("sum 42", seconds=60)
    assert script.wait() == 0
    with urllib.request.urlopen(f"{web}/healthz") as answer:
        assert answer.status == 200
    assert dev.interrupt() == 0, dev.output
    assert dev.lines[-1] == "Stopped."
    processes.assert_none_left()
    assert (project.directory / ".waymark" / ".gitignore").read_text() == "*\n"


def test_the_next_start_finds_the_data_of_the_last(project: Project) -> None:
    for turn in range(2):
        dev = project.dev("flows")
        with psycopg.connect(_database(dev)) as connection:
            connection.execute("create table if not exists public.turns (turn int)")
            connection.execute("insert into public.turns values (%s)", [turn])
            rows = connection.execute("select turn from public.turns order by 1").fetchall()
            assert rows == [(each,) for each in range(turn + 1)]
        assert dev.terminate() == 0, dev.output


@pytest.mark.slow
def test_kill_9_leaves_nothing(project: Project, processes: Processes) -> None:
    dev = project.dev("flows")
    server = _server(_database(dev))
    dev.wait_for_line(r"Workers +ready", seconds=60)
    dev.kill()
    wait_for_end([server])
    processes.assert_none_left(seconds=30)


@pytest.mark.slow
def test_a_closed_terminal_ends_all_of_it(project: Project, processes: Processes) -> None:
    ours, its = os.openpty()
    environment = processes.environment(project.environment())
    dev = subprocess.Popen(
        [sys.executable, "-c", _ON_A_TERMINAL, installed("waymark"), "dev", "flows"],
        cwd=project.directory,
        env=environment,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    said = b""
    while b"Ready" not in said:
        said += os.read(ours, 4096)
    os.close(ours)
    assert dev.wait(timeout=60) == 0
    processes.assert_none_left()


@pytest.mark.slow
def test_ctrl_c_at_any_moment_leaves_nothing(project: Project, processes: Processes) -> None:
    for landmark in (r"Postgres", r"Schema", r"."):
        dev = project.dev("flows")
        dev.wait_for_line(landmark)
        dev.interrupt()
        processes.assert_none_left()


def test_without_a_module_it_asks_for_one(project: Project) -> None:
    dev = project.dev()
    assert dev.wait() == 2
    assert "waymark dev yourapp.workflows" in dev.output
    assert not (project.directory / ".waymark").exists()


@pytest.mark.slow
def test_a_module_that_cannot_be_imported_ends_it_with_the_reason(
    project: Project, processes: Processes
) -> None:
    dev = project.dev("flaws")
    assert dev.wait(seconds=60) != 0
    assert "flaws" in dev.output
    assert "Traceback" not in dev.output
    processes.assert_none_left()


@pytest.mark.slow
def test_a_second_one_in_the_same_directory_is_refused(project: Project) -> None:
    dev = project.dev("flows")
    server = _server(_database(dev))
    second = project.dev("flows")
    assert second.wait() == 1
    assert f"already running on '{project.directory}/.waymark/postgres' (process {server})" in (
        second.output
    )
    assert "Traceback" not in second.output
    assert dev.running


def test_a_busy_address_is_told_before_anything_starts(project: Project) -> None:
    host, port = project.address.split(":")
    with socket.create_server((host, int(port))):
        dev = project.dev("flows")
        assert dev.wait() == 1
    assert f"something listens on {project.address} already" in dev.output
    assert not (project.directory / ".waymark").exists()


@pytest.mark.slow
def test_a_database_of_the_users_own_is_used_instead(
    project: Project, processes: Processes, empty_database_url: str
) -> None:
    dev = project.dev("flows", database_url=empty_database_url)
    dev.wait_for_line("Postgres +from WAYMARK_DATABASE_URL")
    _up(dev)
    script = project.python(_RUN, database_url=empty_database_url)
    script.wait_for_line("sum 42", seconds=60)
    assert dev.terminate() == 0, dev.output
    assert not (project.directory / ".waymark").exists()
    processes.assert_none_left()


@pytest.mark.slow
def test_without_its_database_it_ends_and_says_so(project: Project, processes: Processes) -> None:
    dev = project.dev("flows")
    server = _server(_database(dev))
    dev.wait_for_line(r"Workers +ready", seconds=60)
    os.kill(server, signal.SIGQUIT)
    assert dev.wait(seconds=60) == 1
    assert "The private Postgres ended by itself" in dev.output
    processes.assert_none_left()
