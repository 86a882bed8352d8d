"""Functions that ask for dependencies in; what they got, and when it was cleaned up, out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import pytest

from waymark.dependencies import (
    AsyncResolver,
    Depend,
    Depends,
    WorkerScope,
    override,
    provide_dependencies,
    provide_dependencies_sync,
    wholly_synchronous,
)

events: list[str] = []


@pytest.fixture(autouse=True)
def forget() -> None:
    events.clear()


def number() -> int:
    events.append("number")
    return 7


async def text() -> str:
    return "text"


def generated(n: Annotated[int, Depends(number)]) -> Iterator[list[int]]:
    events.append("open")
    try:
        yield [n]
    finally:
        events.append("close")


async def generated_async(
    g: Annotated[list[int], Depends(generated)], t: Annotated[str, Depends(text)]
) -> AsyncIterator[str]:
    events.append("open async")
    yield f"{t}{g}"
    await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop
    events.append("close async")


@contextlib.contextmanager
def managed() -> Iterator[str]:
    events.append("enter")
    yield "managed"
    events.append("exit")


@contextlib.asynccontextmanager
async def managed_async() -> AsyncIterator[str]:
    yield "managed async"
    events.append("aexit")


class Session:
    """Can be entered, and says nothing of being a context manager."""

    def __enter__(self) -> str:
        events.append("session entered")
        return "entered"

    def __exit__(self, *_: object) -> None:
        events.append("session left")


def session() -> Session:
    return Session()


async def test_nested_providers_are_called_once_a_call_and_cleaned_up_last_first() -> None:
    def wants(
        a: Annotated[str, Depends(generated_async)],
        b: Annotated[int, Depends(number)],
        plain: str,
        c: list[int] = Depends(generated),  # noqa: B008 - the other spelling
    ) -> None: ...

    async with provide_dependencies(wants, {"plain": "given"}) as arguments:
        assert arguments == {"plain": "given", "a": "text[7]", "b": 7, "c": [7]}
        assert events == ["number", "open", "open async"]
    assert events == ["number", "open", "open async", "close async", "close"]


async def test_what_calls_itself_a_context_is_entered_and_what_merely_could_be_is_not() -> None:
    def wants(
        a: Annotated[str, Depend(managed)],
        b: Annotated[str, Depend(managed_async)],
        c: Annotated[Session, Depend(session)],
        d: Annotated[str, Depend(Session)],
    ) -> None: ...

    async with provide_dependencies(wants) as arguments:
        assert arguments["a"] == "managed"
        assert arguments["b"] == "managed async"
        assert isinstance(arguments["c"], Session)
        assert arguments["d"] == "entered"
    assert events == ["enter", "session entered", "session left", "aexit", "exit"]


async def test_cleanup_runs_when_the_call_is_cancelled() -> None:
    def wants(a: Annotated[str, Depends(generated_async)]) -> None: ...

    started = asyncio.Event()

    async def call() -> None:
        async with provide_dependencies(wants):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(call())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events[-1] == "close"


async def test_a_provider_gets_the_actions_arguments_of_the_same_name() -> None:
    def tenant(name: str, suffix: str = "!") -> str:
        return name + suffix

    def wants(name: str, t: Annotated[str, Depends(tenant)]) -> None: ...

    async with provide_dependencies(wants, {"name": "acme"}) as arguments:
        assert arguments["t"] == "acme!"


async def test_a_provider_that_lacks_an_argument_is_named() -> None:
    def tenant(nobody: str) -> str:
        return nobody

    def wants(t: Annotated[str, Depends(tenant)]) -> None: ...

    with pytest.raises(TypeError, match=r"tenant' needs 'nobody'.*give it a default or Depends"):
        async with provide_dependencies(wants):
            pass


async def test_what_the_caller_passes_is_not_provided() -> None:
    def wants(n: Annotated[int, Depends(number)]) -> None: ...

    async with provide_dependencies(wants, {"n": 1}) as arguments:
        assert arguments == {"n": 1}
    assert events == []


async def test_an_override_holds_for_nested_providers_until_its_block_ends() -> None:
    def wants(g: Annotated[list[int], Depends(generated)]) -> None: ...

    with override(number, lambda: 1):
        async with provide_dependencies(wants) as arguments:
            assert arguments["g"] == [1]
        with override(number, lambda: 2):
            async with provide_dependencies(wants) as arguments:
                assert arguments["g"] == [2]
        async with provide_dependencies(wants) as arguments:
            assert arguments["g"] == [1]
    async with provide_dependencies(wants) as arguments:
        assert arguments["g"] == [7]


async def test_worker_scope_builds_once_for_concurrent_calls_and_closes_at_the_end() -> None:
    async def slow() -> AsyncIterator[object]:
        events.append("built")
        await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop
        yield object()
        events.append("closed")

    dependency = Depends(slow, scope="worker")
    scope = WorkerScope()

    async def one() -> object:
        async with contextlib.AsyncExitStack() as stack:
            return await AsyncResolver({}, stack, scope).resolve(dependency)

    values = await asyncio.gather(*(one() for _ in range(5)))
    assert len(set(map(id, values))) == 1
    assert events == ["built"]
    await scope.close()
    assert events == ["built", "closed"]


async def test_a_worker_provider_that_fails_is_tried_again_by_the_next_call() -> None:
    attempts = []

    async def flaky() -> int:
        attempts.append(1)
        await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop
        if len(attempts) == 1:
            raise ConnectionError("first")
        return 5

    dependency = Depends(flaky, scope="worker")
    scope = WorkerScope()

    async def one() -> object:
        async with contextlib.AsyncExitStack() as stack:
            return await AsyncResolver({}, stack, scope).resolve(dependency)

    first, second = await asyncio.gather(one(), one(), return_exceptions=True)
    assert isinstance(first, ConnectionError)
    assert second == 5


def test_synchronous_calls_get_synchronous_providers_only() -> None:
    def wants(g: Annotated[list[int], Depends(generated)], m: str = Depends(managed)) -> None: ...

    with provide_dependencies_sync(wants) as arguments:
        assert arguments == {"g": [7], "m": "managed"}
    assert events[-2:] == ["exit", "close"]

    def wants_async(t: str = Depends(text)) -> None: ...

    with (
        pytest.raises(TypeError, match="asynchronous provider 'text'"),
        provide_dependencies_sync(wants_async),
    ):
        pass


def test_it_is_known_beforehand_whether_everything_is_synchronous() -> None:
    def sync(g: Annotated[list[int], Depends(generated)]) -> None: ...
    def nested(g: Annotated[str, Depends(generated_async)]) -> None: ...
    def manager(g: Annotated[str, Depends(managed_async)]) -> None: ...
    def shared(g: Annotated[int, Depends(number, scope="worker")]) -> None: ...

    assert wholly_synchronous(sync)
    assert not any(map(wholly_synchronous, (nested, manager, shared)))


@pytest.mark.parametrize("provider", [None, 7, "name"])
def test_a_provider_must_be_callable(provider: object) -> None:
    with pytest.raises(TypeError, match="expected a function"):
        Depends(provider)  # type: ignore[arg-type] # wrong on purpose


def test_a_scope_must_be_known() -> None:
    with pytest.raises(TypeError, match="expected 'call' or 'worker'"):
        Depends(number, scope="request")  # type: ignore[arg-type] # wrong on purpose
