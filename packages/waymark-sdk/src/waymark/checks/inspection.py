"""Names of modules in; a report on every workflow that importing them defines, out."""

from __future__ import annotations

import contextlib
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING

from waymark.checks import syntax
from waymark.checks.findings import Finding, Report, Severity, finding, merged, shown_path
from waymark.checks.forgotten import forgotten
from waymark.checks.lints.rules import lint
from waymark.compiler import members
from waymark.compiler.diagnostics import Text
from waymark.compiler.pipeline import examine
from waymark.compiler.source import SourceReader
from waymark.definitions import run_left_to_compiler
from waymark.executor.importing import ImportFailure, add_current_directory, import_module
from waymark.registry import WorkflowDefinition, workflow_registry
from waymark_schema.ir.program import Span

if TYPE_CHECKING:
    from waymark.compiler.diagnostics import Diagnostic

NOT_IMPORTED = "WM190"
NOTHING_DEFINED = "WM191"
DEFECT = "WM192"


def inspect_modules(modules: Sequence[str]) -> Report:
    """Import the modules, the current directory first on ``sys.path``, and examine their workflows.

    Never raises: what keeps a module from being imported is a finding. What modules print while they
    are imported goes to stderr, so that stdout holds the report and nothing else.
    """
    add_current_directory()
    before = {definition.place for definition in workflow_registry}
    loaded = set(sys.modules)
    failures: list[ImportFailure] = []
    with contextlib.redirect_stdout(sys.stderr), run_left_to_compiler():
        for module in modules:
            failure = import_module(module)
            if failure is not None:
                failures.append(failure)
    defined = [
        each
        for each in workflow_registry
        if each.place not in before or _named(each.workflow.__module__, modules)
    ]
    new = set(sys.modules) - loaded
    files = tuple(_files(new, failures))

    def checked(module: str) -> bool:
        own = getattr(sys.modules.get(module), "__file__", None) or ""
        return _named(module, modules) or (module in new and str(Path(own).resolve()) in files)

    findings = [_import_finding(failure) for failure in failures]
    if not defined and not failures:
        findings.append(_nothing(modules))
    reader = SourceReader()
    findings += _examined(defined, reader)
    findings += (finding(one, Severity.WARNING) for one in forgotten(checked, reader))
    return Report(
        tuple(modules),
        merged(findings),
        tuple(sorted(each.name for each in defined)),
        files,
        unreadable=bool(failures) or not defined,
    )


def _named(own: str, modules: Sequence[str]) -> bool:
    return any(own == module or own.startswith(f"{module}.") for module in modules)


def _examined(defined: Sequence[WorkflowDefinition], reader: SourceReader) -> Iterator[Finding]:
    for definition in defined:
        try:
            yield from _of_workflow(definition, reader)
        except Exception as error:  # noqa: BLE001 - a defect costs one workflow its report, not all of them
            yield _defect(definition, error)


def _of_workflow(definition: WorkflowDefinition, reader: SourceReader) -> list[Finding]:
    examined = examine(definition.workflow, reader)
    found = [finding(one, Severity.ERROR, definition.name) for one in examined.diagnostics]
    warnings: list[Diagnostic] = lint(definition.workflow, examined.functions, reader)
    return [*found, *(finding(one, Severity.WARNING, definition.name) for one in warnings)]


def _defect(definition: WorkflowDefinition, error: Exception) -> Finding:
    line = definition.place.line
    return Finding(
        DEFECT,
        Severity.ERROR,
        f"workflow {definition.name!r} could not be examined: {type(error).__name__}: {error}",
        "this is a defect of Waymark: please report it with the source of the workflow",
        shown_path(definition.place.filename),
        line,
        1,
        line,
        1,
        "",
        (definition.name,),
    )


def _import_finding(failure: ImportFailure) -> Finding:
    filename = failure.filename or failure.module
    lines = _lines(filename)
    line = min(max(1, failure.line), len(lines) or 1)
    text = lines[line - 1].rstrip() if lines else ""
    start = min(failure.column, len(text))
    if not failure.column:
        start = len(text) - len(text.lstrip())
    excerpt = Text(filename, lines).excerpt(Span(line, start, line, len(text))) if lines else ""
    return Finding(
        NOT_IMPORTED,
        Severity.ERROR,
        f"module {failure.module!r} cannot be imported: {failure.reason}",
        syntax.instead(failure.reason, lines, line, failure.column) or failure.advice,
        shown_path(filename),
        line,
        start + 1,
        line,
        max(start, len(text)) + 1,
        excerpt,
    )


def _nothing(modules: Sequence[str]) -> Finding:
    module = sys.modules.get(modules[0])
    where = getattr(module, "__file__", None) or modules[0]
    return Finding(
        NOTHING_DEFINED,
        Severity.ERROR,
        f"no workflow is defined in {', '.join(modules)}",
        "name the modules that hold classes under @workflow",
        shown_path(where),
        1,
        1,
        1,
        1,
        "",
    )


def _lines(filename: str) -> tuple[str, ...]:
    try:
        return tuple(Path(filename).read_text(encoding="utf-8", errors="replace").split("\n"))
    except OSError:
        return ()


def _files(modules: AbstractSet[str], failures: Sequence[ImportFailure]) -> list[str]:
    """Absolute paths of what was imported: whoever watches them need not share our current directory."""
    found = {failure.filename for failure in failures if failure.filename}
    for name in modules:
        if name.partition(".")[0] not in members.OURS:
            found.add(getattr(sys.modules[name], "__file__", None) or "")
    libraries = [Path(path).resolve() for path in _libraries()]
    paths = {Path(name).resolve() for name in found if name.endswith(".py")}
    return sorted(
        str(path) for path in paths if not any(path.is_relative_to(one) for one in libraries)
    )


def _libraries() -> set[str]:
    paths = sysconfig.get_paths()
    return {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
