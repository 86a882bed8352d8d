"""Which programs this pool can run: stored rows and the workers' actions in, linked programs out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from waymark_schema.database.execute import Session, fetch_all
from waymark_schema.ids import LeaseId, ProgramId
from waymark_schema.ir.digest import digest as program_digest
from waymark_schema.ir.program import FORMAT, SEMANTICS
from waymark_schema.tables import pools, programs
from waymark_schema.tables.pools import OtherPool
from waymark_schema.tables.programs import ProgramHeader, StoredProgram
from waymark_schema.values.descriptors import digest as descriptor_digest
from waymark_worker.telemetry import log
from waymark_worker.vm.link import LinkedProgram, link

INLINE_ACTION = "waymark:construct"
INLINE_ACTIONS = frozenset((INLINE_ACTION,))
"""Actions of the machine itself, which every worker has."""


@dataclass(frozen=True, slots=True)
class RunnableProgram:
    """One program, linked and ready, with what journal rows and workers need of it."""

    id: ProgramId
    digest: bytes
    workflow: str
    version: str
    linked: LinkedProgram
    action_index: dict[str, int]
    """Action key → place in ``programs.actions``, which is what a journal row stores."""
    known_types: tuple[bytes, ...]


class Damaged(ValueError):
    """The stored bytes are not those that were registered."""


class ProgramShelf:
    """The programs of the database, and which of them this pool's workers can run."""

    def __init__(self) -> None:
        self._headers: dict[ProgramId, ProgramHeader] = {}
        self._runnable: dict[ProgramId, RunnableProgram] = {}
        self._by_digest: dict[bytes, RunnableProgram] = {}
        self._refused: dict[ProgramId, str] = {}
        self._unknown: dict[ProgramId, str] = {}
        """Sound programs that this version cannot link: a newer one may."""
        self._actions: frozenset[str] = frozenset()
        self._can_run: list[ProgramId] = []
        self._shared: list[ProgramId] = []
        self._elsewhere: list[OtherPool] = []

    @property
    def can_run(self) -> list[ProgramId]:
        """Ids of programs with known format and semantics, every action of which the workers know."""
        return self._can_run

    @property
    def claimable(self) -> list[ProgramId]:
        """Ids that may be claimed: those, and what no live pool can run alone but this one with others can."""
        return self._can_run + self._shared

    @property
    def actions(self) -> frozenset[str]:
        """What the workers can run; empty before the first of them said so."""
        return self._actions

    def set_actions(self, actions: Iterable[str]) -> None:
        """Learn what the workers can run."""
        self._actions = frozenset(actions) | INLINE_ACTIONS
        self._decide()

    def types_of(self, digest: bytes) -> tuple[bytes, ...]:
        """Digests of the type descriptors that a program knows."""
        return self._by_digest[digest].known_types

    async def refresh(self, session: Session, lease: LeaseId) -> None:
        """Read the headers of programs that are new in the database, and who knows actions that are missing here."""
        fresh = await fetch_all(session, programs.headers(known=list(self._headers)))
        for header in fresh:
            self._headers[header.id] = header
        elsewhere = self._elsewhere
        if len(self._can_run) < len(self._headers):
            self._elsewhere = await fetch_all(session, pools.elsewhere(lease))
        if fresh or self._elsewhere != elsewhere:
            self._decide()

    async def get(
        self, session: Session, ids: Iterable[ProgramId]
    ) -> dict[ProgramId, RunnableProgram]:
        """Return linked programs, loading those that are not linked yet; one that cannot be linked is left out."""
        wanted = set(ids)
        missing = [id_ for id_ in wanted if id_ not in self._runnable]
        if missing:
            for stored in await fetch_all(session, programs.load(missing)):
                self._shelve(stored)
        return {id_: self._runnable[id_] for id_ in wanted if id_ in self._runnable}

    def why(self, program: ProgramId) -> str:
        """Why a program is not run here."""
        return self._refused.get(program, "it is not in the database any more")

    def is_sound(self, program: ProgramId) -> bool:
        """Whether a program that cannot be linked here is as it was registered, and another pool may run it."""
        return program in self._unknown

    def refusals(self) -> dict[ProgramId, str]:
        """Why programs of the database are not run here."""
        return dict(self._refused)

    def _shelve(self, stored: StoredProgram) -> None:
        try:
            program = _linked(stored)
        except Exception as error:  # noqa: BLE001 - whatever a damaged row makes the linker do, it is refused
            reason = str(error) if isinstance(error, ValueError) else repr(error)
            log.error("program.unlinkable", workflow=stored.workflow, reason=reason)
            if isinstance(error, Damaged):
                self._refused[stored.id] = reason
            else:
                self._unknown[stored.id] = reason
                self._decide()
            return
        self._runnable[stored.id] = program
        self._by_digest[stored.digest] = program

    def _decide(self) -> None:
        self._can_run, self._shared = [], []
        foreign = frozenset(action for pool in self._elsewhere for action in pool.actions)
        served = {program for pool in self._elsewhere for program in pool.programs}
        for header in self._headers.values():
            reason = self._why_not(header)
            if reason is None:
                self._refused.pop(header.id, None)
                self._can_run.append(header.id)
            elif header.id not in served and self._runs_with_others(header, foreign):
                self._refused.pop(header.id, None)
                self._shared.append(header.id)
            elif self._refused.get(header.id) != reason:
                self._refused[header.id] = reason
                log.debug("program.not_runnable", workflow=header.workflow, reason=reason)

    def _runs_with_others(self, header: ProgramHeader, foreign: frozenset[str]) -> bool:
        """Whether some of its actions are known here and the rest to other live pools."""
        asked = frozenset(header.actions) - INLINE_ACTIONS
        return (
            _known_form(header)
            and header.id not in self._unknown
            and not asked.isdisjoint(self._actions)
            and asked <= self._actions | foreign
        )

    def _why_not(self, header: ProgramHeader) -> str | None:
        if not _known_form(header):
            return (
                f"it is of format {header.format}, semantics {header.semantics}; this pool knows "
                f"{FORMAT} and {SEMANTICS}: install a newer waymark-worker"
            )
        if header.id in self._unknown:
            return (
                f"this pool cannot read it: {self._unknown[header.id]}. Other pools may: if none does, "
                "install the waymark-worker of the release that registered it"
            )
        missing = [action for action in header.actions if action not in self._actions]
        if missing:
            return (
                f"no worker of this pool has the action {missing[0]!r}"
                + (f" nor {len(missing) - 1} more" if len(missing) > 1 else "")
                + ", and no other live pool; add its module to WAYMARK_USER_MODULE"
            )
        return None


def _known_form(header: ProgramHeader) -> bool:
    return header.format <= FORMAT and header.semantics <= SEMANTICS


def _linked(stored: StoredProgram) -> RunnableProgram:
    if program_digest(stored.program) != stored.digest:
        raise Damaged(
            "its bytes do not match its digest: the row was edited or damaged; restore it, "
            "or delete it and start a pool that registers the program again"
        )
    linked = link(stored.program, stored.digest)
    return RunnableProgram(
        stored.id,
        stored.digest,
        stored.workflow,
        stored.version,
        linked,
        {key: index for index, key in enumerate(stored.actions)},
        tuple(descriptor_digest(entry.descriptor) for entry in linked.program.types),
    )
