"""The environment in; a server that serves, refuses with a sentence, and ends when it should, out."""

import asyncio
import os
import signal
import socket

import httpx
import pytest

from tests.fixtures.postgres import PostgresServer
from tests.support.databases import migrate
from tests.support.processes import Processes, wait_for_end, wait_until
from tests.support.staged_runs import Stage, every_state
from tests.support.web import READY, WebServer, start_web

pytestmark = pytest.mark.postgres
CANNOT_START = 78


def _first_screen(processes: Processes, **environment: str) -> list[str]:
    child = processes.start_command("waymark-web", environment=environment)
    assert child.wait() == CANNOT_START
    assert "Traceback" not in child.output
    assert len(child.lines) <= 15
    return child.lines


def test_sigterm_ends_it_in_order_while_a_browser_holds_a_connection(web: WebServer) -> None:
    with httpx.Client() as browser:
        assert browser.get(web.url).status_code == 200
        assert web.process.terminate(seconds=15) == 0
    assert "Traceback" not in web.process.output


def test_it_says_where_it_serves_and_never_the_password(
    processes: Processes, database_url: str
) -> None:
    web = start_web(processes, database_url)
    assert "WARNING" not in web.process.output
    assert web.process.output.count("ready: ") == 1
    assert "password" not in web.process.output


def test_without_a_database_url_it_says_what_to_set(processes: Processes) -> None:
    lines = _first_screen(processes, WAYMARK_DATABASE_URL="")
    assert lines[0].startswith("waymark-web: WAYMARK_DATABASE_URL is not set; expected")


def test_a_server_that_does_not_answer_is_named_without_the_password(processes: Processes) -> None:
    lines = _first_screen(
        processes,
        WAYMARK_DATABASE_URL="postgresql://app:hunter2@127.0.0.1:1/app",
        WAYMARK_DATABASE_WAIT_S="0",
        WAYMARK_WEBAPP_ADDR="127.0.0.1:0",
    )
    assert lines[0] == "waymark-web: cannot reach the database app on 127.0.0.1:1 as app."
    assert "hunter2" not in "\n".join(lines)


def test_a_database_that_does_not_exist_is_refused_at_once(
    processes: Processes, database_url: str
) -> None:
    wrong = database_url.replace("/test_", "/nowhere_", 1)
    lines = _first_screen(processes, WAYMARK_DATABASE_URL=wrong, WAYMARK_WEBAPP_ADDR="127.0.0.1:0")
    assert "refused the connection" in lines[0]


def test_a_busy_port_is_named_with_the_way_out(processes: Processes, database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        address = f"127.0.0.1:{port}"
        lines = _first_screen(
            processes, WAYMARK_DATABASE_URL=database_url, WAYMARK_WEBAPP_ADDR=address
        )
    assert lines[0] == f"waymark-web: cannot listen on {address}: another process already does."
    assert "WAYMARK_WEBAPP_ADDR" in lines[1]
    assert lines[1].endswith(f" 127.0.0.1:{port % 65_535 + 1}."), "a port that is not the busy one"


@pytest.mark.parametrize("address", ["somewhere", "host.invalid:80", "203.0.113.7:8000"])
def test_an_address_that_cannot_be_served_is_refused(
    processes: Processes, database_url: str, address: str
) -> None:
    lines = _first_screen(processes, WAYMARK_DATABASE_URL=database_url, WAYMARK_WEBAPP_ADDR=address)
    assert address in lines[0]


_PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "waymark_web", "--with-parent", str(os.getpid())])
print("server", child.pid, flush=True)
child.wait()
"""


def test_it_ends_with_the_process_that_started_it_and_leaves_the_port_to_a_successor(
    processes: Processes, database_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = {"WAYMARK_DATABASE_URL": database_url, "WAYMARK_WEBAPP_ADDR": address}
    first = processes.start_python("-c", _PARENT, environment=environment)
    first.wait_for_line(READY)
    server = int(first.wait_for_line(r"server (\d+)")[1])
    first.kill()
    second = processes.start_python("-c", _PARENT, environment=environment)
    second.wait_for_line(READY)
    wait_for_end([server])
    os.kill(second.pid, signal.SIGKILL)


def test_a_killed_server_leaves_no_worker_behind(processes: Processes, web: WebServer) -> None:
    web.process.kill()
    processes.assert_none_left()


async def test_it_serves_what_pools_leave_behind_to_many_readers_at_once(
    stage: Stage, web: WebServer
) -> None:
    story = await every_state(stage)
    paths = ["/", "/workers", "/healthz", *(f"/runs/{run}" for run in story.values())] * 8
    async with httpx.AsyncClient(base_url=web.url, timeout=30) as client:
        answers = await asyncio.gather(*(client.get(path) for path in paths))
    assert {answer.status_code for answer in answers} == {200}
    assert "Ada &lt;ada@example.org&gt;" in answers[3].text


def test_odd_addresses_are_answered_and_nothing_breaks(web: WebServer) -> None:
    for path in (
        "/static/x/../../../etc/passwd",
        "/runs/%00%ff",
        "/?workflow=%00%ed%a0%80",
        "//",
        "/%2e%2e/",
        "/?" + "x" * 20_000,
    ):
        assert web.get(path).status_code in {200, 400, 404, 414}, path
    assert "Traceback" not in web.process.output


def test_log_lines_are_json_when_asked_for(processes: Processes, database_url: str) -> None:
    web = start_web(processes, database_url, environment={"WAYMARK_LOG_FORMAT": "json"})
    assert web.process.lines[0].startswith('{"timestamp"')


def test_the_waymark_command_has_it_too(processes: Processes) -> None:
    shown = processes.start_command("waymark", "web", "--help")
    assert shown.wait() == 0
    assert "WAYMARK_WEBAPP_ADDR" in shown.output


@pytest.mark.slow
def test_while_the_database_is_away_pages_say_so_and_come_back_by_themselves(
    processes: Processes, postgres_server: PostgresServer
) -> None:
    web = start_web(processes, postgres_server.database_url)
    assert web.get("/").status_code == 200
    postgres_server.stop()
    for path in ("/", "/workers", "/runs/0192d0f1-5f6e-7a3c-9d53-2b1f3a1f0c55"):
        away = web.get(path)
        assert away.status_code == 503
        assert "comes back by itself" in away.text
    told = web.fragment("/")
    assert told.status_code == 503
    assert "<html" not in told.text
    assert web.get("/healthz").json()["status"] == "unavailable"
    assert web.get("/static/nothing/x.css").status_code == 404, "what needs no database goes on"
    postgres_server.start()
    wait_until(lambda: web.get("/").status_code == 200, what="the pages are back")
    assert web.get("/healthz").json()["status"] == "ok"
    postgres_server.kill()
    assert web.get("/healthz").status_code == 503
    postgres_server.start()
    wait_until(lambda: web.get("/healthz").status_code == 200, what="the pages are back")
    assert "Traceback" not in web.process.output


def test_without_tables_it_serves_a_page_that_says_how_to_make_them(
    processes: Processes, empty_database_url: str
) -> None:
    web = start_web(processes, empty_database_url)
    assert "waymark migrate up" in web.process.output
    missing = web.get("/")
    assert missing.status_code == 503
    assert "waymark migrate up" in missing.text
    health = web.get("/healthz")
    assert health.status_code == 503
    assert "waymark migrate up" in health.json()["error"]
    migrate(empty_database_url)
    assert web.get("/").status_code == 200
    assert web.get("/healthz").status_code == 200
