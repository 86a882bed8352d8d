"""An event as it was written in; the fields that a machine reads, and where it reads them, out."""

import subprocess
import sys

import pytest

from waymark_worker.telemetry import name_first


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"level": "info", "event": "pool.ready", "pool": 7}, ["pool.ready"]),
        (
            {"event": "pool.draining: what runs may end: now"},
            ["pool.draining", "what runs may end: now"],
        ),
        ({"event": "left: as it is"}, ["left: as it is"]),
    ],
)
def test_the_name_stands_alone_and_in_front(written: dict[str, object], read: list[str]) -> None:
    rest = {name: value for name, value in written.items() if name != "event"}
    fields = name_first(None, "info", written)
    said = dict(zip(("event", "message"), read, strict=False))
    assert dict(fields) == said | rest
    assert next(iter(fields)) == "event"


SPEAKS = """
import os
from waymark_worker.telemetry import configure, log
configure(level="INFO", form="json")
log.info("pool.ready")
os.fstat(2)
"""


@pytest.mark.parametrize(
    ("closed", "heard"), [("2>&-", True), (">&- 2>&-", False), ("<&- >&- 2>&-", False)]
)
def test_a_process_without_stderr_speaks_where_it_can(closed: str, heard: bool) -> None:
    told = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, SPEAKS],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert (b"pool.ready" in told.stdout) == heard
