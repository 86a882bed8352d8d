"""What was fed to an instance: ids and positions go in, a query for the entries after them comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from waymark_schema.database.statement import Query, load
from waymark_schema.ids import InstanceId

_BESIDE = 300
"""Bytes of an entry beside its values."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One entry to be replayed; `kind` is a `JournalKind`, `outcome_kind` an `OutcomeKind`.

    `action` is a place in the program's list of actions, from 0.
    """

    instance: InstanceId
    position: int
    kind: int
    call: int | None
    attempt: int | None
    action: int | None
    outcome: bytes | None
    outcome_kind: int | None
    local: bytes | None
    python_minor: int

    @property
    def size(self) -> int:
        """About what it takes in memory, as `tail` counts it."""
        return _BESIDE + len(self.outcome or b"") + len(self.local or b"")


_FILE = load(__package__, "journal.sql")
TAIL = _FILE.statement("tail", JournalEntry)


def tail(after: Mapping[InstanceId, int] | Mapping[UUID, int], *, room: int) -> Query[JournalEntry]:
    """Read the entries behind a position of each instance (0 for all), by instance and position.

    It ends with the entry whose `size` fills the room, in bytes; there may be more behind that.
    """
    return TAIL.bind(
        instance=list(after.keys()), after=list(after.values()), room=room, beside=_BESIDE
    )
