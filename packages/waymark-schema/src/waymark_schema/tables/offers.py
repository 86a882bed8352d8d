"""Calls offered to other pools: ids go in, queries that read and release offers come out."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from waymark_schema.database.statement import Query, load
from waymark_schema.ids import InstanceId


@dataclass(frozen=True, slots=True)
class Offer:
    """One attempt of one call that was offered."""

    instance: InstanceId
    call: int
    attempt: int


_FILE = load(__package__, "offers.sql")
RELEASE = _FILE.statement("release", Offer)
LIVE = _FILE.statement("live", Offer)


def release(*, room: int) -> Query[Offer]:
    """Open again what dead takers held; repeat until no row comes back."""
    return RELEASE.bind(room=room)


def live(instances: Iterable[UUID]) -> Query[Offer]:
    """Read the offers of instances that a new owner adopts."""
    return LIVE.bind(instance=list(instances))
