"""The demo as its command runs it in; its table, and that no process of it is left, out."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.processes import Processes

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres, pytest.mark.timeout(300)]


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
        assert demo.wait(seconds=240) == 0, demo.output
        processes.assert_none_left(seconds=5)
    finally:
        processes.end()
    table = dict(re.findall(r"^\W*([a-z][a-z ]+?)\W{2,}([\d.]+)", demo.output, re.MULTILINE))
    assert table["users"] == table["messages"] == "200", demo.output
    assert table["lost messages"] == table["committed steps that ran twice"] == "0"
    assert int(table["calls in flight at the kill"]) >= 10
    assert list((folder / ".waymark").glob("demo-*")) == []
