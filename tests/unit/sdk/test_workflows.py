"""Workflow classes in; definitions, requests and refusals out."""

import abc
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from waymark import Run, Workflow, WorkflowCancelled, WorkflowFailed, runtime, settings, workflow
from waymark.coercion import codec
from waymark.errors import SerializationError
from waymark.registry import workflow_registry
from waymark.runtime import Outcome, RunState, StartRequest
from waymark_schema.wire.frames import ProgramReport

REPORT = ProgramReport("greet", "1", bytes(32), b"program", b"spans", "source")


class FakeRuntime:
    """Keeps what was started; every run ends with the outcome that was put in."""

    def __init__(self) -> None:
        self.requests: list[StartRequest] = []
        self.outcome: dict[str, Any] = {"state": "completed", "result": codec().encode("done")}
        self.timeouts: list[float | None] = []

    async def start(self, request: StartRequest) -> uuid.UUID:
        self.requests.append(request)
        return request.id

    async def start_many(self, requests: Sequence[StartRequest]) -> list[uuid.UUID]:
        return [await self.start(request) for request in requests]

    async def wait(self, instance_id: uuid.UUID, *, timeout: float | None = None) -> Outcome:  # noqa: ASYNC109 - the protocol
        self.timeouts.append(timeout)
        if timeout == 0:
            raise TimeoutError("not yet")
        return Outcome(id=instance_id, **self.outcome)

    async def status(self, instance_id: uuid.UUID) -> RunState:
        return "running"


@pytest.fixture
def served() -> Iterator[FakeRuntime]:
    fake = FakeRuntime()
    previous = runtime.install(fake)
    yield fake
    runtime.install(previous)


@pytest.fixture(autouse=True)
def forget_new() -> Iterator[None]:
    before = set(workflow_registry.names())
    yield
    for key in set(workflow_registry.names()) - before:
        workflow_registry.discard(key)


def compiled(cls: Any) -> Any:
    """Take compilation out of these tests."""
    cls.__waymark_report__ = REPORT
    return cls


@workflow
class Greet(Workflow):
    def __init__(self, greeting: str = "hello") -> None:
        self.greeting = greeting

    async def run(self, who: str, /, times: int = 1, *, loud: bool = False) -> str:
        raise AssertionError("a workflow's run is compiled, never executed as Python")


compiled(Greet)
# The options of waiting, for compatibility, are unknown to type checkers.
UntypedGreet: Any = Greet


def sent(served: FakeRuntime) -> dict[str, Any]:
    arguments: dict[str, Any] = codec().decode(served.requests[-1].inputs)
    return arguments


async def test_run_queues_waits_and_returns_the_result(served: FakeRuntime) -> None:
    assert await Greet("hi").run("you", loud=True) == "done"
    request = served.requests[0]
    assert request.program is REPORT
    assert request.id.version == 7
    assert sent(served) == {"who": "you", "loud": True}
    assert codec().decode(request.attributes) == {"greeting": "hi"}


async def test_the_result_is_coerced_to_the_return_annotation(served: FakeRuntime) -> None:
    @compiled
    @workflow
    class Dated(Workflow):
        async def run(self) -> datetime:
            raise AssertionError

    served.outcome["result"] = codec().encode("2026-01-02T03:04:05+00:00")
    assert await Dated().run() == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def test_not_blocking_returns_the_id(
    served: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await UntypedGreet().run("you", _blocking=False, _priority=7)
    assert found == str(served.requests[0].id)
    assert served.requests[0].priority == 7
    assert "_priority" not in sent(served)
    monkeypatch.setenv("WAYMARK_SKIP_WAIT_FOR_INSTANCE", "true")
    settings.current.cache_clear()
    try:
        assert await Greet().run("you") == str(served.requests[1].id)
        assert await UntypedGreet().run("you", _blocking=True) == "done"
    finally:
        settings.current.cache_clear()


async def test_a_timeout_of_waiting_names_the_run(served: FakeRuntime) -> None:
    assert await UntypedGreet().run("you", _timeout=timedelta(seconds=2)) == "done"
    assert served.timeouts == [2.0]
    with pytest.raises(TimeoutError) as caught:
        await UntypedGreet().run("you", _timeout=0)
    assert caught.value.instance_id == str(served.requests[1].id)  # type: ignore[attr-defined] # promised


async def test_start_returns_the_run_and_takes_the_same_arguments(served: FakeRuntime) -> None:
    run = await Greet.start("you", times=3)
    assert run == Run.get(run.id)
    assert sent(served) == {"who": "you", "times": 3}
    assert await run.status() == "running"
    assert await run.result(timeout=timedelta(seconds=1)) == "done"
    assert served.timeouts == [1.0]


async def test_options_reach_the_request(served: FakeRuntime) -> None:
    own = uuid.uuid4()
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    await Greet.options(id=str(own), priority=-3, delay=1.5, tags={"a": "b"}).start("x")
    request = served.requests[0]
    assert (request.id, request.priority, request.delay) == (own, -3, timedelta(seconds=1.5))
    assert request.tags == {"a": "b"}
    await Greet.options(idempotency_key="k", start_at=moment).start("x")
    assert (served.requests[1].idempotency_key, served.requests[1].start_at) == ("k", moment)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"id": "nonsense"}, ValueError),
        ({"id": 7}, TypeError),
        ({"id": uuid.uuid4(), "idempotency_key": "k"}, ValueError),
        ({"idempotency_key": ""}, TypeError),
        ({"idempotency_key": "\ud800"}, ValueError),
        ({"idempotency_key": "order\x007"}, ValueError),
        ({"idempotency_key": "é" * 1_001}, ValueError),
        ({"delay": 1e300}, ValueError),
        ({"start_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, ValueError),
        ({"priority": "high"}, TypeError),
        ({"priority": True}, TypeError),
        ({"priority": 2**40}, ValueError),
        ({"delay": -1}, ValueError),
        ({"delay": "soon"}, TypeError),
        ({"delay": 1, "start_at": datetime(2030, 1, 1, tzinfo=UTC)}, ValueError),
        ({"start_at": datetime(2030, 1, 1)}, ValueError),  # noqa: DTZ001 - naive on purpose
        ({"start_at": "tomorrow"}, TypeError),
        ({"tags": {"a": 1}}, TypeError),
        ({"connection": object()}, NotImplementedError),
    ],
)
def test_options_are_checked_at_once(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        Greet.options(**options)


async def test_many_are_started_at_once(served: FakeRuntime) -> None:
    runs = await Greet.start_many([Greet.call("a"), Greet.options(priority=1).call("b")])
    assert [run.id for run in runs] == [str(request.id) for request in served.requests]
    assert [request.priority for request in served.requests] == [0, 1]
    with pytest.raises(TypeError, match=r"expected what W.call\(…\) returns"):
        await Greet.start_many([Greet])  # type: ignore[arg-type] # wrong on purpose


def test_synchronous_twins_do_the_same(served: FakeRuntime) -> None:
    assert Greet("hi").run_sync("you") == "done"
    assert codec().decode(served.requests[0].attributes) == {"greeting": "hi"}
    run = Greet.start_sync("you")
    assert run.status_sync() == "running"
    assert run.result_sync(timeout=5) == "done"
    assert Greet.options(priority=2).start_sync("you").result_sync() == "done"


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "missing 1 required positional argument: 'who'"),
        (("a", 1, 2), {}, "takes from 2 to 3 positional arguments but 4 were given"),
        (("a",), {"nope": 1}, "unexpected keyword argument 'nope'"),
        ((), {"who": "a"}, "positional-only"),
    ],
)
def test_wrong_arguments_fail_at_the_call_as_python_does(
    args: tuple[Any, ...], kwargs: dict[str, Any], message: str, served: FakeRuntime
) -> None:
    with pytest.raises(TypeError, match=message):
        UntypedGreet().run(*args, **kwargs)
    with pytest.raises(TypeError, match=message):
        Greet.call(*args, **kwargs)
    assert served.requests == []


async def test_an_argument_that_cannot_be_kept_is_named(served: FakeRuntime) -> None:
    with pytest.raises(SerializationError, match="arguments"):
        await Greet.start(object())  # type: ignore[arg-type] # wrong on purpose
    with pytest.raises(SerializationError, match="self"):
        await Greet(lambda: None).run("you")  # type: ignore[arg-type] # wrong on purpose


async def test_a_failed_run_raises_with_the_original_as_its_cause(served: FakeRuntime) -> None:
    original = KeyError("k")
    original.code = 5  # type: ignore[attr-defined] # an attribute that travels
    served.outcome = {"state": "failed", "error": codec().encode_exception(original)}
    with pytest.raises(WorkflowFailed, match=r"failed: KeyError: 'k'") as caught:
        await Greet().run("you")
    failed = caught.value
    assert isinstance(failed, RuntimeError)
    assert failed.instance_id == str(served.requests[0].id)
    assert (failed.error.type, failed.error.message) == ("KeyError", "'k'")
    assert failed.error.attributes == {"code": 5}
    assert type(failed.__cause__) is KeyError


async def test_a_cancelled_run_raises_that(served: FakeRuntime) -> None:
    served.outcome = {"state": "cancelled"}
    with pytest.raises(WorkflowCancelled) as caught:
        await Greet().run("you")
    assert caught.value.instance_id == str(served.requests[0].id)


def test_the_name_is_the_classes_unless_given() -> None:
    assert Greet.name == "greet"
    assert workflow_registry.get("greet") is not None

    @workflow
    class Named(Workflow):
        name = "other"

        async def run(self) -> None: ...

    found = workflow_registry.get("other")
    assert found is not None
    assert found.workflow is Named


def test_a_subclass_of_a_workflow_is_another_one_and_inherits_run(served: FakeRuntime) -> None:
    @compiled
    @workflow
    class Child(Greet):
        pass

    assert Child.name == "child"
    assert Child("hi").run_sync("you") == "done"
    with pytest.raises(TypeError, match="missing 1 required"):
        Child().run()  # type: ignore[call-arg,unused-coroutine] # wrong on purpose


def test_another_class_of_the_same_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'greet' is already defined by"):

        @workflow
        class Other(Workflow):
            name = "greet"

            async def run(self) -> None: ...


class Meta(type):
    pass


class Plain:
    async def run(self) -> None: ...


class NoRun(Workflow):
    pass


class SyncRun(Workflow):
    def run(self) -> None: ...


class Streaming(Workflow):
    async def run(self) -> AsyncIterator[int]:
        yield 1


class StaticRun(Workflow):
    @staticmethod
    async def run() -> None: ...


class Metaclassed(Workflow, metaclass=Meta):
    async def run(self) -> None: ...


class Abstract(Workflow, abc.ABC):
    async def run(self) -> None: ...

    @abc.abstractmethod
    async def step(self) -> None: ...


class Intercepts(Workflow):
    async def run(self) -> None: ...

    def __getattr__(self, name: str) -> None: ...


class Taken(Workflow):
    async def run(self) -> None: ...

    async def start(self) -> None: ...  # type: ignore[override] # wrong on purpose


class Option(Workflow):
    async def run(self, _timeout: int) -> None: ...


class NoSelf(Workflow):
    async def run() -> None: ...  # type: ignore[misc] # wrong on purpose


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Plain, r"not a workflow; expected `class Plain\(Workflow\):`"),
        (7, "expected a class"),
        (Workflow, "not a workflow"),
        (NoRun, "has no run"),
        (SyncRun, "expected a method written `async def run"),
        (Streaming, "an async generator"),
        (StaticRun, "expected a method written"),
        (Metaclassed, "has the metaclass Meta"),
        (Abstract, "leaves step abstract"),
        (Intercepts, "defines __getattr__"),
        (Taken, "defines start; these names belong to Workflow"),
        (Option, "parameter _timeout"),
        (NoSelf, "does not take the workflow"),
    ],
)
def test_a_class_that_is_not_shaped_like_a_workflow_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        workflow(wrong)


async def test_a_class_without_the_decorator_cannot_be_started() -> None:
    class Bare(Workflow):
        async def run(self) -> None: ...

    with pytest.raises(TypeError, match="expected @workflow above the class"):
        await Bare.start()
