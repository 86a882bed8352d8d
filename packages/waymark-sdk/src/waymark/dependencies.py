"""A function that asks for dependencies in, the values of its parameters out, and their cleanup afterwards."""

from __future__ import annotations

import asyncio
import inspect
import threading
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from waymark.wiring import Depend, Dependency, Depends, Kind, Scope, Wiring, wiring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

__all__ = [
    "AsyncResolver",
    "Depend",
    "Dependency",
    "Depends",
    "SyncResolver",
    "WorkerScope",
    "overridden",
    "override",
    "provide_dependencies",
    "provide_dependencies_sync",
    "wholly_synchronous",
    "worker_scope",
]

_overrides: dict[Callable[..., Any], Callable[..., Any]] = {}


@contextmanager
def override(provider: Callable[..., Any], replacement: Callable[..., Any]) -> Iterator[None]:
    """Use ``replacement`` wherever ``provider`` is asked for, in this process, until the block ends.

    >>> def clock() -> float: ...
    >>> with override(clock, lambda: 0.0):
    ...     pass
    """
    missing = object()
    before: Any = _overrides.get(provider, missing)
    _overrides[provider] = replacement
    try:
        yield
    finally:
        if before is missing:
            _overrides.pop(provider, None)
        else:
            _overrides[provider] = before


def _entered(kind: Kind, value: object) -> Literal["no", "sync", "async"]:
    """Whether a provider's value is to be entered: what says it is a context, not what merely could be."""
    if isinstance(value, AbstractContextManager) and (
        kind == "class" or AbstractContextManager in type(value).__mro__
    ):
        return "sync"
    if isinstance(value, AbstractAsyncContextManager) and (
        kind == "class" or AbstractAsyncContextManager in type(value).__mro__
    ):
        return "async"
    return "no"


def _passed(
    provider: Callable[..., Any], needs: Wiring, arguments: Mapping[str, Any]
) -> dict[str, Any]:
    passed: dict[str, Any] = {}
    for name, required in needs.others:
        if name in arguments:
            passed[name] = arguments[name]
        elif required:
            shown = getattr(provider, "__qualname__", repr(provider))
            msg = (
                f"the provider {shown!r} needs {name!r}, which is neither a dependency nor an argument of"
                " the action (a provider with scope='worker' gets none); give it a default or Depends"
            )
            raise TypeError(msg)
    return passed


class WorkerScope:
    """What lives as long as the process: one value per provider, built once."""

    def __init__(self) -> None:
        self.values: dict[Callable[..., Any], Any] = {}
        self._building: dict[Callable[..., Any], asyncio.Future[Any]] = {}
        self._stack = AsyncExitStack()
        self._sync_lock = threading.RLock()

    async def value(self, provider: Callable[..., Any]) -> Any:
        """Return the provider's value; callers that come while it is being built wait for it."""
        if provider in self.values:
            return self.values[provider]
        while (running := self._building.get(provider)) is not None:
            await asyncio.wait([running])
            if provider in self.values:
                return self.values[provider]
        done = self._building[provider] = asyncio.get_running_loop().create_future()
        try:
            value = await AsyncResolver({}, self._stack, self, scope="worker").build(provider)
            self.values[provider] = value
            return value
        finally:
            del self._building[provider]
            done.set_result(None)

    def sync_value(self, provider: Callable[..., Any]) -> Any:
        """Return the provider's value for synchronous code, which builds it if it is a sync one."""
        with self._sync_lock:
            if provider not in self.values:
                # Entered on the asynchronous stack as well: it is closed in order with the others.
                resolver = SyncResolver({}, self._stack, self, scope="worker")
                self.values[provider] = resolver.build(provider)
            return self.values[provider]

    async def close(self) -> None:
        """Clean up, the last built first."""
        self.values.clear()
        await self._stack.aclose()


worker_scope = WorkerScope()


@dataclass(slots=True)
class AsyncResolver:
    """Resolves the dependencies of one call on the event loop."""

    arguments: Mapping[str, Any]
    stack: AsyncExitStack
    worker: WorkerScope
    scope: Scope = "call"
    cache: dict[Callable[..., Any], Any] | None = None

    async def values(self, needs: Wiring) -> dict[str, Any]:
        """Return what is injected, by parameter name; what the caller passed stays as it is."""
        return {
            name: await self.resolve(dependency)
            for name, dependency in needs.injected
            if name not in self.arguments
        }

    async def resolve(self, dependency: Dependency) -> Any:
        provider = _overrides.get(dependency.provider, dependency.provider)
        if dependency.scope == "worker":
            return await self.worker.value(provider)
        cache = self.cache
        if cache is None:
            cache = self.cache = {}
        if provider not in cache:
            cache[provider] = await self.build(provider)
        return cache[provider]

    async def build(self, provider: Callable[..., Any]) -> Any:
        needs = wiring(provider)
        given = {name: await self.resolve(dependency) for name, dependency in needs.injected}
        given.update(_passed(provider, needs, self.arguments))
        if needs.kind == "generator":
            return self.stack.enter_context(contextmanager(provider)(**given))
        if needs.kind == "async generator":
            return await self.stack.enter_async_context(asynccontextmanager(provider)(**given))
        value = provider(**given)
        if needs.kind == "coroutine":
            return await value
        entered = _entered(needs.kind, value)
        if entered == "sync":
            return self.stack.enter_context(value)
        if entered == "async":
            return await self.stack.enter_async_context(value)
        return await value if inspect.isawaitable(value) else value


@dataclass(slots=True)
class SyncResolver:
    """Resolves the dependencies of one synchronous call, in its thread; refuses asynchronous providers."""

    arguments: Mapping[str, Any]
    stack: ExitStack | AsyncExitStack
    worker: WorkerScope
    scope: Scope = "call"
    cache: dict[Callable[..., Any], Any] | None = None

    def values(self, needs: Wiring) -> dict[str, Any]:
        """Return what is injected, by parameter name; what the caller passed stays as it is."""
        return {
            name: self.resolve(dependency)
            for name, dependency in needs.injected
            if name not in self.arguments
        }

    def resolve(self, dependency: Dependency) -> Any:
        provider = _overrides.get(dependency.provider, dependency.provider)
        if dependency.scope == "worker":
            return self.worker.sync_value(provider)
        cache = self.cache
        if cache is None:
            cache = self.cache = {}
        if provider not in cache:
            cache[provider] = self.build(provider)
        return cache[provider]

    def build(self, provider: Callable[..., Any]) -> Any:
        needs = wiring(provider)
        given = {name: self.resolve(dependency) for name, dependency in needs.injected}
        given.update(_passed(provider, needs, self.arguments))
        if needs.kind == "generator":
            return self.stack.enter_context(contextmanager(provider)(**given))
        if needs.kind in ("function", "class"):
            value = provider(**given)
            entered = _entered(needs.kind, value)
            if entered == "sync":
                return self.stack.enter_context(value)
            if entered == "no" and not inspect.isawaitable(value):
                return value
            if inspect.iscoroutine(value):
                value.close()
        shown = getattr(provider, "__qualname__", repr(provider))
        msg = (
            f"the asynchronous provider {shown!r} was asked for by a synchronous call; expected a"
            " synchronous provider. Make the action `async def`, or the provider `def`"
        )
        raise TypeError(msg)


@lru_cache(maxsize=4096)
def wholly_synchronous(function: Callable[..., Any]) -> bool:
    """Whether all that ``function`` asks for, directly or not, is synchronous and lives for one call."""
    for _, dependency in wiring(function).injected:
        if dependency.scope == "worker":
            return False
        provider = dependency.provider
        kind = wiring(provider).kind
        wrapped = inspect.unwrap(provider)
        if kind in ("coroutine", "async generator") or inspect.isasyncgenfunction(wrapped):
            return False
        if kind == "class" and hasattr(provider, "__aenter__"):
            return False
        if not wholly_synchronous(provider):
            return False
    return True


def overridden() -> bool:
    """Whether any provider is replaced at present: then nothing is known of what is synchronous."""
    return bool(_overrides)


@asynccontextmanager
async def provide_dependencies(
    function: Callable[..., Any], kwargs: Mapping[str, Any] | None = None
) -> AsyncIterator[dict[str, Any]]:
    """Give all keyword arguments for ``function``: ``kwargs`` and its dependencies, cleaned up afterwards.

    >>> async def main() -> None:
    ...     async with provide_dependencies(send, {"to": "you@example.org"}) as arguments:
    ...         await send(**arguments)

    Raises:
        TypeError: a provider needs what is not there.

    """
    given = dict(kwargs or {})
    async with AsyncExitStack() as stack:
        yield given | await AsyncResolver(given, stack, worker_scope).values(wiring(function))


@contextmanager
def provide_dependencies_sync(
    function: Callable[..., Any], kwargs: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Give all keyword arguments for ``function`` as ``provide_dependencies`` does, in synchronous code.

    Raises:
        TypeError: a provider is asynchronous, or needs what is not there.

    """
    given = dict(kwargs or {})
    with ExitStack() as stack:
        yield given | SyncResolver(given, stack, worker_scope).values(wiring(function))
