"""The private Postgres ends when its owner does, whatever happens to the owner."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from tests.support.processes import Child, Processes, descendants, wait_for_end
from waymark_worker.embedded import EmbeddedServer

pytestmark = pytest.mark.postgres


def _own(processes: Processes, home: Path, *extra: str) -> tuple[Child, int, str]:
    owner = processes.start_python("-m", "tests.support.pg_owner", home, *extra)
    ready = owner.wait_for_line(r"ready owner=\d+ server=(\d+) (\S+)")
    return owner, int(ready[1]), ready[2]


def _segments() -> set[str]:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {line.split()[1] for line in lines}


def _segment_of(home: Path) -> str:
    return (home / "postgres" / "postmaster.pid").read_text().splitlines()[6].split()[1]


@pytest.mark.parametrize("guard", ["signal", "watchdog"])
def test_kill_9_of_the_owner_leaves_no_process_and_no_shared_memory(
    processes: Processes, private_home: Path, guard: str
) -> None:
    owner, server, url = _own(processes, private_home, guard)
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select 1 as one")
    backends = descendants(server)
    segment = _segment_of(private_home)
    assert len(backends) > 2
    assert segment in _segments()
    owner.kill()
    wait_for_end([server, *backends])
    processes.assert_none_left()
    assert segment not in _segments()
    assert list((private_home / "socket").iterdir()) == []
    with EmbeddedServer(private_home) as again, psycopg.connect(again.dsn) as connection:
        assert connection.execute("select one from kept").fetchone() == (1,)


def test_kill_9_of_the_owner_ends_sessions_that_are_busy(
    processes: Processes, private_home: Path
) -> None:
    owner, server, url = _own(processes, private_home)
    with psycopg.connect(url) as connection:
        backend = connection.info.backend_pid
        connection.pgconn.send_query(b"select pg_sleep(3600)")
        owner.kill()
        wait_for_end([server, backend])
        connection.close()


def test_a_signal_that_ends_the_owner_ends_the_server(
    processes: Processes, private_home: Path
) -> None:
    owner, server, _ = _own(processes, private_home)
    owner.send(signal.SIGTERM)
    assert owner.wait() == -signal.SIGTERM
    wait_for_end([server])
    processes.assert_none_left()


def test_the_thread_that_started_it_may_end(processes: Processes, private_home: Path) -> None:
    owner, server, url = _own(processes, private_home, "signal", "--short-lived-thread")
    with psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    owner.kill()
    wait_for_end([server])


def test_ctrl_c_in_the_terminal_reaches_the_owner_only(
    processes: Processes, private_home: Path
) -> None:
    owner, server, _url = _own(processes, private_home)
    assert os.getpgid(server) != os.getpgid(owner.pid)
    assert os.getsid(server) != os.getsid(owner.pid)


@pytest.mark.parametrize("turn", range(3))
def test_kill_9_while_it_starts_leaves_nothing_and_the_next_start_works(
    processes: Processes, private_home: Path, turn: int
) -> None:
    owner = processes.start_python("-m", "tests.support.pg_owner", private_home)
    marks = ["postgres.lock", "postgres.unfinished/PG_VERSION", "postgres/PG_VERSION"]
    while not (private_home / marks[turn]).exists() and owner.running:
        os.sched_yield()
    owner.kill()
    processes.assert_none_left()
    with EmbeddedServer(private_home) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_forked_child_does_not_stop_the_server(private_home: Path) -> None:
    with EmbeddedServer(private_home, options={"fsync": "off"}) as server:
        child = os.fork()
        if child == 0:
            server.stop()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with psycopg.connect(server.dsn) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
