"""Programs that clients run in; their rows out, each in a transaction of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from waymark.bridge.parties import Party, failed
from waymark.bridge.protocol import Registered
from waymark.bridge.store import Store, UnfitValue
from waymark_schema.errors import DatabaseError, DatabaseUnreachable, ProgramConflict
from waymark_schema.ir.digest import decode
from waymark_schema.tables.programs import NewProgram
from waymark_schema.wire.frames import ProgramReport


class Registrar:
    """Stores programs, never in the transaction that queues runs."""

    def __init__(self, store: Store, *, registered: Callable[[bytes], None]) -> None:
        self._channel = store.channel()
        self._registered = registered
        self._asked: deque[tuple[Party, int, Sequence[ProgramReport]]] = deque()
        self._news = asyncio.Event()

    def add(self, party: Party, request: int, programs: Sequence[ProgramReport]) -> None:
        """Take a request."""
        self._asked.append((party, request, programs))
        self._news.set()

    def give_up(self, error: Exception) -> int:
        """Answer everybody with an error; return how many requests."""
        waiting = list(self._asked)
        self._asked.clear()
        for party, request, _ in waiting:
            party.answer(failed(request, error))
        return len(waiting)

    async def run(self) -> None:
        """Register, in order, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._asked:
                party, request, programs = self._asked.popleft()
                try:
                    await self._store_all(programs)
                except (
                    ProgramConflict,
                    DatabaseUnreachable,
                    UnfitValue,
                    msgspec.MsgspecError,
                ) as error:
                    party.answer(failed(request, error))
                except DatabaseError as error:
                    party.answer(failed(request, error))
                    raise
                else:
                    party.answer(Registered(request))

    async def _store_all(self, programs: Sequence[ProgramReport]) -> None:
        for program in programs:
            await self._channel.register(_new_program(program))
            self._registered(program.digest)


def _new_program(report: ProgramReport) -> NewProgram:
    program = decode(report.program)
    return NewProgram(
        workflow=report.workflow,
        version=report.version,
        digest=report.digest,
        format=program.format,
        semantics=program.semantics,
        actions=[entry.key for entry in program.actions],
        program=report.program,
        source=report.source,
    )
