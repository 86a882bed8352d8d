"""Calls that one pool offers to others: demand, offers and outcomes go in, the queries that move them come out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from waymark_schema.database.statement import Nothing, Query, load
from waymark_schema.ids import InstanceId, LeaseId, ProgramId


class OfferKey(NamedTuple):
    """One attempt of one call."""

    instance: UUID
    call: int
    attempt: int


class NewOffer(NamedTuple):
    """An attempt that its owner cannot start; ``timeout`` is zero for none, ``deaths`` what ended around it in a row."""

    instance: UUID
    call: int
    attempt: int
    action: str
    inputs: bytes
    program: int
    timeout: timedelta
    deaths: int = 0


class OfferedEnd(NamedTuple):
    """How a taken attempt went; ``payload`` is the taker's and owner's own form, ``ended`` whether it has really ended."""

    instance: UUID
    call: int
    attempt: int
    outcome_kind: int
    payload: bytes
    ended: bool


@dataclass(frozen=True, slots=True)
class Demand:
    """What another runloop would take."""

    lease: LeaseId
    wants: int
    actions: list[str]


@dataclass(frozen=True, slots=True)
class TakenOffer:
    """An attempt that is now the taker's to run."""

    instance: InstanceId
    call: int
    attempt: int
    owner: LeaseId
    action: str
    inputs: bytes
    program: ProgramId
    timeout: timedelta
    deaths: int


@dataclass(frozen=True, slots=True)
class Offer:
    """One attempt of one call that was offered."""

    instance: InstanceId
    call: int
    attempt: int


@dataclass(frozen=True, slots=True)
class OfferState:
    """How an offer stands: taken now, or open; open after a take means that its taker died, maybe of it if ``alone``."""

    instance: InstanceId
    call: int
    attempt: int
    taken: bool
    takes: int
    alone: bool


_FILE = load(__package__, "offers.sql")
WANT = _FILE.statement("want", Nothing)
ABLE = _FILE.statement("able", Nothing)
DEMAND = _FILE.statement("demand", Demand)
OFFER = _FILE.statement("offer", Nothing)
TAKE = _FILE.statement("take", TakenOffer)
TAKE_FOREIGN = _FILE.statement("take_foreign", TakenOffer)
GIVE_BACK = _FILE.statement("give_back", Nothing)
FINISH = _FILE.statement("finish", Nothing)
MARK_ALONE = _FILE.statement("mark_alone", Offer)
DROP_TAKEN = _FILE.statement("drop_taken", Nothing)
TAKEN = _FILE.statement("taken", Offer)
OFFERED = _FILE.statement("offered", OfferState)
TAKE_BACK = _FILE.statement("take_back", Offer)
WITHDRAW = _FILE.statement("withdraw", Nothing)
ADOPT = _FILE.statement("adopt", OfferState)
RELEASE = _FILE.statement("release", Offer)
SWEEP = _FILE.statement("sweep", Nothing)


def want(lease: LeaseId, wants: int) -> Query[Nothing]:
    """Say how many calls this runloop could run now and has no work for."""
    return WANT.bind(lease=lease, wants=wants)


def able(lease: LeaseId, actions: Iterable[str]) -> Query[Nothing]:
    """Say which actions the pool of this lease can run."""
    return ABLE.bind(lease=lease, actions=sorted(actions))


def demand(lease: LeaseId) -> Query[Demand]:
    """Read what the others would take."""
    return DEMAND.bind(lease=lease)


def offer(lease: LeaseId, offers: Sequence[NewOffer]) -> Query[Nothing]:
    """Put attempts where others can take them; they must not run here any more."""
    return OFFER.bind(lease=lease, **_columns(NewOffer._fields, offers))


def take(lease: LeaseId, actions: Iterable[str], *, room: int) -> Query[TakenOffer]:
    """Take at most ``room`` attempts of others, oldest offers first."""
    return TAKE.bind(lease=lease, action=list(actions), room=room)


def take_foreign(lease: LeaseId, actions: Iterable[str], *, room: int) -> Query[TakenOffer]:
    """Take at most ``room`` attempts whose own pool does not know their action."""
    return TAKE_FOREIGN.bind(lease=lease, action=list(actions), room=room)


def give_back(lease: LeaseId, keys: Sequence[OfferKey]) -> Query[Nothing]:
    """Open again what was taken and has not been started."""
    return GIVE_BACK.bind(lease=lease, **_columns(OfferKey._fields, keys))


def finish(lease: LeaseId, ends: Sequence[OfferedEnd]) -> Query[Nothing]:
    """Leave outcomes in the inboxes of their instances; sent again it adds nothing."""
    return FINISH.bind(lease=lease, **_columns(OfferedEnd._fields, ends))


def mark_alone(lease: LeaseId, key: OfferKey, *, alone: bool) -> Query[Offer]:
    """Record that nothing runs beside a taken attempt, or no longer; no row when it is not this taker's any more."""
    return MARK_ALONE.bind(lease=lease, alone=alone, **key._asdict())


def drop_taken(lease: LeaseId, keys: Sequence[OfferKey]) -> Query[Nothing]:
    """Remove offers whose outcome was told before they ended."""
    return DROP_TAKEN.bind(lease=lease, **_columns(OfferKey._fields, keys))


def taken(lease: LeaseId) -> Query[Offer]:
    """Read what this taker still holds."""
    return TAKEN.bind(lease=lease)


def offered(lease: LeaseId) -> Query[OfferState]:
    """Read how the offers of this owner stand."""
    return OFFERED.bind(lease=lease)


def take_back(lease: LeaseId, keys: Sequence[OfferKey]) -> Query[Offer]:
    """Remove offers that nobody holds; those that come back may run here."""
    return TAKE_BACK.bind(lease=lease, **_columns(OfferKey._fields, keys))


def withdraw(lease: LeaseId, keys: Sequence[OfferKey]) -> Query[Nothing]:
    """Remove offers, taken or not: nobody waits for them any more."""
    return WITHDRAW.bind(lease=lease, **_columns(OfferKey._fields, keys))


def adopt(lease: LeaseId, instances: Iterable[UUID]) -> Query[OfferState]:
    """Take over the offers of instances that were just claimed."""
    return ADOPT.bind(lease=lease, instance=list(instances))


def release(*, room: int) -> Query[Offer]:
    """Open again what dead takers held; repeat until no row comes back."""
    return RELEASE.bind(room=room)


def sweep() -> Query[Nothing]:
    """Remove offers of runs that have ended."""
    return SWEEP.bind()


def _columns(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> dict[str, object]:
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}
