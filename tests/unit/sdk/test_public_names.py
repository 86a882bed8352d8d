"""The agreed public names in; each is there, and each unfinished one says so, out."""

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import waymark
from waymark import Run, Workflow
from waymark.bridge.client import BridgeClient
from waymark.requests import StartRequest
from waymark.workflows import Starter
from waymark_schema.ids import new_instance_id
from waymark_schema.wire.frames import ProgramReport

UNFINISHED: list[str] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "unfinished_names.json").read_text()
)
AGREED = """
    Workflow workflow Run action Depends Depend provide_dependencies RetryPolicy Backoff BackoffPolicy
    schedule_workflow pause_schedule resume_schedule delete_schedule trigger_schedule list_schedules
    ScheduleInfo registry workflow_registry build_workflow_ir current_action
    ActionResultPayload serialize_result_payload serialize_error_payload deserialize_result_payload
    WaymarkError UnsupportedPatternError WorkflowFailed WorkflowCancelled ActionTimeout WorkerCrashed
    ExhaustedRetriesError ExhaustedRetries ScheduleAlreadyExistsError SerializationError
    BridgeUnavailable InstanceNotFound bridge
""".split()

RUN: Run[Any] = Run.get("0190b7a0-0000-7000-8000-000000000001")
TAGGED = StartRequest(
    id=new_instance_id(),
    program=ProgramReport("orders", "1", bytes(32), b"", b"", ""),
    inputs=b"",
    attributes=b"",
    tags={"team": "red"},
)
CALLS: dict[str, Callable[[], Any]] = {
    "Run.cancel": RUN.cancel,
    "Run.cancel_sync": RUN.cancel_sync,
    "Run.send": lambda: RUN.send("event"),
    "Run.send_sync": lambda: RUN.send_sync("event"),
    "Workflow.log": lambda: Workflow().log,
    "Workflow.options(connection)": lambda: Workflow.options(connection=object()),
    "Workflow.options(tags)": lambda: BridgeClient().start(TAGGED),
    "Workflow.set_tag": lambda: Workflow().set_tag("k", "v"),
    "Workflow.wait_event": lambda: Workflow().wait_event("e"),
    "delete_schedule": lambda: waymark.delete_schedule(Workflow, schedule_name="s"),
    "list_schedules": waymark.list_schedules,
    "pause_schedule": lambda: waymark.pause_schedule(Workflow, schedule_name="s"),
    "resume_schedule": lambda: waymark.resume_schedule(Workflow, schedule_name="s"),
    "schedule_workflow": lambda: waymark.schedule_workflow(
        Workflow, schedule_name="s", schedule="@hourly"
    ),
    "trigger_schedule": lambda: waymark.trigger_schedule(Workflow, schedule_name="s"),
    "schedule_workflow_sync": lambda: waymark.schedule_workflow_sync(
        Workflow, schedule_name="s", schedule="@hourly"
    ),
    "list_schedules_sync": waymark.list_schedules_sync,
    "pause_schedule_sync": lambda: waymark.pause_schedule_sync(Workflow, schedule_name="s"),
    "resume_schedule_sync": lambda: waymark.resume_schedule_sync(Workflow, schedule_name="s"),
    "delete_schedule_sync": lambda: waymark.delete_schedule_sync(Workflow, schedule_name="s"),
    "trigger_schedule_sync": lambda: waymark.trigger_schedule_sync(Workflow, schedule_name="s"),
}


@pytest.mark.parametrize("name", AGREED)
def test_every_agreed_name_is_importable_and_listed(name: str) -> None:
    assert hasattr(waymark, name)
    assert name in waymark.__all__


def test_everything_public_is_documented() -> None:
    for name in waymark.__all__:
        documented = getattr(waymark, name)
        if inspect.isclass(documented) or inspect.isfunction(documented):
            assert inspect.getdoc(documented), name


@pytest.mark.parametrize("name", UNFINISHED)
async def test_an_unfinished_name_says_so(name: str) -> None:
    feature = name.rpartition(".")[2].partition("(")[0]

    async def use() -> None:
        found = CALLS[name]()
        if inspect.isawaitable(found):
            await found

    with pytest.raises(NotImplementedError, match=feature):
        await use()


WITHIN_A_RUN = {"run_action", "wait_event"}


@pytest.mark.parametrize("owner", [waymark, waymark.bridge, Workflow, Starter, Run])
def test_whatever_is_awaited_has_a_twin_for_synchronous_programs(owner: Any) -> None:
    awaited = {
        name
        for name in dir(owner)
        if inspect.iscoroutinefunction(getattr(owner, name)) and not name.startswith("_")
    } - WITHIN_A_RUN
    assert awaited
    assert {name for name in awaited if not callable(getattr(owner, f"{name}_sync", None))} == set()


def test_the_list_of_unfinished_names_is_sorted_and_complete() -> None:
    assert sorted(CALLS) == UNFINISHED


def isolated(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_original_spelling_keeps_working_and_the_decorator_keeps_its_name() -> None:
    program = """
from waymark.workflow import Workflow, RetryPolicy, workflow as one
import waymark, waymark.workflow
from waymark import workflow, Workflow as Same
print(one is workflow is waymark.workflow, Workflow is Same)
"""
    assert isolated(program) == "True True"


def test_importing_waymark_loads_no_database_driver() -> None:
    program = "import sys, waymark; print(sorted(m for m in sys.modules if 'psycopg' in m))"
    assert isolated(program) == "[]"
