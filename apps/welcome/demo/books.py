"""Two sets of books about one run: the journal in the database and the ledger that send_email wrote itself."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg

from waymark_schema.kinds import JournalKind, OutcomeKind
from welcome.ledger import Ledger
from welcome.mailbox import Mailbox

SETTLED = """
select call, attempt, kind, outcome_kind from {schema}.journal
where instance = %s and call is not null order by position
"""


@dataclass(frozen=True)
class Journal:
    """What is committed of one run at one moment."""

    done: Counter[str] = field(default_factory=Counter)
    """Calls that ended with a value, by idempotency key; more than one entry each would be a repeat."""
    attempts: frozenset[tuple[str, int]] = frozenset()
    """(call, attempt) of every attempt whose end is committed."""
    retries: int = 0


def read_journal(
    connection: psycopg.Connection[tuple[int, int, int, int]], run: str, schema: str
) -> Journal:
    """Read the committed entries of a run."""
    query = SETTLED.format(schema=schema).encode()
    done: Counter[str] = Counter()
    attempts = set()
    retries = 0
    for call, attempt, kind, outcome in connection.execute(query, (UUID(run),)):
        key = f"{run}:{call}"
        if kind == JournalKind.LOST:
            continue
        attempts.add((key, attempt))
        retries += kind == JournalKind.RETRY
        if outcome == OutcomeKind.VALUE:
            done[key] += 1
    return Journal(done, frozenset(attempts), retries)


@dataclass(frozen=True)
class Begun:
    """One attempt as send_email noted it."""

    call: str
    attempt: int
    pid: int
    at: float


def begun(ledger: Ledger) -> list[Begun]:
    """Every attempt that began, in order."""
    return [
        Begun(
            str(line["call"]),
            int(str(line["attempt"])),
            int(str(line["pid"])),
            float(str(line["at"])),
        )
        for line in ledger.lines()
        if line["event"] == "begin"
    ]


def in_flight(ledger: Ledger, journal: Journal) -> set[str]:
    """Calls that have begun and whose attempt has no committed end."""
    return {
        entry.call for entry in begun(ledger) if (entry.call, entry.attempt) not in journal.attempts
    }


def repeated(ledger: Ledger, before: Journal, after: Journal, killed: set[int]) -> set[str]:
    """Committed steps that ran twice: run by a later process, or committed more than once."""
    again = {
        entry.call for entry in begun(ledger) if entry.pid not in killed and before.done[entry.call]
    }
    return again | {call for call, count in after.done.items() if count > 1}


def delivered(folder: Path) -> Counter[str]:
    """Messages in the Maildir, by recipient."""
    found: Counter[str] = Counter()
    for message in Mailbox(folder / "maildir").messages():
        for line in message.read_text().splitlines():
            if line.startswith("To: "):
                found[line.removeprefix("To: ")] += 1
    return found
