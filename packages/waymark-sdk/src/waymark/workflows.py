"""A class with an ``async def run`` in, a workflow that can be started from anywhere out."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Protocol, TypeVar, overload

from waymark.blocking import run_blocking
from waymark.callers import told_to_the_caller
from waymark.definitions import define, refuse_arguments
from waymark.starting import StartOptions, WaitOptions, prepare, run_and_wait, start, start_many
from waymark.unfinished import unfinished

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from datetime import datetime, timedelta
    from uuid import UUID

    from waymark.runs import Run
    from waymark.starting import Prepared
    from waymark_schema.ir.policies import Backoff, RetryPolicy

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
C = TypeVar("C", bound="type[Workflow]")


class Runs(Protocol[P, R_co]):
    """What has a ``run``: lets ``start`` take exactly its parameters and give its result."""

    def run(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]: ...


class Workflow:
    """The class that workflows extend; decorate them with ``@workflow``.

    ``name`` is the lower-cased class name unless given, ``version`` the digest of the compiled program.
    ``run`` is compiled, at its first use, and runs on a worker pool; calling it queues a run and waits.

    >>> @workflow
    ... class Greet(Workflow):
    ...     async def run(self, who: str) -> str:
    ...         return f"hello {who}"
    """

    name: ClassVar[str | None] = None
    version: ClassVar[str | None] = None

    if TYPE_CHECKING:
        run: Any
    else:

        async def run(self, *args, **kwargs):
            """Say what the workflow does; every workflow writes its own."""
            msg = f"{type(self).__qualname__} has no run(); expected `async def run(self, …)`"
            raise NotImplementedError(msg)

    @classmethod
    async def start(cls: type[Runs[P, R]], *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Queue a run and return it at once; takes exactly the parameters of ``run``.

        >>> async def main() -> None:
        ...     run = await Greet.start("you")
        ...     assert await run.result() == "hello you"

        Raises:
            TypeError: the arguments do not match the signature of ``run``.
            SerializationError: an argument cannot be kept durably.
            UnsupportedPatternError: the workflow does not compile.
            BridgeUnavailable: the bridge could not be booted.

        """
        return await start(prepare(cls, args, kwargs))

    @classmethod
    def start_sync(cls: type[Runs[P, R]], *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Do as ``start`` does, for synchronous programs."""
        return run_blocking(start(prepare(cls, args, kwargs)), instead="start()")

    def run_sync(self: Runs[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Queue a run, wait for it and return its result: ``run`` for synchronous programs.

        Raises what ``run`` and ``Run.result`` raise, and ``RuntimeError`` inside a running event loop.
        """
        return run_blocking(self.run(*args, **kwargs), instead="run()")

    @classmethod
    def options(
        cls: type[Runs[P, R]],
        *,
        id: UUID | str | None = None,  # noqa: A002 - the public name
        idempotency_key: str | None = None,
        priority: int = 0,
        delay: float | timedelta | None = None,
        start_at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        connection: object = None,
    ) -> Starter[P, R]:
        """Say how to start; they can never collide with parameters of ``run``.

        ``id`` is a UUID of your making, of all workflows' runs this one's alone, ``idempotency_key`` a text of your own for
        this workflow; under either a second start gives the first one's run, for as long as that one is kept. ``delay`` (seconds or timedelta) or ``start_at`` (aware) put the start off.

        >>> async def main() -> None:
        ...     run = await Greet.options(idempotency_key="order-7", priority=5).start("you")

        Raises:
            TypeError, ValueError: an option has the wrong type or range, or two contradict each other.
            NotImplementedError: ``connection``, and at the start ``tags``, are not available yet.

        """
        with told_to_the_caller:
            chosen = StartOptions.checked(
                id=id,
                idempotency_key=idempotency_key,
                priority=priority,
                delay=delay,
                start_at=start_at,
                tags=tags,
                connection=connection,
            )
        return Starter(cls, chosen)

    @classmethod
    def call(cls: type[Runs[P, R]], *args: P.args, **kwargs: P.kwargs) -> Prepared[R]:
        """Bind and encode the arguments of one run, for ``start_many``; raises what ``start`` raises."""
        return prepare(cls, args, kwargs)

    @staticmethod
    async def start_many(calls: Sequence[Prepared[R]]) -> list[Run[R]]:
        """Queue many runs at once, in one transaction; the runs come back in the same order.

        >>> async def main() -> None:
        ...     runs = await Greet.start_many([Greet.call(name) for name in ("a", "b")])
        """
        return await start_many(calls)

    @staticmethod
    def start_many_sync(calls: Sequence[Prepared[R]]) -> list[Run[R]]:
        """Do as ``start_many`` does, for synchronous programs."""
        return run_blocking(start_many(calls), instead="start_many()")

    @overload
    async def run_action(
        self,
        call: Awaitable[T],
        *,
        retry: RetryPolicy | None = None,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - a policy of the call
        backoff: Backoff | None = None,
    ) -> T: ...

    @overload
    async def run_action(
        self,
        call: T,
        *,
        retry: RetryPolicy | None = None,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - a policy of the call
        backoff: Backoff | None = None,
    ) -> T: ...

    async def run_action(
        self,
        call: Any,
        *,
        retry: RetryPolicy | None = None,
        timeout: float | timedelta | None = None,  # noqa: ASYNC109 - a policy of the call
        backoff: Backoff | None = None,
    ) -> Any:
        """Await an action under a policy of its own: ``await self.run_action(charge(7), timeout=30)``.

        In a compiled workflow ``retry``, ``backoff`` and ``timeout`` (of one attempt) are durable. Where
        the method is called as plain Python, the call is awaited once and the policy has no effect.
        """
        return await call if inspect.isawaitable(call) else call

    async def wait_event(self, name: str, timeout: float | timedelta | None = None) -> Any:  # noqa: ASYNC109 - the public name
        """Wait for an external event (not available yet)."""
        raise unfinished("self.wait_event")

    def set_tag(self, key: str, value: str) -> None:
        """Make the run findable by a tag (not available yet)."""
        raise unfinished("self.set_tag")

    @property
    def log(self) -> Any:
        """The run's log (not available yet)."""
        raise unfinished("self.log")


class Starter(Generic[P, R]):
    """A workflow with options: starts runs as the class itself does."""

    __slots__ = ("_options", "_workflow")

    def __init__(self, workflow: type[Runs[P, R]], options: StartOptions) -> None:
        self._workflow = workflow
        self._options = options

    async def start(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Queue a run and return it at once; see ``Workflow.start``."""
        return await start(prepare(self._workflow, args, kwargs, self._options))

    def start_sync(self, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Do as ``start`` does, for synchronous programs."""
        prepared = prepare(self._workflow, args, kwargs, self._options)
        return run_blocking(start(prepared), instead="start()")

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Prepared[R]:
        """Bind and encode the arguments of one run, for ``start_many``."""
        return prepare(self._workflow, args, kwargs, self._options)


@overload
def workflow(cls: C, /) -> C: ...


@overload
def workflow() -> Callable[[C], C]: ...


def workflow(cls: Any = None, /, **unknown: Any) -> Any:
    """Register a subclass of ``Workflow``; its ``run`` is compiled at first use, not here.

    Raises:
        TypeError: the class is not shaped like a workflow; the message says what to change.
        ValueError: another class has its name.

    """
    if unknown:
        refuse_arguments(unknown)
    if cls is None:
        return workflow
    written = define(cls, Workflow)
    if written is None:
        return cls

    @functools.wraps(written)
    def run(self: Workflow, /, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        with told_to_the_caller:
            waiting = WaitOptions.taken_from(kwargs)
            prepared = prepare(type(self), args, kwargs, waiting.start_options(), instance=self)
            return run_and_wait(prepared, waiting)

    vars(run)["__waymark_run__"] = written
    cls.run = run
    return cls
