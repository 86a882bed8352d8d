"""Compiled workflows: a program goes in once, queries that register and read programs come out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from waymark_schema.database.statement import Nothing, Query
from waymark_schema.database.statement import load as load_file
from waymark_schema.errors import ProgramConflict
from waymark_schema.ids import ProgramId, program_id


@dataclass(frozen=True, slots=True)
class NewProgram:
    """A compiled workflow as it is stored; `digest` is sha256 over the canonical bytes."""

    workflow: str
    version: str
    digest: bytes
    format: int
    semantics: int
    actions: Sequence[str]
    program: bytes
    source: str

    @property
    def id(self) -> ProgramId:
        """The row id, derived from the digest."""
        return program_id(self.digest)


@dataclass(frozen=True, slots=True)
class ProgramHolder:
    """The program that a workflow name and version stand for."""

    id: ProgramId
    workflow: str
    version: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class StoredProgram:
    """A program to be linked; a journal row's `action` is a place in `actions`."""

    id: ProgramId
    workflow: str
    version: str
    digest: bytes
    format: int
    semantics: int
    actions: list[str]
    program: bytes


@dataclass(frozen=True, slots=True)
class ProgramHeader:
    """What a pool compares with its workers to see whether it can run a program."""

    id: ProgramId
    workflow: str
    version: str
    format: int
    semantics: int
    actions: list[str]


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The timeout as the server understood it."""

    statement_timeout: str


_FILE = load_file(__package__, "programs.sql")
REGISTER = _FILE.statement("register", Nothing)
HOLDER = _FILE.statement("holder", ProgramHolder)
LOAD = _FILE.statement("load", StoredProgram)
HEADERS = _FILE.statement("headers", ProgramHeader)
PRUNE = _FILE.statement("prune", ProgramHolder)
SET_TIME_LIMIT = _FILE.statement("set_time_limit", TimeLimit)


def register(program: NewProgram) -> Query[Nothing]:
    """Store a program unless it is there; then read `holder` and hand both to `check_registered`."""
    return REGISTER.bind(
        id=program.id,
        workflow=program.workflow,
        version=program.version,
        digest=program.digest,
        format=program.format,
        semantics=program.semantics,
        actions=list(program.actions),
        program=program.program,
        source=program.source,
    )


def holder(program: NewProgram) -> Query[ProgramHolder]:
    """Read what holds a program's name and version; if nothing does, its own row, of another version."""
    return HOLDER.bind(id=program.id, workflow=program.workflow, version=program.version)


def check_registered(program: NewProgram, found: ProgramHolder | None) -> ProgramId:
    """Return the program's id once it is stored, under its version or, the same code, an earlier one.

    Raises ProgramConflict when another digest holds its name and version, or when two digests share their
    first eight bytes.
    """
    if found is None or found.digest != program.digest:
        raise ProgramConflict(program.workflow, program.version)
    return found.id


def load(ids: Iterable[ProgramId]) -> Query[StoredProgram]:
    """Read whole programs."""
    return LOAD.bind(id=list(ids))


def headers(*, known: Iterable[ProgramId] = ()) -> Query[ProgramHeader]:
    """Read the headers of every program but the known ones."""
    return HEADERS.bind(known=list(known))


def prune(*, unused_for: timedelta) -> Query[ProgramHolder]:
    """Delete programs that nothing refers to and that were registered longer ago than `unused_for`."""
    return PRUNE.bind(unused_for=unused_for)


def set_time_limit(limit: timedelta) -> Query[TimeLimit]:
    """Bound the statements of the current transaction."""
    return SET_TIME_LIMIT.bind(milliseconds=str(limit // timedelta(milliseconds=1)))
