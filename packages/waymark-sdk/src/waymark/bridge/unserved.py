"""Runs that clients have been waiting for in vain in; to each client that no live pool can run them out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from waymark.bridge.parties import Party
from waymark.bridge.pauses import pause
from waymark.bridge.protocol import Unserved
from waymark.bridge.waits import Waits
from waymark_schema.ids import ProgramId
from waymark_schema.reports import workers
from waymark_schema.reports.workers import UnservedLine
from waymark_schema.tables import instances

LOOK_S: Final = 5.0
_IDS_AT_ONCE: Final = 10_000


class UnservedRuns:
    """Looks at intervals, while somebody waits, and tells each client once of each program."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._channel = waits.reading
        self._before: set[ProgramId] = set()
        self._told: dict[ProgramId, set[int]] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await pause(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Two looks in a row must find a program: a pool that starts now reports what it knows meanwhile."""
        if not self._waits:
            self._before, self._told = set(), {}
            return
        found = {line.id: line for line in await self._channel.fetch_all(workers.unserved(most=1))}
        # Once a pool runs it, it may be told again.
        self._told = {program: told for program, told in self._told.items() if program in found}
        for program in found.keys() & self._before:
            self._told.setdefault(program, set())
        if self._told:
            await self._tell(found)
        self._before = set(found)

    async def _tell(self, found: dict[ProgramId, UnservedLine]) -> None:
        waiting = self._waits.waiting()
        runs: dict[ProgramId, list[tuple[Party, int, bytes]]] = {}
        for ids in _batches(waiting):
            for queued in await self._channel.fetch_all(instances.queued(ids)):
                if queued.program in self._told:
                    runs.setdefault(queued.program, []).extend(
                        (party, request, queued.id.bytes) for party, request in waiting[queued.id]
                    )
        for program, held in runs.items():
            self._tell_each(found[program], held)

    def _tell_each(self, line: UnservedLine, held: list[tuple[Party, int, bytes]]) -> None:
        told = self._told[line.id]
        held = [each for each in held if id(each[0]) not in told]
        counts: dict[int, int] = {}
        for party, _, _ in held:
            counts[id(party)] = counts.get(id(party), 0) + 1
        for party, request, run in held:
            if id(party) not in told:
                told.add(id(party))
                party.answer(
                    Unserved(
                        request, run, counts[id(party)], line.workflow, sorted(line.unknown_actions)
                    )
                )


def _batches(ids: Iterable[UUID]) -> Iterable[list[UUID]]:
    remaining = iter(ids)
    while batch := list(itertools.islice(remaining, _IDS_AT_ONCE)):
        yield batch
