"""Who is told what: a schema goes in, channel names and coalesced notifications come out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from waymark_schema.database.statement import Query, checked_schema, load
from waymark_schema.ids import LeaseId

_PAYLOAD_BYTES = 7_900
_HEX = 32
_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Notified:
    """How many notifications were handed to the server."""

    durability: str
    sent: int


_FILE = load(__package__, "notifications.sql")
NOTIFY = _FILE.statement("notify", Notified)


def ready_channel(schema: str) -> str:
    """Pools listen here: runnable instances appeared, or mail did; the payload is free text."""
    return f"{checked_schema(schema)}_ready"


def finished_channel(schema: str) -> str:
    """Bridges listen here: the payload names instances that ended."""
    return f"{checked_schema(schema)}_finished"


def inbox_channel(schema: str) -> str:
    """Owners listen here: the payload names the leases whose instances got mail."""
    return f"{checked_schema(schema)}_inbox"


def pack_ids(ids: Iterable[UUID]) -> list[str]:
    """Spell ids as payloads, as many in one as Postgres allows."""
    spelled = [instance.hex for instance in ids]
    size = _PAYLOAD_BYTES // _HEX
    return ["".join(spelled[start : start + size]) for start in range(0, len(spelled), size)]


def pack_leases(leases: Iterable[LeaseId]) -> list[str]:
    """Spell leases as payloads."""
    spelled = [str(lease) for lease in leases]
    size = _PAYLOAD_BYTES // _DIGITS
    return [",".join(spelled[start : start + size]) for start in range(0, len(spelled), size)]


def unpack_leases(payload: str) -> list[int]:
    """Read the leases out of a payload; what is not one is passed over, since anybody may notify."""
    return [int(part) for part in payload.split(",") if part.isascii() and part.isdigit()]


def unpack_ids(payload: str) -> list[UUID]:
    """Read the ids out of a payload.

    Raises ValueError when the payload is not made of whole ids.
    """
    if len(payload) % _HEX:
        raise ValueError(
            f"a payload of {len(payload)} characters is not made of {_HEX}-digit run ids"
        )
    return [UUID(payload[start : start + _HEX]) for start in range(0, len(payload), _HEX)]


def notify(messages: Sequence[tuple[str, str]]) -> Query[Notified]:
    """Send (channel, payload) pairs in one statement; run it in autocommit, after the commit it tells of."""
    return NOTIFY.bind(
        channel=[channel for channel, _ in messages], payload=[payload for _, payload in messages]
    )
