"""Calls of a runloop that other pools run: their outcomes, losses and offers in, settled and adopted calls out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol
from uuid import UUID

from waymark_schema.kinds import OutcomeKind
from waymark_schema.tables.offers import OfferKey
from waymark_worker.journal import Change
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop import outcomes
from waymark_worker.runloop.dispatcher import Dispatcher
from waymark_worker.runloop.live import LiveCall, LiveInstance
from waymark_worker.runloop.offered import OfferedOutcome

NO_LETTERS: Final[Mapping[OfferKey, int]] = MappingProxyType({})


class Runloop(Protocol):
    """Who holds the calls' instances."""

    instances: dict[UUID, LiveInstance]
    dispatcher: Dispatcher

    def settle(  # noqa: PLR0917 - as a worker says it
        self,
        call: LiveCall,
        attempt: Attempt[LiveCall],
        outcome: OutcomeKind,
        payload: bytes,
        seconds: float,
        output: bytes = ...,
    ) -> None: ...
    def lost(self, call: LiveCall, attempt: Attempt[LiveCall], reason: str) -> None: ...
    def attempts_lost(self, attempts: list[Attempt[Any]], reason: str) -> None: ...
    def attempt_gone(self, attempt: Attempt[LiveCall]) -> None: ...
    def commit(self, instance: LiveInstance, change: Change) -> None: ...
    def loop_time(self, moment: float) -> float: ...


class OfferedCalls:
    """What the sharer tells; one per runloop."""

    def __init__(self, runloop: Runloop) -> None:
        self._runloop = runloop

    # the sharer's owner -----------------------------------------------------------------------

    def offered_ended(
        self,
        attempt: Attempt[LiveCall],
        kind: OutcomeKind,
        outcome: OfferedOutcome,
        letter: tuple[UUID, int],
    ) -> None:
        """Settle an attempt that another pool ran; the commit consumes the letter."""
        call, runloop = attempt.owner, self._runloop
        if call.instance.ended:
            return
        call.instance.letters.append(letter)
        attempt.worker_number = outcome.worker
        attempt.started_at = runloop.loop_time(outcome.started_at)
        if kind is OutcomeKind.LOST:
            call.attempt = None
            attempt.alone = outcome.alone
            if outcome.died:
                call.died(alone=outcome.alone)
            runloop.lost(call, attempt, outcome.payload.decode(errors="replace"))
            return
        if kind is OutcomeKind.TIMEOUT:
            attempt.abandoned = True  # its next try waits until the offer is gone, too
        else:
            call.attempt = None
            call.survived()
        if kind is not OutcomeKind.VALUE:
            call.failed += 1
        runloop.settle(call, attempt, kind, outcome.payload, outcome.seconds, outcome.output)

    def attempts_lost(self, attempts: list[Attempt[LiveCall]], reason: str) -> None:
        """The pool that ran them is dead."""
        self._runloop.attempts_lost(attempts, reason)

    def attempt_gone(self, attempt: Attempt[LiveCall]) -> None:
        """An attempt whose timeout is settled has ended."""
        self._runloop.attempt_gone(attempt)

    def resubmit(self, attempt: Attempt[LiveCall]) -> None:
        """Run here what nobody took."""
        call = attempt.owner
        if call.attempt is attempt:
            call.attempt = None
            self._runloop.dispatcher.dispatch(call)

    def refused(self, attempt: Attempt[LiveCall], reason: str) -> None:
        """Fail an attempt that only other pools could run and that cannot be offered to them."""
        call = attempt.owner
        if call.attempt is attempt and not call.instance.ended:
            call.attempt = None
            call.failed += 1
            payload = outcomes.refused_error(attempt.action, attempt.number, reason)
            self._runloop.settle(call, attempt, OutcomeKind.ERROR, payload, 0.0)

    def discard(self, letter: tuple[UUID, int]) -> bool:
        """Consume mail that nobody waits for; False while its run is claimed but not here yet, and may wait for it."""
        instance = self._runloop.instances.get(letter[0])
        if instance is None or instance.ended or instance.adopted:
            return False
        nothing = (instance, (), None, None)
        change = Change(instance.id, instance.epoch, nothing, consumed=[letter])
        self._runloop.commit(instance, change)
        return True

    # what the last owner left -----------------------------------------------------------------

    def expect(
        self, instance: LiveInstance, offered: Iterable[OfferKey], letters: Mapping[OfferKey, int]
    ) -> None:
        """Note what came with a claimed instance: its offers, and outcomes in its mail."""
        instance.adopted = {**dict.fromkeys(offered), **letters}

    def adopt(self, call: LiveCall) -> bool:
        """Await what the last owner offered of the call: its next attempt, or the end of one that timed out."""
        adopted = call.instance.adopted
        key = OfferKey(call.instance.id, call.number, call.failed + 1)
        if key in adopted:
            del adopted[key]
            self._runloop.dispatcher.adopt(call)
            return True
        late = key._replace(attempt=call.failed)
        if adopted.get(late, 0) is not None:  # there is none, or it has ended
            return False
        del adopted[late]
        self._runloop.dispatcher.adopt_late(call)
        return True

    def disown_rest(self, instance: LiveInstance) -> None:
        """What was offered and no open call waits for: its call has been cancelled or settled since."""
        adopted, instance.adopted = instance.adopted, {}
        sharer = self._runloop.dispatcher.sharer
        sharer.disown([key for key, letter in adopted.items() if letter is None])
        for letter in adopted.values():
            if letter is not None:
                self.discard((instance.id, letter))
