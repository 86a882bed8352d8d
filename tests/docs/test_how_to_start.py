"""The page on starting runs in; its code, run in process as it says, out."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import write_files
from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "how-to" / "start-runs.md"
CLAIMS = """
import asyncio
import runpy
import sqlite3
from datetime import timedelta

import pytest
from approval import DECISIONS, Approve
from batches import batches
from checkout import buy, start_what_is_due
from fastapi.testclient import TestClient
from orders import ShipOrder, ship
from views import place
from waymark import Run, Workflow, schedule_workflow_sync
from web import app


def test_the_service(waymark_runtime):
    client = TestClient(app)
    first, second = client.post("/orders/7"), client.post("/orders/7")
    assert (first.status_code, first.json()) == (202, second.json())
    assert place(7) == first.json()["run"]
    assert Run.get(first.json()["run"]).result_sync() == "parcel 7"
    assert client.get(f"/runs/{first.json()['run']}").json() == {"state": "completed"}
    assert client.get("/runs/nonsense").status_code == 404
    assert client.get("/runs/0190b7a0-0000-7000-8000-000000000001").status_code == 404
    assert client.post("/parcels/8").json() == {"parcel": "parcel 8"}
    failed = client.post("/parcels/-1")
    assert (failed.status_code, failed.json()) == (502, {"detail": "there is no order -1"})


def test_a_wait_that_is_over_leaves_the_run(waymark_runtime):
    waymark_runtime.stub(ship, returns="late", takes=timedelta(minutes=1))
    late = TestClient(app).post("/parcels/9")
    assert late.status_code == 202
    assert Run.get(late.json()["run"]).result_sync() == "late"


def test_the_second_start_gives_the_first_run_whatever_its_arguments(waymark_runtime):
    first = ShipOrder.options(idempotency_key="k").start_sync(-1)
    with pytest.raises(RuntimeError):
        first.result_sync()
    assert ShipOrder.options(idempotency_key="k").start_sync(1) == first


def test_a_start_that_was_lost_is_made_up_for(waymark_runtime):
    database = sqlite3.connect(":memory:")
    database.execute("create table orders (id integer primary key, started boolean)")
    buy(database, 1)
    database.execute("insert into orders values (2, false)")
    database.execute("update orders set started = false")
    start_what_is_due(database)
    assert len(waymark_runtime.runs) == 2
    assert database.execute("select count(*) from orders where not started").fetchone() == (0,)


def test_many_and_later(waymark_runtime):
    asyncio.run(batches())
    assert len(waymark_runtime.runs) == 1003
    states = [Run.get(run.id).status_sync() for run in waymark_runtime.runs[1000:1002]]
    assert states == ["queued", "queued"]


def test_every_night_once(waymark_runtime, capsys):
    for _ in range(2):
        runpy.run_path("nightly.py", run_name="__main__")
    first, second = capsys.readouterr().out.split()
    assert first == second


def test_a_decision_is_waited_for_and_not_for_ever(waymark_runtime):
    run = Approve.start_sync(1)
    waymark_runtime.advance_sync(timedelta(hours=1))
    DECISIONS[1] = "yes"
    assert run.result_sync() == "yes"
    assert Approve().run_sync(2) == "nobody decided"


def test_what_is_not_there_yet_says_so():
    run = Run.get("0190b7a0-0000-7000-8000-000000000001")
    for call in (
        lambda: ShipOrder.options(connection=object()),
        lambda: schedule_workflow_sync(ShipOrder, schedule_name="s", schedule="@daily"),
        run.cancel_sync,
        lambda: run.send_sync("paid"),
        lambda: asyncio.run(Workflow().wait_event("paid")),
    ):
        with pytest.raises(NotImplementedError):
            call()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    assert "orders.py" in write_files(PAGE, tmp_path)
    return tmp_path


@pytest.mark.timeout(300)
def test_it_does_what_the_page_says(project: Path) -> None:
    (project / "test_claims.py").write_text(CLAIMS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_claims.py"],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_of_the_page_passes_the_check(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "waymark_schema.cli", "check", "--strict", "orders", "approval"],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "2 workflows checked: 0 errors, 0 warnings\n"
