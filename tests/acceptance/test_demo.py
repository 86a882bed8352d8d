"""The demo as its command runs it in; its table, and that no process of it is left, out."""

from __future__ import annotations

import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.processes import Processes

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres, pytest.mark.timeout(900)]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="wm-") as short:
        yield Path(short)


def test_the_demo_keeps_its_promises_and_leaves_nothing(folder: Path) -> None:
    processes = Processes()
    try:
        # An idle bridge would end by itself: here only the demo's own care can have ended it.
        environment = {"WAYMARK_RUNTIME_DIR": str(folder), "WAYMARK_BRIDGE_IDLE_EXIT_S": "600"}
        demo = processes.start_python(
            ROOT / "apps" / "welcome" / "demo",
            "--pause",
            "0.5",
            environment=environment,
            cwd=folder,
        )
        assert demo.wait(seconds=600) == 0, demo.output
        processes.assert_none_left(seconds=5)
    finally:
        processes.end()
    table = dict(re.findall(r"^\W*([a-z][a-z ]+?)\W{2,}([\d.]+)", demo.output, re.MULTILINE))
    assert table["users"] == table["messages"] == "200", demo.output
    assert "200 (160 active, 40 paying)" in demo.output
    assert re.search(r"web +│ http://127\.0\.0\.1:\d+", demo.output)
    assert table["lost messages"] == table["committed steps that ran twice"] == "0"
    assert int(table["calls in flight at the kill"]) >= 10
    assert left_behind(folder) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda it: it.name
)
def test_a_demo_that_is_ended_in_the_middle_stops_what_it_started(
    folder: Path, ending: signal.Signals
) -> None:
    processes = Processes()
    try:
        environment = {"WAYMARK_RUNTIME_DIR": str(folder), "WAYMARK_BRIDGE_IDLE_EXIT_S": "600"}
        demo = processes.start_python(
            ROOT / "apps" / "welcome" / "demo", environment=environment, cwd=folder
        )
        demo.wait_for_line("another pool starts", seconds=600)
        demo.send(ending)
        assert demo.wait(seconds=200) == 130, demo.output
        processes.assert_none_left(seconds=5)
    finally:
        processes.end()
    assert "interrupted; every process has been stopped" in demo.lines[-1]
    assert left_behind(folder) == []


def left_behind(folder: Path) -> list[Path]:
    """Files of the demo's folder; `.waymark` itself, which ignores itself, may stay."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".gitignore"]
