"""Test files of users in; what pytest with our plugin makes of them out."""

import pytest

FLOWS = """
import asyncio
from waymark import Depends, Workflow, action, workflow

def greeting() -> str:
    return "hello"

@action
async def greet(who: str, word: str = Depends(greeting)) -> str:
    return f"{word} {who}"

@workflow
class Greet(Workflow):
    async def run(self, who: str) -> str:
        await asyncio.sleep(86400)
        return await greet(who)
"""
UNREACHABLE = {
    "WAYMARK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "WAYMARK_BRIDGE_MODE": "inprocess",
    "WAYMARK_DATABASE_WAIT_S": "0",
}


@pytest.fixture
def users(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's project with a database that nobody can reach."""
    for name, value in UNREACHABLE.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(flows=FLOWS)
    pytester.makeini(
        "[pytest]\naddopts = -p no:randomly --strict-markers\nfilterwarnings = error\n"
    )
    return pytester


def passed(users: pytest.Pytester, test: str, *options: str, **outcomes: int) -> pytest.RunResult:
    users.makepyfile(test_users=test)
    result = users.runpytest_subprocess(*options)
    result.assert_outcomes(**(outcomes or {"passed": test.count("def test")}))
    return result


def test_workflows_run_in_process_whatever_the_database(users: pytest.Pytester) -> None:
    passed(
        users,
        """
import asyncio, unittest
import pytest
from flows import Greet

def test_sync():
    assert Greet().run_sync("you") == "hello you"

def test_a_loop_of_its_own():
    assert asyncio.run(Greet().run("you")) == "hello you"

@pytest.mark.anyio
async def test_anyio(anyio_backend_name):
    if anyio_backend_name == "asyncio":
        assert await Greet().run("you") == "hello you"

class Unittest(unittest.TestCase):
    def test_unittest(self):
        assert Greet().run_sync("you") == "hello you"

class Async(unittest.IsolatedAsyncioTestCase):
    async def test_async_unittest(self):
        assert await Greet().run("you") == "hello you"
""",
        passed=5,
    )


def test_a_test_marked_real_goes_to_the_bridge(users: pytest.Pytester) -> None:
    passed(
        users,
        """
import pytest
from flows import Greet
from waymark_schema.errors import DatabaseUnreachable

@pytest.mark.waymark_real
def test_real():
    with pytest.raises(DatabaseUnreachable):
        Greet().run_sync("you")

def test_next():
    assert Greet().run_sync("you") == "hello you"

@pytest.mark.waymark_real
def test_both(waymark_runtime):
    pass
""",
        passed=2,
        errors=1,
    ).stdout.fnmatch_lines(["*waymark_runtime serves runs in process*marked waymark_real*"])


ISOLATED = """
import pytest
from flows import Greet, greet, greeting
from waymark import InstanceNotFound, Run

ids = []

@pytest.mark.parametrize("number", range(4))
def test_alone(waymark_runtime, number):
    assert waymark_runtime.runs == []
    assert waymark_runtime.clock.elapsed.days == 0
    waymark_runtime.override(greeting, lambda: f"good morning {number}")
    run = Greet.start_sync("you")
    assert run.result_sync() == f"good morning {number} you"
    waymark_runtime.stub(greet, returns="stubbed")
    assert Greet().run_sync("you") == "stubbed"
    for old in ids:
        with pytest.raises(InstanceNotFound):
            Run.get(old).status_sync()
    ids.append(run.id)
"""


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "xdist"])
def test_tests_are_isolated(users: pytest.Pytester, options: tuple[str, ...]) -> None:
    passed(users, ISOLATED, *options, passed=4)


def test_fixtures_of_wider_scope_may_run_workflows(users: pytest.Pytester) -> None:
    passed(
        users,
        """
import pytest
from flows import Greet

@pytest.fixture(scope="session")
def greeted():
    yield Greet().run_sync("session")
    assert Greet().run_sync("end") == "hello end"

def test_first(greeted):
    assert greeted == "hello session"

def test_second(greeted):
    assert greeted == "hello session"
""",
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", ["option", "mark", "fixture"])
def test_runs_crash_everywhere_on_request(users: pytest.Pytester, way: str) -> None:
    passed(
        users,
        f"""
import pytest
from flows import Greet

{"@pytest.mark.waymark_crash_everywhere" if way == "mark" else ""}
def test_crashing(waymark_runtime{", waymark_crash_everywhere" if way == "fixture" else ""}):
    assert Greet().run_sync("you") == "hello you"
    assert waymark_runtime.crashes == 3
""",
        *(["--waymark-crash-everywhere"] if way == "option" else []),
    )


def test_a_failing_run_shows_what_it_printed(users: pytest.Pytester) -> None:
    result = passed(
        users,
        """
from flows import Greet, greet

def test_fails(waymark_runtime):
    def say(who):
        print("about to fail")
        raise ValueError(f"nobody greets {who}")
    waymark_runtime.stub(greet, side_effect=say)
    Greet().run_sync("you")
""",
        failed=1,
    )
    result.stdout.fnmatch_lines(["*WorkflowFailed: run * failed: ValueError: nobody greets you"])
    result.stdout.fnmatch_lines(["about to fail"])


def test_a_failing_run_shows_where_in_the_action_and_in_the_workflow(
    users: pytest.Pytester,
) -> None:
    users.makepyfile(
        broken="""
from waymark import Workflow, action, workflow

@action
async def look_up(key: str) -> str:
    return {}[key]

@workflow
class Broken(Workflow):
    async def run(self, key: str) -> str:
        return await look_up(key)
"""
    )
    result = passed(
        users,
        """
from broken import Broken

def test_fails():
    Broken().run_sync("a key")
""",
        failed=1,
    )
    result.stdout.fnmatch_lines(
        [
            "*WorkflowFailed: run * failed: KeyError: 'a key'",
            '*File "*broken.py", line 5, in look_up',
            "*return {}[[]key[]]",
            '*File "*broken.py", line 10, in Broken.run',
        ]
    )


def test_a_mock_in_the_place_of_an_action_is_told_to_be_a_stub(users: pytest.Pytester) -> None:
    result = passed(
        users,
        """
from unittest import mock
import flows

def test_mocks():
    with mock.patch("flows.greet", return_value="mocked"):
        assert flows.Greet().run_sync("you") == "mocked"
""",
        failed=1,
    )
    result.stdout.fnmatch_lines(["*instead: in a test, *`waymark_runtime.stub(greet, …)`"])


def test_an_action_that_hangs_in_a_thread_keeps_nobody_from_leaving(users: pytest.Pytester) -> None:
    passed(
        users,
        """
import threading
from waymark import Workflow, action, workflow

@action
def hang() -> None:
    threading.Event().wait()

@workflow
class Hang(Workflow):
    async def run(self) -> None:
        await self.run_action(hang())

def test_left_behind():
    run = Hang.start_sync()
    assert run.status_sync() == "running"
""",
    )
