"""One problem of a module: a compiler's diagnostic, a lint or a failed import in, one record for all formats out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from waymark.compiler.diagnostics import Diagnostic


class Severity(Enum):
    """What a finding does to the exit status: an error always fails, a warning with ``--strict``."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem. Lines and columns count from 1; ``end_column`` is the one behind the last character."""

    code: str
    severity: Severity
    message: str
    instead: str
    file: str
    """Relative to the current directory where it lies below it."""
    line: int
    column: int
    end_line: int
    end_column: int
    excerpt: str
    workflows: tuple[str, ...] = ()
    """Names of the workflows that it is about; none for a module that cannot be imported."""

    def __str__(self) -> str:
        kind = "" if self.severity is Severity.ERROR else "warning: "
        lines = [f"{self.file}:{self.line}:{self.column}: {self.code} {kind}{self.message}"]
        lines += self.excerpt.splitlines()
        if self.instead:
            lines.append(f"  instead: {self.instead}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found, in the order of files and lines."""

    modules: tuple[str, ...]
    findings: tuple[Finding, ...]
    workflows: tuple[str, ...]
    """Names of the workflows that were compiled."""
    files: tuple[str, ...]
    """Source files that importing the modules loaded, those of Python and of installed packages left out."""
    unreadable: bool
    """A module could not be imported or defines no workflow: what it would have shown is not known."""

    def count(self, severity: Severity) -> int:
        """How many findings are of one severity."""
        return sum(one.severity is severity for one in self.findings)


def finding(found: Diagnostic, severity: Severity, *workflows: str) -> Finding:
    """A diagnostic as a finding about ``workflows``."""
    span = found.span
    return Finding(
        found.code,
        severity,
        found.message,
        found.recommendation,
        shown_path(found.filename),
        span.line,
        span.column + 1,
        span.end_line,
        span.end_column + 1,
        found.excerpt,
        workflows,
    )


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in source order; what several workflows share is said once, with all their names."""
    kept: dict[tuple[str, str, int, int], Finding] = {}
    for one in findings:
        key = (one.code, one.file, one.line, one.column)
        names = dict.fromkeys((*(kept[key].workflows if key in kept else ()), *one.workflows))
        kept[key] = dataclasses.replace(kept.get(key, one), workflows=tuple(names))
    return tuple(sorted(kept.values(), key=lambda one: (one.file, one.line, one.column, one.code)))


def shown_path(filename: str) -> str:
    """A path as people want to read it, and as editors and CI systems resolve it."""
    path = Path(filename)
    here = Path.cwd()
    for near in (here, here.resolve()):
        if path.is_relative_to(near):
            return path.relative_to(near).as_posix()
    return filename
