"""One attempt in, its end out: look up, decode, inject, coerce, call, encode."""

from __future__ import annotations

import asyncio
import contextvars
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

from waymark.actions import call_with
from waymark.attempts import ActionAttempt, running_attempt
from waymark.coercion import codec
from waymark.dependencies import (
    AsyncResolver,
    SyncResolver,
    WorkerScope,
    overridden,
    wholly_synchronous,
    worker_scope,
)
from waymark.errors import WaymarkError
from waymark.executor.arguments import Plan, plan_of
from waymark.executor.construct import CONSTRUCT
from waymark.registry import ActionDefinition, registry
from waymark_schema.wire.frames import CANCELLED, RAISED, RETURNED, CallEnd, CallStart, KnownTypes

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

    from waymark_schema.values.codec import Codec


class Invoker:
    """Runs attempts; one per worker process."""

    def __init__(
        self,
        *,
        concurrency: int = 1,
        threads: Executor | None = None,
        scope: WorkerScope = worker_scope,
    ) -> None:
        """``concurrency`` bounds the threads of sync actions; ``threads`` runs them instead, if given.

        ``scope`` keeps what lives as long as the worker.
        """
        self._threads = threads or ThreadPoolExecutor(
            concurrency, thread_name_prefix="waymark-action"
        )
        self._scope = scope
        self._plans: dict[str, Plan] = {}
        self._plain_codec = codec()
        self._codecs: dict[int, Codec] = {-1: self._plain_codec}
        self._cleanups: set[asyncio.Task[None]] = set()
        self.abandoned = 0
        """Threads that still run a sync action which nobody waits for: each keeps a slot."""

    def know(self, known: KnownTypes) -> None:
        """Leave these descriptors out of the outcomes of calls of that program."""
        self._codecs[known.program] = codec(known=frozenset(known.digests))

    async def invoke(self, start: CallStart, attempt: ActionAttempt) -> CallEnd:
        """Run one attempt to its end; never raises."""
        started_at = time.time()  # noqa: TID251 - for people only
        begun = time.perf_counter()
        running_attempt.set(attempt)
        encoding = self._codecs.get(start.program, self._plain_codec)
        try:
            plan = self.plan(start.action)
            arguments = plan.arguments(encoding.decode(start.arguments))
            if plan.definition.is_async and plan.by_name and not plan.wiring.injected:
                value = await plan.function(**arguments)
            elif plan.definition.is_async:
                value = await self._call_async(plan, arguments)
            else:
                value = await self._call_sync(plan, arguments)
            payload = encoding.encode(value, path="result")
            kind = RETURNED
        except asyncio.CancelledError as error:
            kind = CANCELLED if attempt.cancelled else RAISED
            payload = (
                b"" if attempt.cancelled else encoding.encode_exception(_from_user_code(error))
            )
        except BaseException as error:  # noqa: BLE001 - SystemExit in an action is the action's failure, not ours
            kind, payload = RAISED, encoding.encode_exception(_from_user_code(error))
        lines = attempt.captured()
        return CallEnd(
            start.ticket,
            kind,
            payload,
            started_at,
            time.perf_counter() - begun,
            self._plain_codec.encode([list(line) for line in lines]) if lines else b"",
        )

    async def close(self) -> None:
        """Close what lived as long as the worker; threads that nobody waits for are left to end with it."""
        await self._scope.close()

    def plan(self, key: str) -> Plan:
        """Say how the action of ``key`` is called; raises ``WaymarkError`` for one that nobody defined."""
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = plan_of(self._definition(key))
        return plan

    def _definition(self, key: str) -> ActionDefinition:
        definition = registry.get(key)
        if definition is None and key == CONSTRUCT.key:
            definition = CONSTRUCT
        if definition is None:
            known = ", ".join(registry.names()) or "none"
            msg = (
                f"action {key!r} is not known to this worker; expected one of: {known}."
                " Name its module in WAYMARK_USER_MODULE, or import it from a module named there"
            )
            raise WaymarkError(msg)
        return definition

    async def _call_async(self, plan: Plan, arguments: dict[str, Any]) -> Any:
        stack = AsyncExitStack()
        try:
            resolver = AsyncResolver(arguments, stack, self._scope)
            complete = arguments | await resolver.values(plan.wiring)
            value = await call_with(plan.function, plan.definition.signature, complete)
        except BaseException as error:
            await _close(stack, error)
            raise
        await stack.aclose()
        return value

    async def _call_sync(self, plan: Plan, arguments: dict[str, Any]) -> Any:
        if not overridden() and wholly_synchronous(plan.function):
            return await self._in_thread(lambda: _whole_call(plan, arguments, self._scope))
        stack = AsyncExitStack()
        try:
            resolver = AsyncResolver(arguments, stack, self._scope)
            complete = arguments | await resolver.values(plan.wiring)
            value = await self._in_thread(
                lambda: call_with(plan.function, plan.definition.signature, complete), stack
            )
        except BaseException as error:
            await _close(stack, error)
            raise
        await stack.aclose()
        return value

    async def _in_thread(self, call: Callable[[], Any], stack: AsyncExitStack | None = None) -> Any:
        """Run ``call`` in a thread of ours; when it is abandoned, ``stack`` stays open until it ends."""
        context = contextvars.copy_context()
        job = self._threads.submit(context.run, _contained, call)
        try:
            failed, result = await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if job.running():
                self._abandon(job, stack)
            raise
        if failed:
            raise result
        return result

    def _abandon(self, job: Future[Any], stack: AsyncExitStack | None) -> None:
        self.abandoned += 1
        kept = stack.pop_all() if stack is not None else None

        async def clean_up() -> None:
            failed, result = await asyncio.wrap_future(job)
            self.abandoned -= 1
            if kept is not None:
                await _close(kept, result if failed else None)

        task = asyncio.get_running_loop().create_task(clean_up())
        self._cleanups.add(task)
        task.add_done_callback(self._cleanups.discard)


def _contained(call: Callable[[], Any]) -> tuple[bool, Any]:
    # Not through the future: it would refuse StopIteration, and SystemExit would stop the loop.
    try:
        return False, call()
    except BaseException as error:  # noqa: BLE001 - handed to the loop's thread as it is
        return True, error


def _whole_call(plan: Plan, arguments: dict[str, Any], scope: WorkerScope) -> Any:
    if not plan.wiring.injected and plan.by_name:
        return plan.function(**arguments)
    stack = ExitStack()
    try:
        complete = arguments | SyncResolver(arguments, stack, scope).values(plan.wiring)
        value = call_with(plan.function, plan.definition.signature, complete)
    except BaseException as error:
        try:
            stack.__exit__(type(error), error, error.__traceback__)
        except BaseException as other:
            if other is not error:
                raise
        raise
    stack.close()
    return value


async def _close(stack: AsyncExitStack, error: BaseException | None) -> None:
    """Clean up after ``error``; a provider that swallows it does not make the attempt a success."""
    try:
        if error is None:
            await stack.aclose()
        else:
            await stack.__aexit__(type(error), error, error.__traceback__)
    except BaseException as other:
        if other is not error:
            raise


def _from_user_code(error: BaseException) -> BaseException:
    """Drop our own frames from the front of the traceback: the reader looks for theirs."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(
        ("waymark.executor", "waymark.actions", "waymark.dependencies", "concurrent.futures")
    ):
        trace = trace.tb_next
    return error.with_traceback(trace) if trace is not None else error
