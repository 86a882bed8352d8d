"""Runs, ended attempts and the passing of time in; machines advanced, attempts started and waiters told out."""

from __future__ import annotations

import heapq
import random
import threading
from collections import deque
from collections.abc import Callable, Iterable
from uuid import UUID

from waymark_schema.kinds import OutcomeKind
from waymark_schema.wire.frames import CANCELLED, RETURNED, CallEnd
from waymark_worker.runloop import outcomes
from waymark_worker.runloop.live import LiveCall
from waymark_worker.runloop.verdicts import Feed, judge
from waymark_worker.testing.alarm import Alarm, real_time
from waymark_worker.testing.clock import FIRST, Agenda, Event, VirtualClock
from waymark_worker.testing.instances import Instance
from waymark_worker.testing.pacing import Pacing
from waymark_worker.testing.performing import PATIENCE, Try
from waymark_worker.testing.waiting import NeverEnds, Waiter
from waymark_worker.vm.effects import CancelCall, CancelTimer, Effect, StartCall, StartTimer

MOST_HAPPENINGS = 1000
"""Events in one go; then the event loop gets its turn: a test may have a timeout of its own."""

Turn = tuple[bool, int, int, Instance, LiveCall]
"""Inline steps first; place among all calls; a number that breaks ties."""


class Engine:
    """Everything happens in ``pump``, under one lock, in whichever thread has news.

    What comes first, in this order: attempts that ended; the oldest call that may start; the next event,
    if time may pass.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.instances: dict[UUID, Instance] = {}
        self.waiters: dict[Waiter, None] = {}
        self.closed = False
        self._agenda = Agenda()
        self._turns: list[Turn] = []
        self._calls = 0
        self._queued = 0
        self._tries: dict[Try, Instance] = {}
        self._ends: deque[tuple[Try, CallEnd | None]] = deque()
        self.closing: set[Instance] = set()
        self._pacing = Pacing(clock, self._tries, self.waiters, self.closing)
        self._wakes_at = float("inf")
        self._alarm = Alarm(self._wake)
        self._draw = random.Random(0).random  # noqa: S311 - jitter
        self._pumping = False
        self._happened = 0

    # what the runtime asks for ----------------------------------------------------------------------

    def add(self, instance: Instance, delay: float) -> None:
        """Take a run; it begins ``delay`` seconds from now."""
        self.instances[instance.id] = instance
        if delay > 0:
            self.at(self.clock.now() + delay, lambda: self._begin(instance))
        else:
            self._begin(instance)

    def at(self, due_at: float, happen: Callable[[], None], rank: int = FIRST) -> Event:
        """Plan an event."""
        return self._agenda.put(due_at, happen, rank=rank)

    def dismiss(self, waiter: Waiter, error: BaseException | None = None) -> None:
        """Let somebody wait no longer."""
        self.waiters.pop(waiter, None)
        if error is None:
            waiter.tell(None)
        else:
            waiter.fail(error)

    def inside(self, attempt: object) -> Try | None:
        """Return the attempt of ours that is running ``attempt``."""
        return next((tried for tried in self._tries if tried.attempt is attempt), None)

    def adopt(self, waiter: Waiter) -> None:
        """Carry on, in the loop of somebody who waits, what was begun on a loop that no longer runs."""
        for instance in self.instances.values():
            home = instance.home
            wanted = waiter.instance is instance and (home is None or not home.is_running())
            if instance.outcome is None and (wanted or home is None or home.is_closed()):
                instance.home = waiter.loop
                for tried in tuple(instance.tries.values()):
                    self._lost(tried)

    def close(self) -> None:
        """Give everything up: the test is over."""
        with self.lock:
            self.closed = True
            self._alarm.close()
            for tried, instance in tuple(self._tries.items()):
                instance.performer.give_up(tried)
            self._tries.clear()
            self._turns.clear()
            for waiter in tuple(self.waiters):
                waiter.fail(
                    RuntimeError("the test is over, and with it the run that was waited for")
                )

    def forked(self) -> None:
        """Make the copy of a forked process usable: nothing of its unfinished runs will go on here."""
        self.lock = threading.RLock()
        self._tries.clear()
        self._turns.clear()
        self._ends.clear()
        self.waiters.clear()
        self._agenda = Agenda()
        self._alarm, self._wakes_at = Alarm(self._wake), float("inf")
        self._pumping = False
        for instance in self.instances.values():
            instance.tries.clear()
            if instance.outcome is None:
                instance.trouble = RuntimeError(
                    f"run {instance.id} belongs to the process that this one was forked from"
                )

    # the pump ---------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Do whatever can be done now."""
        with self.lock:
            if self._pumping or self.closed:
                return
            self._pumping = True
            try:
                self._happened = 0
                while self._settle_one() or self._start_one() or self._happen_one():
                    pass
                if not self._go_on_soon():
                    self._tell_the_stuck()
                    self._wake_later()
            except BaseException as error:
                for waiter in tuple(self.waiters):
                    waiter.fail(error)
                raise
            finally:
                self._pumping = False

    def _settle_one(self) -> bool:
        if not self._ends:
            return False
        tried, end = self._ends.popleft()
        instance = self._tries.pop(tried, None)
        tried.release()
        if instance is None or tried.given_up or instance.outcome is not None:
            self._gone(tried)
            return True
        del instance.tries[tried.call.number]
        if end is None or end.kind == CANCELLED:
            self._queue(instance, tried.call)
            if instance.home is tried.loop:
                instance.home = None
            return True
        if end.kind == RETURNED:
            self._settle(instance, tried, OutcomeKind.VALUE, end.payload, end.log)
        else:
            tried.call.failed += 1
            self._settle(instance, tried, OutcomeKind.ERROR, end.payload, end.log)
        return True

    def _start_one(self) -> bool:
        while self._turns and not self._wanted(*self._turns[0][3:]):
            heapq.heappop(self._turns)
        if not self._turns or self._pacing.fresh():
            return False
        *_, instance, call = self._turns[0]
        if instance.home is None or instance.home.is_closed():
            return self._skip_homeless()
        heapq.heappop(self._turns)
        self._start(instance, call)
        return True

    def _skip_homeless(self) -> bool:
        """Start the oldest call whose run has a loop to run it on; the others wait for somebody to wait for them."""
        homed = [turn for turn in self._turns if self._has_home(turn[3])]
        homed = [turn for turn in homed if self._wanted(*turn[3:])]
        if not homed:
            return False
        chosen = min(homed)
        self._turns.remove(chosen)
        heapq.heapify(self._turns)
        self._start(*chosen[3:])
        return True

    def _happen_one(self) -> bool:
        event = self._agenda.first()
        if event is None or self._happened >= MOST_HAPPENINGS or not self._pacing.may_happen(event):
            return False
        self._happened += 1
        self._agenda.take()
        self._pacing.move_to(event.due_at)
        event.happen()
        return True

    def _go_on_soon(self) -> bool:
        """After many events in one go, give the event loop a turn."""
        loops = [waiter.loop for waiter in self.waiters if waiter.loop.is_running()]
        if self._happened < MOST_HAPPENINGS or not loops:
            return False
        loops[0].call_soon_threadsafe(self.pump)
        return True

    def _tell_the_stuck(self) -> None:
        """Tell whoever waits for what can never happen."""
        if self._pacing.live() or self.closing or self._agenda.first() is not None or self._turns:
            return
        vain = [waiter for waiter in self.waiters if waiter.instance is not None]
        vain = [waiter for waiter in vain if waiter.inside is not None] or vain
        for waiter in vain:
            self.waiters.pop(waiter)
            assert waiter.instance is not None
            waiter.fail(_never_ends(waiter.instance))

    def _wake_later(self) -> None:
        """Look again when patience ends, if anything is held up by it."""
        live = self._pacing.live()
        if not live:
            self._pacing.quiet = not self._turns and not self._tries
            return
        now = real_time()
        waits: list[float] = []
        if self._turns:
            waits.append(max(PATIENCE - (now - tried.began) for tried in live))
        waits += [PATIENCE - (now - tried.began) for tried in live if tried.given_up]
        event = self._agenda.first()
        if event is not None and event.due_at <= self._pacing.limit():
            waits.append(self._pacing.held_for(event))
        if not waits:
            return
        wait = max(min(waits), 0.001)
        if now < self._wakes_at <= now + wait:
            return
        self._wakes_at = now + wait
        self._alarm.set(now + wait, live[0].loop)

    def _wake(self) -> None:
        self._wakes_at = float("inf")
        self.pump()

    # runs -------------------------------------------------------------------------------------------

    def _begin(self, instance: Instance) -> None:
        self._apply(instance, instance.begin())

    def _fire(self, instance: Instance, number: int) -> None:
        if instance.outcome is None:
            self._apply(instance, instance.fire(number))

    def _apply(self, instance: Instance, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self._carry_out(instance, effect)
        if instance.trouble is not None and instance.outcome is None:
            instance.quarantine(str(instance.trouble))
        if instance.outcome is not None:
            self._end(instance)

    def _carry_out(self, instance: Instance, effect: Effect) -> None:
        live = instance.live
        assert live is not None
        if isinstance(effect, StartCall):
            call = live.calls[effect.call] = LiveCall(live, effect, self.clock.now())
            if (record := instance.calls.get(effect.call)) is not None:
                record.number = self._calls
            self._queue(instance, call)
        elif isinstance(effect, StartTimer):
            number, due_at = effect.timer, live.timers[effect.timer].due_at
            instance.timers[number] = self.at(due_at, lambda: self._fire(instance, number))
        elif isinstance(effect, CancelCall):
            dropped = live.calls.pop(effect.call, None)
            if dropped is not None:
                instance.cancelled(dropped)
                self._give_up(instance, dropped)
        elif isinstance(effect, CancelTimer):
            live.timers.pop(effect.timer, None)
            if (event := instance.timers.pop(effect.timer, None)) is not None:
                event.call_off()

    def _end(self, instance: Instance) -> None:
        for event in (*instance.timers.values(), *instance.retries.values()):
            event.call_off()
        for tried in tuple(instance.tries.values()):
            instance.performer.give_up(tried)
        scope, home = instance.performer.scope, instance.home
        if not scope.values or home is None or not home.is_running():
            self._tell(instance)
            return
        self.closing.add(instance)

        async def close() -> None:
            try:
                await scope.close()
            except Exception as error:  # noqa: BLE001 - the test hears of it where it waits
                instance.trouble = instance.trouble or error
            finally:
                with self.lock:
                    self.closing.discard(instance)
                    self._tell(instance)
                self.pump()

        def begin() -> None:
            instance.cleaning = home.create_task(close())

        home.call_soon_threadsafe(begin)

    def _tell(self, instance: Instance) -> None:
        for waiter in tuple(self.waiters):
            if waiter.instance is not instance:
                continue
            self.waiters.pop(waiter)
            if instance.trouble is not None:
                waiter.fail(instance.trouble)
            else:
                waiter.tell(instance.outcome)

    # calls ------------------------------------------------------------------------------------------

    def _queue(self, instance: Instance, call: LiveCall) -> None:
        """Have a call wait for its turn; one that is tried again keeps its place."""
        place = instance.places.setdefault(call.number, self._calls)
        self._calls += place == self._calls
        self._queued += 1
        heapq.heappush(self._turns, (not call.inline, place, self._queued, instance, call))

    def _wanted(self, instance: Instance, call: LiveCall) -> bool:
        live = instance.live
        return (
            instance.outcome is None
            and live is not None
            and live.calls.get(call.number) is call
            and call.number not in instance.tries
        )

    def _has_home(self, instance: Instance) -> bool:
        return instance.home is not None and not instance.home.is_closed()

    def _start(self, instance: Instance, call: LiveCall) -> None:
        assert instance.home is not None
        self._pacing.begin()
        call.retry_at = None
        tried = Try(call, instance.home, call.failed + 1)
        self._tries[tried] = instance
        instance.tries[call.number] = tried
        if (record := instance.calls.get(call.number)) is not None:
            record.attempts += 1
        now = self.clock.now()
        if call.policy.timeout:
            tried.deadline = self._agenda.put(
                now + call.policy.timeout, lambda: self._timed_out(tried), own_time=True
            )
        takes = instance.performer.takes(call.action)
        if takes > 0:
            tried.taking = self.at(now + takes, lambda: self._perform(instance, tried))
        else:
            self._perform(instance, tried)

    def _perform(self, instance: Instance, tried: Try) -> None:
        tried.taking = None
        tried.began = real_time()
        try:
            instance.performer.begin(tried, self._ended)
        except RuntimeError:  # its loop was closed this very moment
            self._lost(tried)

    def _ended(self, tried: Try, end: CallEnd | None) -> None:
        with self.lock:
            self._ends.append((tried, end))
        self.pump()

    def _timed_out(self, tried: Try) -> None:
        instance = self._tries.get(tried)
        if instance is None or tried.given_up:
            return
        call = tried.call
        call.failed += 1
        payload = outcomes.timeout_error(call.action, call.policy.timeout, tried.number)
        if tried.taking is not None:
            self._tries.pop(tried)
            tried.release()
        else:
            instance.performer.give_up(tried)
        del instance.tries[call.number]
        self._settle(instance, tried, OutcomeKind.TIMEOUT, payload, b"")

    def _settle(
        self, instance: Instance, tried: Try, outcome: OutcomeKind, payload: bytes, output: bytes
    ) -> None:
        call = tried.call
        verdict = judge(
            call.number,
            call.policy,
            failed=call.failed,
            outcome=outcome,
            payload=payload,
            draw=self._draw,
        )
        if isinstance(verdict, Feed):
            self._apply(instance, instance.settle(tried, verdict, outcome, output))
            return
        retry_at = self.clock.now() + verdict.seconds
        instance.put_off(tried, outcome, payload, retry_at, output)
        instance.retries[call.number] = self.at(retry_at, lambda: self._queue(instance, call))
        self._apply(instance, ())

    def _give_up(self, instance: Instance, call: LiveCall) -> None:
        if (event := instance.retries.pop(call.number, None)) is not None:
            event.call_off()
        tried = instance.tries.pop(call.number, None)
        if tried is None:
            return
        if tried.taking is not None:
            self._tries.pop(tried)
            tried.release()
        else:
            instance.performer.give_up(tried)

    def _gone(self, tried: Try) -> None:
        """Forget an attempt that was given up: it has really ended."""
        self._tries.pop(tried, None)

    def _lost(self, tried: Try) -> None:
        """Try again, on another loop, what a loop that no longer runs took with it; it counts as no attempt."""
        instance = self._tries.pop(tried, None)
        if instance is None or tried.given_up:
            return
        instance.performer.give_up(tried)
        del instance.tries[tried.call.number]
        self._queue(instance, tried.call)


def _never_ends(instance: Instance) -> NeverEnds:
    calls = instance.live.calls.values() if instance.live is not None else ()
    names = ", ".join(sorted({call.action for call in calls}))
    why = (
        f"its call of {names} waits for a run that waits as well"
        if names
        else "nothing of it is under way"
    )
    return NeverEnds(
        f"run {instance.id} of {instance.record.workflow!r} waits for something that can never happen: {why}."
        " In production it would wait for ever",
        instance_id=str(instance.id),
    )
