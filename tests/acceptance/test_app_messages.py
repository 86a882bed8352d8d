"""Bad input for users' programs and the smaller commands in; what they show and that nothing is lost or begun, out.

A program that fails shows Python's own traceback: what is compared is what stands under it, and that
nothing of Waymark's rooms but two of Waymark's own frames stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.acceptance.desk import CANNOT_START, MESSAGES, MOST_LINES, Case, Desk, left_in
from tests.support.processes import Child, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]

UNREACHABLE = {"WAYMARK_DATABASE_URL": "postgresql://app:hush@127.0.0.1:{PORT}/app"}
UNKNOWN = {"WAYMARK_DATABASE_URL": "{NOBODYS}"}
POOR = {"WAYMARK_DATABASE_URL": "{POOR}"}
UNSET = {"WAYMARK_DATABASE_URL": ""}
MYSQL = {"WAYMARK_DATABASE_URL": "mysql://app:hush@db/app"}
NEWER = "update waymark.migrations set minimum_code = 999"

RUN = "from good import Adding\nprint(Adding().run_sync(1))\n"
# The web application shows every page with the reason instead: it may come up before the migrations do.
# A bridge in the foreground goes on knocking, as its clients may.
SERVES_ALL_THE_SAME = {
    ("web", "newer_schema"),
    ("web", "no_create_permission"),
    ("bridge", "unreachable_server"),
}


def _app(call: str, module: str = "good") -> str:
    return f"import threading\nfrom {module} import *\n{call}\n"


APPS = [
    Case("app_no_database_url", UNSET, program=RUN),
    Case("app_wrong_database_url", MYSQL, program=RUN),
    Case("app_unreachable_server", UNREACHABLE, program=RUN),
    Case("app_unknown_database", UNKNOWN, program=RUN),
    Case("app_no_create_permission", POOR, migrated=False, program=RUN),
    Case("app_newer_schema", before=NEWER, program=RUN),
    Case("app_missing_argument", program=_app("Adding().run_sync()")),
    Case("app_unknown_argument", program=_app("Adding().run_sync(1, y=2)")),
    Case("app_too_many_arguments", program=_app("Adding.start_sync(1, 2)")),
    Case("app_wrong_timeout", program=_app("Adding().run_sync(1, _timeout='soon')")),
    Case(
        "app_value_that_cannot_be_kept",
        program=_app("Adding().run_sync({'items': [1, threading.Lock()]})"),
    ),
    Case("app_value_too_large", program=_app("Adding().run_sync('x' * 20_000_000)")),
    Case("app_uncompilable_workflow", program=_app("Reading().run_sync(1)", "uncompilable")),
    Case(
        "app_unknown_run",
        program=(
            "from waymark import Run\n"
            "Run.get('01900000-0000-7000-8000-000000000000').result_sync()\n"
        ),
    ),
    Case(
        "app_wrong_run_id",
        program="from waymark import Run\nRun.get('seven').result_sync()\n",
    ),
    Case(
        "app_inside_a_loop",
        program=(
            "import asyncio\nfrom good import Adding\n"
            "async def main():\n    Adding().run_sync(1)\n"
            "asyncio.run(main())\n"
        ),
    ),
]
STARTS = [
    Case(f"{name}_{what}", changes, migrated, before, command=command)
    for name, command in (
        ("web", ("waymark-web",)),
        ("bridge", ("waymark-bridge",)),
        ("migrate", ("waymark", "migrate", "up")),
    )
    for what, changes, migrated, before in (
        ("no_database_url", UNSET, True, ""),
        ("wrong_database_url", MYSQL, True, ""),
        ("unreachable_server", UNREACHABLE, True, ""),
        ("unknown_database", UNKNOWN, True, ""),
        ("no_create_permission", POOR, False, ""),
        ("newer_schema", {}, True, NEWER),
    )
    if (name, what) not in SERVES_ALL_THE_SAME
]
STARTS.append(Case("web_login", {"WAYMARK_WEBAPP_TOKEN": "hush"}, command=("waymark-web",)))


@pytest.mark.parametrize("case", APPS, ids=lambda case: case.name)
def test_a_call_that_cannot_work_says_what_to_do(
    desk_on: Callable[[Case], Desk], case: Case
) -> None:
    desk = desk_on(case)
    app = desk.start(case)
    assert app.wait(seconds=60) == 1
    trace, shown = _parted(desk, app)
    assert shown == (MESSAGES / f"{case.name}.txt").read_text(encoding="utf-8")
    assert 1 <= len(shown.splitlines()) <= MOST_LINES
    ours = [line for line in trace if re.search(r'File ".*[/\\]waymark', line)]
    assert len(ours) <= 2, trace
    assert "hush" not in app.output
    assert left_in(desk.url) == []


@pytest.mark.parametrize("case", STARTS, ids=lambda case: case.name)
def test_a_command_that_cannot_work_says_what_to_do(
    desk_on: Callable[[Case], Desk], case: Case
) -> None:
    desk = desk_on(case)
    command = desk.start(case)
    status = command.wait(seconds=60)
    shown = desk.normal(command.output) + "\n"
    assert shown == (MESSAGES / f"{case.name}.txt").read_text(encoding="utf-8")
    assert status == (1 if case.name.startswith("migrate") else CANNOT_START)
    assert len(command.lines) <= MOST_LINES
    assert "Traceback" not in command.output
    assert "hush" not in command.output
    desk.processes.assert_none_left()
    assert left_in(desk.url) == []


@pytest.mark.slow
def test_a_run_that_no_pool_can_run_says_what_it_waits_for(
    desk_on: Callable[[Case], Desk],
) -> None:
    case = Case("app_unknown_action", program=RUN)
    desk = desk_on(case)
    app = desk.start(case)
    app.wait_for_line("Start one", seconds=60)
    shown = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{RUN}", desk.normal(app.output)) + "\n"
    assert shown == (MESSAGES / "app_unknown_action.txt").read_text(encoding="utf-8")
    assert app.running, "it goes on waiting"
    pool = desk.start(Case("fine"))
    assert app.wait(seconds=60) == 0
    assert app.lines[-1] == "2", "nothing was lost"
    assert pool.terminate() == 0


def test_every_message_is_of_a_case() -> None:
    files = {path.stem for path in MESSAGES.glob("*.txt") if not path.stem.startswith("pool_")}
    assert files == {case.name for case in (*APPS, *STARTS)} | {"app_unknown_action"}


def _parted(desk: Desk, app: Child) -> tuple[list[str], str]:
    """Part a traceback from what is said under it; the error's class stands before the first line."""
    wait_until(lambda: not app.running, what="its end")
    lines = app.lines
    first = next(
        number
        for number, line in enumerate(lines)
        if re.match(r"\w", line) and not line.startswith("Traceback")
    )
    return lines[:first], desk.normal("\n".join(lines[first:])) + "\n"
