"""Messages to an instance: what somebody sends goes in, queries that leave and read mail come out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from waymark_schema.database.statement import Nothing, Query, load
from waymark_schema.ids import InboxId, InstanceId, LeaseId
from waymark_schema.kinds import InboxKind


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver's state, and the message's id; None when it had ended or had the message already."""

    state: int
    message: InboxId | None


@dataclass(frozen=True, slots=True)
class Message:
    """One message that has not been consumed; `kind` is an `InboxKind`.

    Consume it by naming (instance, id) in the `SettleBatch` that journals it.
    """

    instance: InstanceId
    id: InboxId
    kind: int
    call: int | None
    attempt: int | None
    outcome_kind: int | None
    name: str | None
    payload: bytes | None
    arrived_at: datetime


_FILE = load(__package__, "inbox.sql")
SEND = _FILE.statement("send", Sent)
PENDING = _FILE.statement("pending", Message)
PENDING_OF_LEASE = _FILE.statement("pending_of_lease", Message)
SWEEP = _FILE.statement("sweep", Nothing)


def send(
    instance: UUID,
    kind: InboxKind,
    *,
    name: str | None = None,
    payload: bytes | None = None,
    call: int | None = None,
    attempt: int | None = None,
    outcome_kind: int | None = None,
) -> Query[Sent]:
    """Leave a message for a run; no row when the run does not exist.

    An OFFERED_OUTCOME of the same call and attempt is kept once.
    """
    return SEND.bind(
        instance=instance,
        kind=int(kind),
        name=name,
        payload=payload,
        call=call,
        attempt=attempt,
        outcome_kind=outcome_kind,
    )


def pending(instances: Iterable[UUID]) -> Query[Message]:
    """Read the mail of instances, oldest first."""
    return PENDING.bind(instance=list(instances))


def pending_of_lease(lease: LeaseId, *, room: int) -> Query[Message]:
    """Read the mail of everything that a lease holds, at most `room` messages."""
    return PENDING_OF_LEASE.bind(lease=lease, room=room)


def sweep() -> Query[Nothing]:
    """Delete the mail of runs that are gone."""
    return SWEEP.bind()
