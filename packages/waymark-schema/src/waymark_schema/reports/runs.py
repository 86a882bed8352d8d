"""Lists of runs: filters and a cursor go in, queries for one page and its surroundings come out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from waymark_schema.database.statement import Query, load
from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.kinds import InstanceState


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in a list; `state` is an `InstanceState`; workflow and version are None if pruned."""

    id: InstanceId
    workflow: str | None
    version: str | None
    state: int
    priority: int
    recoveries: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    wake_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProgramOf:
    """One version of a workflow."""

    id: ProgramId
    version: str
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class WorkflowLine:
    """One workflow and how many versions of it are registered."""

    workflow: str
    versions: int


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many runs are in a state, `most` standing for "that many or more"."""

    state: int
    runs: int


_FILE = load(__package__, "runs.sql")
PAGE = _FILE.statement("page", RunLine)
PAGE_BACKWARDS = _FILE.statement("page_backwards", RunLine)
PROGRAMS_OF = _FILE.statement("programs_of", ProgramOf)
WORKFLOWS = _FILE.statement("workflows", WorkflowLine)
COUNTS = _FILE.statement("counts", StateCount)


def page(
    *,
    states: Iterable[InstanceState] | None = None,
    programs: Iterable[ProgramId] | None = None,
    before: UUID | None = None,
    after: UUID | None = None,
    room: int = 50,
) -> Query[RunLine]:
    """Read runs, newest first, older than `before`; None filters nothing, an empty list everything.

    A workflow filter is the ids of `programs_of(workflow)`. Run it with `unprepared(session)`.
    """
    return PAGE.bind(
        states=_spelled_out(states, programs),
        programs=None if programs is None else list(programs),
        before=before,
        after=after,
        room=room,
    )


def page_backwards(
    *,
    after: UUID,
    states: Iterable[InstanceState] | None = None,
    programs: Iterable[ProgramId] | None = None,
    room: int = 50,
) -> Query[RunLine]:
    """Read the runs next newer than `after`, oldest of them first: turn the rows round to show them."""
    return PAGE_BACKWARDS.bind(
        states=_spelled_out(states, programs),
        programs=None if programs is None else list(programs),
        after=after,
        room=room,
    )


def programs_of(workflow: str) -> Query[ProgramOf]:
    """Read the versions of a workflow, last registered first."""
    return PROGRAMS_OF.bind(workflow=workflow)


def workflows() -> Query[WorkflowLine]:
    """Read the names of all workflows."""
    return WORKFLOWS.bind()


def counts(*, most: int = 10_001) -> Query[StateCount]:
    """Count runs by state, each up to `most`."""
    return COUNTS.bind(most=most)


def _spelled_out(
    states: Iterable[InstanceState] | None, programs: Iterable[ProgramId] | None
) -> list[int] | None:
    """The states to bind: all of them instead of none for a workflow, whose indexes are one for each."""
    if states is None:
        return None if programs is None else [int(state) for state in InstanceState]
    return [int(state) for state in states]
