"""A workflow class goes in; its compiled program, or one error with every problem, comes out."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from typing import Any

from waymark.compiler import members, subset
from waymark.compiler.capture import Captures, Earlier
from waymark.compiler.defaults import check_fields
from waymark.compiler.diagnostics import Diagnostic, Reporter, Text
from waymark.compiler.dispatch import FAMILIES
from waymark.compiler.durable import Writer
from waymark.compiler.jobs import run_job
from waymark.compiler.language import Names
from waymark.compiler.models import add_methods, entries, learned
from waymark.compiler.rebound import Places, places_of
from waymark.compiler.source import SourceChanged, SourceMissing, SourceReader, current_reader
from waymark.compiler.tables import Assumed, Job, Tables, hints
from waymark.errors import UnsupportedPatternError
from waymark_schema.failures import SerializationError
from waymark_schema.ir.digest import canonical, digest
from waymark_schema.ir.program import FORMAT, SEMANTICS, Program, Spans
from waymark_schema.ir.wellformed import MAX_PROGRAM_BYTES

RECURSION_LIMIT = 15_000
"""A tree is walked by recursion: one frame or more for each operand of a long chain of ``+`` or ``elif``."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A workflow ready to be registered."""

    program: Program
    program_bytes: bytes
    digest: bytes
    spans: Spans
    source: str
    """Text of the file that defines ``run``."""
    version: str


def compile_workflow(cls: type) -> Compiled:
    """Compile a workflow class; the result is kept on the class.

    Raises:
        UnsupportedPatternError: the class uses what the workflow language lacks; it lists every problem.
    """
    kept = vars(cls).get("__waymark_compiled__")
    if isinstance(kept, Compiled):
        return kept
    with _deep_enough():
        compiled = _compiled(cls, *_lowered(cls, current_reader()))
    setattr(cls, "__waymark_compiled__", compiled)  # noqa: B010 - a class attribute by agreement
    return compiled


def compile_as_bound(cls: type, earlier: Earlier) -> tuple[Compiled, Places]:
    """Compile a workflow class from what its names mean at this moment, and say where that was found.

    ``earlier`` is what its names meant at first; it is the caller's to keep.

    Raises:
        UnsupportedPatternError: the class uses what the workflow language lacks; it lists every problem.
    """
    with _deep_enough():
        tables, run = _lowered(cls, current_reader(), earlier)
        return _compiled(cls, tables, run), places_of(tables)


@dataclass(frozen=True, slots=True)
class Examined:
    """What there is to say about a workflow, whether it compiles or not."""

    diagnostics: tuple[Diagnostic, ...]
    functions: tuple[Job, ...]
    """What was lowered, or tried: ``run``, its methods and helpers."""


def examine(cls: type, reader: SourceReader) -> Examined:
    """Compile a workflow class to look at it; ``reader`` may be shared by the workflows of a file."""
    jobs: tuple[Job, ...] = ()
    try:
        with _deep_enough():
            tables, run = _lowered(cls, reader)
            jobs = tuple(tables.jobs)
            _compiled(cls, tables, run)
    except UnsupportedPatternError as error:
        found = tuple(one for one in error.diagnostics if isinstance(one, Diagnostic))
        return Examined(found, jobs)
    return Examined((), jobs)


@contextmanager
def _deep_enough() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _lowered(
    cls: type, reader: SourceReader, earlier: Earlier | None = None
) -> tuple[Tables, members.Method]:
    language, writer = Names(), Writer()
    captures = Captures(reader, language, earlier)
    run = _run_of(cls, reader)
    assumed = Assumed()
    while True:
        tables = Tables(cls, reader, language, captures, writer, Reporter(), assumed)
        _lower_all(tables, run)
        known = learned(tables)
        if known == assumed:
            return tables, run
        assumed = known


def _compiled(cls: type, tables: Tables, run: members.Method) -> Compiled:
    check_fields(tables)
    tables.reporter.raise_found(f"workflow {cls.__name__}")
    return _finished(cls, tables, run)


def _run_of(cls: type, reader: SourceReader) -> members.Method:
    found = members.find(cls, "run")
    instead = "write `async def run(self, …):`"
    if not isinstance(found, members.Method):
        problem = f"class {cls.__name__} has no method `run`"
    elif found.kind != "method":
        problem = f"`run` of {cls.__name__} is a {found.kind} method"
    elif found.function.__code__.co_flags & CO_ASYNC_GENERATOR:
        problem, instead = f"`run` of {cls.__name__} is a generator", "build and return a list"
    elif not found.function.__code__.co_flags & CO_COROUTINE:
        problem = f"`run` of {cls.__name__} is a plain function"
    else:
        return found
    reporter = Reporter()
    where, text = _place_of_run(cls, found, reader)
    reporter.report("WM132", where, text, problem, instead)
    reporter.raise_found(f"workflow {cls.__name__}")
    raise AssertionError


def _place_of_run(
    cls: type, found: members.Member | None, reader: SourceReader
) -> tuple[ast.AST, Text]:
    """Where the ``def`` of ``run`` stands, or the class that has none."""
    try:
        if isinstance(found, members.Method):
            node, file = reader.function(found.function)
            return subset.head(node), file.text
        file = reader.module(sys.modules[cls.__module__])
        return subset.head(file.classes[cls.__name__][0]), file.text
    except (SourceMissing, SourceChanged, KeyError):
        return ast.Pass(), Text(cls.__module__, ())


def _lower_all(tables: Tables, run: members.Method) -> None:
    tables.mention(run.function)
    tables.function(run.function, run.owner)
    done = 0
    while done < len(tables.jobs):
        while done < len(tables.jobs):
            run_job(tables, FAMILIES, tables.jobs[done])
            done += 1
        add_methods(tables)


def _finished(cls: type, tables: Tables, run: members.Method) -> Compiled:
    types = _entries(cls, tables)
    functions = [finish() for finish in tables.functions if finish is not None]
    assert len(functions) == len(tables.functions)
    program = Program(
        FORMAT,
        SEMANTICS,
        _name(cls),
        [one.function for one in functions],
        tables.constants,
        tables.globals,
        dict(sorted(tables.attributes.items())),
        types,
        tables.actions,
        tables.annotation(hints(run.function).get("return", Any)),
        cls.__name__,
    )
    program_bytes = canonical(program)
    mark = digest(program_bytes)
    node, file = tables.reader.function(run.function)
    _expect_readable(tables.reporter, program_bytes, subset.head(node), file.text)
    tables.reporter.raise_found(f"workflow {cls.__name__}")
    spans = Spans(
        file.text.filename,
        [one.filename for one in functions],
        [one.spans for one in functions],
    )
    version = getattr(cls, "version", None)
    return Compiled(
        program,
        program_bytes,
        mark,
        spans,
        "\n".join(file.text.lines),
        version if isinstance(version, str) and version else mark.hex(),
    )


def _expect_readable(reporter: Reporter, program_bytes: bytes, where: ast.AST, text: Text) -> None:
    size = len(program_bytes)
    if size > MAX_PROGRAM_BYTES:
        problem = f"the program takes {size:,} bytes; at most {MAX_PROGRAM_BYTES:,} are read"
        reporter.report("WM100", where, text, problem, "read large tables in an @action function")


def _name(cls: type) -> str:
    name = getattr(cls, "name", None)
    return name if isinstance(name, str) and name else cls.__name__.lower()


def _entries(cls: type, tables: Tables) -> list[Any]:
    try:
        return entries(tables)
    except SerializationError as error:
        tables.reporter.report(
            "WM123",
            ast.Pass(),
            Text(cls.__module__, ()),
            str(error),
            "use durable values in the class",
        )
        tables.reporter.raise_found(f"workflow {cls.__name__}")
        raise
