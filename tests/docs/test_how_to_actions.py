"""The page on actions in; its code, checked and run in process as it says, out."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import write_files
from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "how-to" / "write-actions.md"
CLAIMS = """
from datetime import timedelta

import pytest
from payments import Balance, Pay, PayOnce, Receipt, charge, note, recount
from pydantic import SecretStr
from waymark import ActionTimeout, RetryPolicy, Workflow, WorkflowFailed, workflow

RECEIPT = Receipt(order=7, cents=250, key="k")


@workflow
class All(Workflow):
    async def run(self) -> Receipt:
        every = RetryPolicy(attempts=3, exception_types=[Exception, "ActionTimeout"])
        return await self.run_action(charge(7, 250), retry=every, timeout=1)


@workflow
class Plain(Workflow):
    async def run(self) -> Receipt:
        return await self.run_action(charge(7, 250), retry=RetryPolicy(attempts=3), timeout=1)


@workflow
class Counts(Workflow):
    async def run(self) -> tuple[int, int]:
        return await recount([1, 2, 3]), await note("x")


def test_the_key_is_that_of_the_call(waymark_runtime):
    receipt = Pay().run_sync(7, 250)
    assert receipt.key.startswith(waymark_runtime.runs[0].id)


@pytest.mark.parametrize("first", [ConnectionError("busy"), ConnectionResetError("gone")])
def test_what_is_named_is_tried_again_subclasses_included(waymark_runtime, first):
    waymark_runtime.stub(charge, side_effect=[first, RECEIPT])
    assert Pay().run_sync(7, 250) == RECEIPT


def test_a_named_timeout_is_tried_again_until_the_attempts_are_used_up(waymark_runtime):
    waymark_runtime.stub(charge, returns=RECEIPT, takes=timedelta(seconds=31))
    assert Pay().run_sync(7, 250) is None
    (call,) = waymark_runtime.calls
    assert (call.attempts, type(call.error)) == (5, ActionTimeout)
    assert "attempt 5 of 5" in call.error.__notes__[0]


def test_what_is_not_named_fails_at_once(waymark_runtime):
    waymark_runtime.stub(charge, raises=KeyError("x"))
    with pytest.raises(WorkflowFailed):
        Pay().run_sync(7, 250)
    assert waymark_runtime.calls[0].attempts == 1


def test_a_call_may_say_otherwise(waymark_runtime):
    waymark_runtime.stub(charge, raises=ConnectionError("busy"))
    with pytest.raises(WorkflowFailed):
        PayOnce().run_sync(7, 250)
    assert waymark_runtime.calls[0].attempts == 1


@pytest.mark.parametrize(("tried", "attempts"), [(All, 3), (Plain, 1)])
def test_a_timeout_is_tried_again_only_where_it_is_named(waymark_runtime, tried, attempts):
    waymark_runtime.stub(charge, returns=RECEIPT, takes=timedelta(seconds=2))
    with pytest.raises(WorkflowFailed, match="did not end within 1 s"):
        tried().run_sync()
    assert waymark_runtime.calls[0].attempts == attempts


def test_dependencies_and_secrets(waymark_runtime, monkeypatch):
    monkeypatch.setenv("BANK_KEY", "12345")
    said = Balance().run_sync("alice", SecretStr("hunter2"))
    assert said == "alice: authorized by 5 characters"
    assert "hunter2" not in repr(waymark_runtime.calls[0].arguments)


def test_long_actions_and_things_of_the_worker(waymark_runtime):
    assert Counts().run_sync() == (6, 1)


def test_no_policy_means_one_attempt_and_an_empty_one_a_hundred():
    assert RetryPolicy().attempts == 100
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    assert write_files(PAGE, tmp_path) == ["payments.py"]
    return tmp_path


def run(project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_code_of_the_page_passes_the_check(project: Path) -> None:
    said = run(project, "waymark_schema.cli", "check", "--strict", "payments")
    assert said == "3 workflows checked: 0 errors, 0 warnings\n"


@pytest.mark.timeout(120)
def test_it_does_what_the_page_says(project: Path) -> None:
    (project / "test_claims.py").write_text(CLAIMS)
    assert " passed" in run(project, "pytest", "-q", "-p", "no:cacheprovider", "test_claims.py")
