"""Requests to start, await and look at runs in; the same runs carried out in this process, in virtual time, out."""

from __future__ import annotations

import asyncio
import os
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

from waymark.attempts import running_attempt
from waymark.blocking import run_blocking
from waymark.definitions import are_variants, follow_patches
from waymark.dependencies import override
from waymark.errors import BridgeUnavailable, InstanceNotFound
from waymark.requests import Outcome, RunState, StartRequest
from waymark.runtime import current
from waymark.unfinished import unfinished
from waymark_schema.errors import ProgramConflict, RunIdTaken
from waymark_worker.testing.clock import DEADLINE, TARGET, VirtualClock
from waymark_worker.testing.crashing import CrashEverywhere
from waymark_worker.testing.engine import Engine
from waymark_worker.testing.instances import Instance
from waymark_worker.testing.performing import Performer
from waymark_worker.testing.records import CallRecord, RunRecord, key_of
from waymark_worker.testing.stubs import NOTHING, Stub
from waymark_worker.testing.waiting import Waiter, not_ended


class InProcessRuntime:
    """Runs workflows in the process that starts them, without a database, a bridge or a worker.

    The machine, the rules of retries and timeouts and the code that calls an action are the pool's own.
    Time is virtual: it passes only while somebody waits for a run (or calls ``advance``), and then at
    once as far as the next thing that is due. Actions run in the event loop that started their run, one
    after the other and the oldest first; one that takes longer no longer holds up the others.

    >>> async def test_order(waymark_runtime: InProcessRuntime) -> None:
    ...     waymark_runtime.stub(charge, returns="receipt-1")
    ...     assert await Order().run("tea") == "receipt-1"
    ...     assert [call.name for call in waymark_runtime.calls] == ["charge"]
    """

    def __init__(
        self, *, crash_everywhere: bool | CrashEverywhere | None = False, keep: int | None = None
    ) -> None:
        """``crash_everywhere`` recovers every run after each step, under another hash seed.

        ``keep`` bounds how many ended runs are remembered; None: all of them.
        """
        if isinstance(crash_everywhere, bool):
            crash_everywhere = CrashEverywhere() if crash_everywhere else None
        self.clock = VirtualClock(_wall_time)
        self._crashes = crash_everywhere
        self._committed = None if crash_everywhere is None else crash_everywhere.committed
        self._keep = keep
        self._stubs: dict[str, Stub] = {}
        self._overrides = ExitStack()
        self._keys: dict[tuple[str, str], UUID] = {}
        self._versions: dict[tuple[str, str], bytes] = {}
        self._engine = Engine(self.clock)
        follow_patches(_serves)
        _alive.add(self)

    # what a test asks for ---------------------------------------------------------------------------

    @property
    def runs(self) -> list[RunRecord]:
        """Every run so far, in the order they were started."""
        with self._engine.lock:
            for instance in self._engine.instances.values():
                instance.record.state = instance.state
            return [instance.record for instance in self._engine.instances.values()]

    @property
    def calls(self) -> list[CallRecord]:
        """Every call of an action by any run so far, in the order they were made."""
        found = [call for run in self.runs for call in run.calls]
        return sorted(found, key=lambda call: call.number)

    @property
    def crashes(self) -> int:
        """After how many steps a run was recovered, if this test asked for that."""
        return 0 if self._crashes is None else self._crashes.steps

    def calls_of(self, action: Callable[..., Any] | str) -> list[CallRecord]:
        """The calls of one action; raises ``TypeError`` when it is none."""
        key = key_of(action)
        return [call for call in self.calls if call.action == key]

    def stub(
        self,
        action: Callable[..., Any] | str,
        *,
        returns: Any = NOTHING,
        raises: BaseException | type[BaseException] | None = None,
        side_effect: Callable[..., Any] | Iterable[Any] | None = None,
        takes: float | timedelta = 0.0,
    ) -> Stub:
        """Have an action do something else until the test ends, or the stub is removed.

        It returns ``returns`` (None), raises ``raises``, calls ``side_effect``, sync or async, with the
        arguments, or does one thing of several after the other: exceptions are raised, other values
        returned. Each attempt takes ``takes`` (seconds or timedelta) of virtual time. Arguments are
        checked and outcomes stored as those of the action itself; its dependencies are not resolved.

        >>> async def test_retries(waymark_runtime: InProcessRuntime) -> None:
        ...     waymark_runtime.stub(charge, side_effect=[ConnectionError("busy"), "receipt-1"])
        ...     assert await Order().run("tea") == "receipt-1"

        Raises:
            TypeError: ``action`` is no action, or more than one outcome is given.

        """
        key = key_of(action)
        stub = Stub(
            key, self._remove, returns=returns, raises=raises, side_effect=side_effect, takes=takes
        )
        self._stubs[key] = stub
        return stub

    def override(self, provider: Callable[..., Any], replacement: Callable[..., Any]) -> None:
        """Give actions ``replacement`` wherever they ask for ``provider`` by ``Depends``, until the test ends."""
        self._overrides.enter_context(override(provider, replacement))

    async def advance(self, by: float | timedelta = 0.0) -> None:
        """Let time pass: everything that is due until then happens, in order.

        ``by`` is seconds or a timedelta; without it all runs go on as far as they can without time.
        """
        seconds = by.total_seconds() if isinstance(by, timedelta) else float(by)
        target = self.clock.now() + max(0.0, seconds)
        await self._wait(None, until=target)

    def advance_sync(self, by: float | timedelta = 0.0) -> None:
        """Do as ``advance`` does, in a synchronous test."""
        run_blocking(self.advance(by), instead="advance()")

    def close(self) -> None:
        """Give up what still runs, and what was stubbed and overridden; the test is over."""
        self._engine.close()
        self._stubs.clear()
        self._overrides.close()

    # waymark.runtime.Runtime ------------------------------------------------------------------------

    async def start(self, request: StartRequest) -> UUID:
        """Start one run; see ``waymark.runtime.Runtime``."""
        return (await self.start_many([request]))[0]

    async def start_many(self, requests: Sequence[StartRequest]) -> list[UUID]:
        """Start runs, all or none.

        Raises:
            ProgramConflict: another program has this workflow's name and version.
            RunIdTaken: a run of another workflow has this id.
            RuntimeError: the test is over.

        """
        home = asyncio.get_running_loop()
        with self._engine.lock:
            if self._engine.closed:
                msg = "a run was started after its test had ended; expected to be started within it"
                raise RuntimeError(msg)
            self._register(requests)
            self._expect_own(requests)
            ids = [self._begin(request, home) for request in requests]
        self._engine.pump()
        return ids

    async def wait(self, instance_id: UUID, *, timeout: float | None = None) -> Outcome:  # noqa: ASYNC109 - of virtual time
        """Wait for the end of a run, at most ``timeout`` seconds of virtual time.

        Raises:
            TimeoutError: it had not ended by then.
            InstanceNotFound: this test has not started such a run.
            NeverEnds: it waits for something that can never happen.

        """
        instance = self._find(instance_id)
        if instance.trouble is not None:
            raise instance.trouble
        if instance.outcome is not None and instance not in self._engine.closing:
            return instance.outcome
        if instance.outcome is None and timeout is not None and timeout <= 0:
            raise not_ended(instance_id, timeout)
        outcome = await self._wait(instance, timeout=timeout)
        assert outcome is not None
        return outcome

    async def status(self, instance_id: UUID) -> RunState:
        """Return where a run stands; raises ``InstanceNotFound``."""
        return self._find(instance_id).state

    def forked(self) -> None:
        """Make the copy in a forked process usable."""
        self._engine.forked()

    # ------------------------------------------------------------------------------------------------

    def _remove(self, stub: Stub) -> None:
        if self._stubs.get(stub.key) is stub:
            del self._stubs[stub.key]

    def _find(self, instance_id: UUID) -> Instance:
        instance = self._engine.instances.get(instance_id)
        if instance is None:
            msg = (
                f"there is no run {instance_id} in this process: runs in process are forgotten when the"
                " test that started them ends, and were never known to any other process"
            )
            raise InstanceNotFound(msg, instance_id=str(instance_id))
        return instance

    def _register(self, requests: Sequence[StartRequest]) -> None:
        for request in requests:
            if request.tags:
                raise unfinished("options(tags=…)")
            report = request.program
            digest = self._versions.setdefault((report.workflow, report.version), report.digest)
            # What a test has put in the place of something else makes no new version.
            if digest != report.digest and not are_variants(
                report.workflow, (digest, report.digest)
            ):
                raise ProgramConflict(report.workflow, report.version)

    def _expect_own(self, requests: Sequence[StartRequest]) -> None:
        asked: dict[UUID, str] = {}
        for request in requests:
            wanted = request.program.workflow
            holder = self._engine.instances.get(request.id)
            found = holder.program.workflow if holder else asked.setdefault(request.id, wanted)
            if found != wanted:
                raise RunIdTaken(request.id, found, wanted)

    def _begin(self, request: StartRequest, home: asyncio.AbstractEventLoop) -> UUID:
        workflow, key = request.program.workflow, request.idempotency_key
        known = self._keys.get((workflow, key), request.id) if key is not None else request.id
        if known in self._engine.instances:
            return known
        if key is not None:
            self._keys[workflow, key] = request.id
        instance = Instance(request, Performer(self._stubs), self.clock, self._committed)
        instance.home = home
        self._forget_some()
        self._engine.add(instance, self._delay(request))
        return request.id

    def _delay(self, request: StartRequest) -> float:
        if request.start_at is not None:
            return request.start_at.timestamp() - self.clock.now()
        return 0.0 if request.delay is None else request.delay.total_seconds()

    def _forget_some(self) -> None:
        instances = self._engine.instances
        if self._keep is not None and len(instances) > 2 * self._keep:
            ended = [each.id for each in instances.values() if each.outcome is not None]
            for instance_id in ended[: len(instances) - self._keep]:
                del instances[instance_id]
            self._keys = {key: known for key, known in self._keys.items() if known in instances}

    async def _wait(
        self,
        instance: Instance | None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - of virtual time
        until: float | None = None,
    ) -> Outcome | None:
        engine = self._engine
        with engine.lock:
            waiter = Waiter(instance, engine.inside(running_attempt.get()), until)
            if instance is not None and timeout is not None:
                late = not_ended(instance.id, timeout)
                due_at = self.clock.now() + timeout
                waiter.event = engine.at(due_at, lambda: engine.dismiss(waiter, late), DEADLINE)
            if until is not None:
                waiter.event = engine.at(until, lambda: engine.dismiss(waiter), TARGET)
            engine.waiters[waiter] = None
            engine.adopt(waiter)
        try:
            engine.pump()
            return await waiter.told()
        finally:
            with engine.lock:
                engine.waiters.pop(waiter, None)
                waiter.release()
            engine.pump()


def _serves() -> bool:
    """Whether a run that is started now goes to one of these: others get what the pool will run."""
    try:
        return isinstance(current(), InProcessRuntime)
    except BridgeUnavailable:
        return False


def _wall_time() -> float:
    """Where virtual time begins: now, or where a test has travelled to."""
    return float(int(time.time()))  # noqa: TID251 - see above


_alive: weakref.WeakSet[InProcessRuntime] = weakref.WeakSet()


def _forked() -> None:
    for runtime in tuple(_alive):
        runtime.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
