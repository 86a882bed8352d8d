"""The modules of a check in; workflow classes that stand in them without ``@workflow`` out: WM193."""

from __future__ import annotations

import abc
import inspect
import sys
from collections.abc import Callable, Iterator

from waymark.checks.lints.rules import silenced
from waymark.compiler import subset
from waymark.compiler.diagnostics import Diagnostic, Reporter
from waymark.compiler.source import SourceChanged, SourceMissing, SourceReader
from waymark.definitions import DEFINITION
from waymark.workflows import Workflow

CODE = "WM193"


def forgotten(checked: Callable[[str], bool], reader: SourceReader) -> list[Diagnostic]:
    """Warn about classes of ``checked`` modules that no worker will ever know of."""
    reporter = Reporter()
    for cls in _below(Workflow):
        if checked(cls.__module__) and _is_meant_to_run(cls):
            _report(cls, reader, reporter)
    return [one for one in reporter.found if not silenced(one, reader)]


def _below(cls: type) -> Iterator[type]:
    found: list[type] = cls.__subclasses__()
    for each in found:
        yield each
        yield from _below(each)


def _is_meant_to_run(cls: type) -> bool:
    """Whether a class looks like a workflow, and not like what other classes derive from."""
    if getattr(sys.modules.get(cls.__module__), cls.__qualname__, None) is not cls:
        return False
    if DEFINITION in vars(cls) or cls.__name__.startswith("_"):
        return False
    if cls.__subclasses__() or abc.ABC in cls.__bases__ or inspect.isabstract(cls):
        return False
    return any("run" in vars(base) for base in cls.__mro__ if base is not Workflow)


def _report(cls: type, reader: SourceReader, reporter: Reporter) -> None:
    try:
        file = reader.module(sys.modules[cls.__module__])
        node = file.classes[cls.__name__][-1]
    except (SourceMissing, SourceChanged, KeyError):
        return
    why = (
        f"`{cls.__name__}` is a Workflow without @workflow: it is not checked and cannot be started"
    )
    instead = "write `@workflow` above the class"
    reporter.report(CODE, subset.head(node), file.text, why, instead)
