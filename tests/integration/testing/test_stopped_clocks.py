"""Test files in which clocks stand still, or were moved, in; runs that end all the same out."""

import pytest

from tests.integration.testing.test_plugin import passed, users

__all__ = ["users"]

FLOWS = """
import asyncio
from datetime import UTC, datetime
from waymark import Workflow, action, workflow

@action
async def hang() -> None:
    await asyncio.Event().wait()

@workflow
class Hang(Workflow):
    async def run(self) -> None:
        await self.run_action(hang(), timeout=1)

@workflow
class Race(Workflow):
    async def run(self) -> None:
        async with asyncio.timeout(1):
            await hang()

@workflow
class Now(Workflow):
    async def run(self) -> datetime:
        return datetime.now(UTC)
"""


@pytest.fixture
def timing(users: pytest.Pytester) -> pytest.Pytester:
    users.makepyfile(timed_flows=FLOWS)
    return users


def test_patience_ends_though_the_clocks_stand_still(timing: pytest.Pytester) -> None:
    passed(
        timing,
        """
import time
import pytest
from timed_flows import Hang, Race
from waymark import WorkflowFailed

@pytest.mark.parametrize("workflow", [Hang, Race])
def test_hangs(workflow, monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    with pytest.raises(WorkflowFailed, match="within 1 s|TimeoutError"):
        workflow().run_sync()
""",
        "--timeout=60",
        passed=2,
    )


def test_time_begins_where_a_test_is_when_it_first_runs_something(timing: pytest.Pytester) -> None:
    passed(
        timing,
        """
import time
from timed_flows import Now

def test_travels(waymark_runtime, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1577880000.0)
    assert Now().run_sync().isoformat() == "2020-01-01T12:00:00+00:00"
    assert waymark_runtime.clock.moment.isoformat() == "2020-01-01T12:00:00+00:00"
""",
    )
