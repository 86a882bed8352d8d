"""What leaves the runloop after a commit: calls in, attempts at the pool and timers on the loop out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from waymark_worker.clock import Clock
from waymark_worker.pool.attempts import Attempt
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop.live import LiveCall, LiveInstance, LiveTimer
from waymark_worker.runloop.sharing import Sharer

DEATHS_BEFORE_ALONE = 2
"""Workers that died around a call before it runs without neighbours, who may be innocent of its death or it of theirs."""


class Dispatcher:
    """Starts what may start now, holds back the rest; every method runs on the loop's thread."""

    def __init__(
        self,
        pool: WorkerPool,
        *,
        clock: Clock,
        timer_due: Callable[[LiveInstance, int], None],
        busy: Callable[[LiveInstance], None],
        sharer: Sharer,
    ) -> None:
        """``busy`` hears of an instance of which an attempt starts, or would if it were not held back."""
        self.pool = pool
        self._clock = clock
        self._timer_due = timer_due
        self._busy = busy
        self.confine: Callable[[Attempt[LiveCall]], bool] = _never
        """Takes an attempt that must have no others beside it; False if it may."""
        self.sharer = sharer
        """What became of calls that wait here and may run elsewhere."""
        self._loop = asyncio.get_running_loop()
        self.draining = False
        """Nothing starts any more."""
        self.allowed = True
        """False while the last confirmed heartbeat is too old to start anything new."""
        self._held_back: list[LiveCall] = []

    def allow(self, allowed: bool) -> None:  # noqa: FBT001 - a state, not a mode
        """Hold back, or let go, what would start outside this process."""
        self.allowed = allowed
        if allowed and self._held_back:
            held, self._held_back = self._held_back, []
            for call in held:
                self.dispatch(call)

    def dispatch_or_wait(self, call: LiveCall) -> None:
        """Start the next attempt of a call, or set the timer that will."""
        if call.retry_at is None:
            self.dispatch(call)
            return
        pause = max(0.0, call.retry_at - self._clock.now())
        call.retry_handle = self._loop.call_later(pause, self._retry, call)

    def dispatch(self, call: LiveCall) -> None:
        """Hand an attempt to the pool."""
        instance = call.instance
        if instance.ended or self.draining or instance.calls.get(call.number) is not call:
            return  # the last: it was cancelled while it was held back, or while its row was committed
        self._busy(instance)
        if not self.allowed:
            self._held_back.append(call)
            return
        attempt = self.attempt(call)
        call.committed_retry = False
        if not self.sharer.knows(call.action):
            self.sharer.hand_out(attempt)
            return
        if self.confine(attempt):
            return
        self.pool.submit(attempt)
        if self.pool.queued:
            self.sharer.press()

    def adopt(self, call: LiveCall) -> None:
        """Await the next attempt of a call, which the last owner of its instance offered."""
        call.retry_at = None
        self.sharer.adopt(self.attempt(call))
        self._busy(call.instance)

    def adopt_late(self, call: LiveCall) -> None:
        """Let the next attempt of a call wait until the last one, which timed out elsewhere, has ended there."""
        attempt = self.attempt(call)
        attempt.number = call.failed
        attempt.abandoned = True
        call.committed_retry = True
        self.sharer.adopt(attempt)

    def attempt(self, call: LiveCall) -> Attempt[LiveCall]:
        """Make the next attempt of a call, without starting it."""
        instance = call.instance
        attempt = Attempt(
            call,
            instance=instance.id_bytes,
            program=instance.program.digest,
            call=call.number,
            number=call.failed + 1,
            action=call.action,
            arguments=call.arguments,
            timeout=call.policy.timeout,
            queued_at=self._loop.time(),
            alone=call.deaths >= DEATHS_BEFORE_ALONE,
        )
        call.attempt = attempt
        return attempt

    def cancel(self, instance: LiveInstance, number: int) -> None:
        """Nobody waits for this call any more."""
        call = instance.calls.pop(number, None)
        if call is not None:
            call.release()
            if call.attempt is not None:
                self.withdraw(call.attempt)

    def withdraw(self, attempt: Attempt[LiveCall]) -> None:
        """Give an attempt up."""
        if attempt.offered:
            self.sharer.withdraw(attempt)
        else:
            self.pool.withdraw(attempt)

    def leave_offered(self, instance: LiveInstance) -> None:
        """The instance is handed on with what is offered of it."""
        for call in instance.calls.values():
            if call.attempt is not None and call.attempt.offered:
                self.sharer.leave(call.attempt)

    def set_timer(self, instance: LiveInstance, number: int, timer: LiveTimer) -> None:
        """Have a timer fire when the database's clock says that it is due."""
        pause = max(0.0, timer.due_at - self._clock.now())
        timer.handle = self._loop.call_later(pause, self._due, instance, number)

    def _due(self, instance: LiveInstance, number: int) -> None:
        timer = instance.timers.get(number)
        if timer is None or instance.ended or self.draining:
            return
        if timer.due_at > self._clock.now():
            self.set_timer(instance, number, timer)
            return
        self._timer_due(instance, number)

    def _retry(self, call: LiveCall) -> None:
        call.retry_handle = None
        call.retry_at = None
        self.dispatch(call)


def _never(_attempt: Attempt[LiveCall]) -> bool:
    return False
