"""Another pool's call that runs here: what is known of it, and what its offer tells should it end this pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from waymark_schema.ids import LeaseId
from waymark_schema.tables.offers import OfferKey
from waymark_worker.pool.attempts import Attempt
from waymark_worker.runloop.dispatcher import DEATHS_BEFORE_ALONE
from waymark_worker.runloop.solo import trial_seconds
from waymark_worker.telemetry import log


@dataclass(slots=True, eq=False)
class TakenCall:
    """One attempt of another pool's call that runs, or waits to run, here."""

    key: OfferKey
    owner: LeaseId
    deaths: int
    """Workers and pools in a row that ended while they ran the call."""


class Taker(Protocol):
    """Who took it."""

    def holds(self, attempt: Attempt[TakenCall]) -> bool: ...
    def mark(self, suspect: TakenSuspect, *, alone: bool) -> None: ...


class TakenSuspect:
    """An attempt that may have ended what ran it.

    It waits for the whole pool to come to rest, the longer the more has ended around it. In a pool that does
    not, it has only a worker to itself: then it can be blamed for that worker's death, not for the pool's.
    """

    def __init__(self, attempt: Attempt[TakenCall], taker: Taker) -> None:
        self.attempt = attempt
        self.recorded = False
        """Its offer tells that it runs alone."""
        self._taker = taker
        self._times = attempt.owner.deaths - DEATHS_BEFORE_ALONE
        self._put_off = 0

    @property
    def over(self) -> bool:
        """Nobody waits for it any more."""
        return not self._taker.holds(self.attempt)

    @property
    def cleared(self) -> bool:
        """It has waited long enough for the pool to come to rest."""
        return self._put_off > self._times

    @property
    def trial_seconds(self) -> float:
        """After so long it counts as harmless."""
        return trial_seconds(self._times)

    @property
    def bears_company(self) -> bool:
        """Its offer can only tell that nothing else runs."""
        return False

    def put_off(self) -> None:
        """The pool did not come to rest."""
        self._put_off += 1

    def record(self, *, beside: bool) -> None:
        """Let its offer tell that it is about to run alone."""
        assert not beside
        self.recorded = False
        owner = self.attempt.owner
        log.warning(
            "call.alone",
            instance=str(owner.key.instance),
            action=self.attempt.action,
            deaths=owner.deaths,
        )
        self._taker.mark(self, alone=True)

    def acquit(self) -> None:
        """It is harmless: whatever ends this pool from now on, something else runs in it, too."""
        self._taker.mark(self, alone=False)
