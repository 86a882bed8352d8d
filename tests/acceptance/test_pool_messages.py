"""Bad input for `waymark-start-workers` in; the exact first screen, and that nothing is left of the try, out."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
import pytest

from tests.acceptance.desk import CANNOT_START, MESSAGES, MOST_LINES, Case, Desk, left_in

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]

# Stands in for a server, and for an installation, that this machine does not have.
OLD_SERVER = "import waymark_schema.database.sessions as room; room.MINIMUM_SERVER = 990_000"
NO_WEB = (
    "import importlib.util; found = importlib.util.find_spec;"
    " importlib.util.find_spec = lambda name, *rest: None if name == 'waymark_web' else found(name, *rest)"
)

CASES = [
    Case("no_database_url", {"WAYMARK_DATABASE_URL": ""}),
    Case("wrong_database_url", {"WAYMARK_DATABASE_URL": "mysql://app:hush@db/app"}),
    Case(
        "unreachable_server", {"WAYMARK_DATABASE_URL": "postgresql://app:hush@127.0.0.1:{PORT}/app"}
    ),
    Case("unknown_database", {"WAYMARK_DATABASE_URL": "{NOBODYS}"}),
    Case("old_server", stand_in=OLD_SERVER),
    Case("no_create_permission", {"WAYMARK_DATABASE_URL": "{POOR}"}, migrated=False),
    Case("newer_schema", before="update waymark.migrations set minimum_code = 999"),
    Case("no_module", {"WAYMARK_USER_MODULE": ""}),
    Case("unknown_module", {"WAYMARK_USER_MODULE": "goood"}),
    Case("module_with_missing_import", {"WAYMARK_USER_MODULE": "broken"}),
    Case("module_that_fails", {"WAYMARK_USER_MODULE": "failing"}),
    Case("module_that_exits", {"WAYMARK_USER_MODULE": "leaving"}),
    Case("module_that_starts_a_run", {"WAYMARK_USER_MODULE": "starting"}),
    Case("module_that_awaits_a_run", {"WAYMARK_USER_MODULE": "awaiting"}),
    Case("module_without_anything", {"WAYMARK_USER_MODULE": "blank"}),
    Case("uncompilable_workflow", {"WAYMARK_USER_MODULE": "uncompilable"}),
    Case("web_not_installed", {"WAYMARK_WEBAPP_ENABLED": "true"}, stand_in=NO_WEB),
    Case("wrong_web_address", {"WAYMARK_WEBAPP_ENABLED": "yes", "WAYMARK_WEBAPP_ADDR": "here"}),
    Case(
        "busy_port",
        {"WAYMARK_WEBAPP_ENABLED": "true", "WAYMARK_WEBAPP_ADDR": "127.0.0.1:{BUSY}"},
    ),
    Case("web_login", {"WAYMARK_WEBAPP_ENABLED": "true", "WAYMARK_WEBAPP_AUTH": "basic:me:hush"}),
    Case("wrong_number", {"WAYMARK_WORKER_COUNT": "two"}),
    Case("wrong_bounds", {"WAYMARK_LOCK_TTL_MS": "50"}),
    Case("wrong_heartbeat", {"WAYMARK_LOCK_HEARTBEAT_MS": "12000"}),
    Case("hang_below_a_tick", {"WAYMARK_WORKER_HANG_MS": "1000"}),
    Case("wrong_choice", {"WAYMARK_LOG_LEVEL": "loud"}),
    Case("wrong_truth", {"WAYMARK_AUTO_MIGRATE": "perhaps"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_start_that_cannot_work_says_what_to_do(
    desk_on: Callable[[Case], Desk], case: Case
) -> None:
    desk = desk_on(case)
    pool = desk.start(case)
    status = pool.wait(seconds=60)
    shown = desk.normal(pool.output) + "\n"
    expected = (MESSAGES / f"pool_{case.name}.txt").read_text(encoding="utf-8")
    assert shown == expected
    assert status == CANNOT_START
    assert len(pool.lines) <= MOST_LINES
    assert "Traceback" not in pool.output
    assert "hush" not in pool.output
    desk.processes.assert_none_left()
    assert left_in(desk.url) == []


def test_every_message_is_of_a_case() -> None:
    assert {path.stem for path in MESSAGES.glob("pool_*.txt")} == {
        f"pool_{case.name}" for case in CASES
    }


def test_a_variable_that_nobody_reads_is_warned_of_with_the_nearest_name(
    desk_on: Callable[[Case], Desk],
) -> None:
    case = Case("typing mistake", {"WAYMARK_WORKERS_COUNT": "3"})
    pool = desk_on(case).start(case)
    pool.wait_for_line(r"pool\.ready")
    told = [line for line in pool.lines if "WAYMARK_WORKERS_COUNT" in line]
    assert len(told) == 1, "once for the whole pool"
    assert "did you mean WAYMARK_WORKER_COUNT?" in told[0]
    assert pool.terminate() == 0


@pytest.mark.slow
def test_a_module_that_takes_long_to_import_is_named(desk_on: Callable[[Case], Desk]) -> None:
    case = Case("slow", {"WAYMARK_USER_MODULE": "endless"})
    desk = desk_on(case)
    pool = desk.start(case)
    pool.wait_for_line(r"pool\.not_ready: workers have been importing endless for 15 s", seconds=60)
    assert pool.terminate() == 0
    desk.processes.assert_none_left()


def test_the_first_line_says_what_runs_where_and_why(desk_on: Callable[[Case], Desk]) -> None:
    case = Case("fine")
    desk = desk_on(case)
    pool = desk.start(case)
    line = pool.wait_for_line(r"pool\.ready.*")[0]
    assert re.fullmatch(
        r"pool\.ready: pool \d+ on \{DATABASE\}: 2 workers \(WAYMARK_WORKER_COUNT\), 20 slots,"
        r" 1 workflow, 1 action",
        desk.normal(line),
    )
    assert pool.terminate() == 0


def test_a_server_that_may_lose_commits_is_warned_of(desk_on: Callable[[Case], Desk]) -> None:
    case = Case("fine")
    desk = desk_on(case)
    with psycopg.connect(desk.url) as connection:
        (fsync,) = connection.execute("show fsync").fetchone() or ("",)
    pool = desk.start(case)
    pool.wait_for_line(r"pool\.ready")
    assert ("fsync = off" in pool.output) is (fsync == "off")
    assert pool.terminate() == 0
