"""Every case shows the same in CPython and in the runtime that serves users' tests, crashing everywhere or not."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.language import cases
from tests.language.discovery import Case
from tests.language.discovery import cases as all_cases
from tests.support.observing import Observation, fault, normal
from tests.support.oracle import run_in_cpython
from tests.support.recording import Chance
from waymark.starting import prepare
from waymark_worker.testing import InProcessRuntime, RunRecord, instances

# What CPython says of a generator that raises while it is thrown away goes to stderr, in both.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CASES = all_cases(cases)


def run_in_process(case: Case, served: InProcessRuntime, patch: pytest.MonkeyPatch) -> Observation:
    """Run a case as a user's test does, and say what it showed."""
    chance = Chance()
    chance.virtual = served.clock.monotonic
    patch.setattr(instances, "FreshLocals", lambda now: chance.locals())

    async def run() -> None:
        await served.wait(await served.start(request))

    request = prepare(case.workflow, (), dict(case.keywords)).request
    asyncio.run(run())
    (record,) = served.runs
    assert UUID(record.id) == request.id
    return _shown(record)


def _shown(record: RunRecord) -> Observation:
    shown = Observation(trace=[(call.name, normal(call.arguments)) for call in record.calls])
    shown.printed = "".join(line + "\n" for line in record.log)
    shown.ending = {"completed": "returned", "failed": "raised"}.get(record.state, record.state)
    if record.state == "completed":
        shown.value = normal(record.result)
    elif record.error is not None and record.state == "failed":
        shown.value = fault(record.error)
    return shown


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Iterator[InProcessRuntime]:
    runtime = InProcessRuntime(crash_everywhere=request.param)
    yield runtime
    runtime.close()


@pytest.mark.parametrize("served", [False], indirect=True, ids=["uninterrupted"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_shows_what_cpython_shows_in_process(
    case: Case, served: InProcessRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_in_process(case, served, monkeypatch) == run_in_cpython(case.workflow, case.keywords)


@pytest.mark.parametrize("served", [True], indirect=True, ids=["crashing"])
@pytest.mark.parametrize(
    "case",
    [
        # Each starts three interpreters: a few every day, a fifth of all with the slow tests.
        pytest.param(case, marks=[pytest.mark.slow] if number % 8 else [])
        for number, case in enumerate(CASES[::5])
    ],
    ids=lambda case: case.name,
)
def test_case_shows_what_cpython_shows_after_crashes_under_other_hash_seeds(
    case: Case, served: InProcessRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_in_process(case, served, monkeypatch) == run_in_cpython(case.workflow, case.keywords)
    assert served.crashes > 0
