"""A workflow's functions in; the warnings of every lint, those that a comment silences left out, out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from waymark.checks.lints import awaits, loops, policies, shared
from waymark.checks.lints.reading import Reading, read
from waymark.compiler import members
from waymark.compiler.diagnostics import Diagnostic, Reporter
from waymark.compiler.source import SourceReader
from waymark.compiler.tables import Job

LINTS: tuple[Callable[[Reading], None], ...] = (
    awaits.check,
    loops.check,
    policies.check,
    shared.check,
)

TITLES: dict[str, str] = {
    "WM301": "an action, helper or sleep is called and never awaited",
    "WM302": "a loop without an end, or one that asks again and again, never sleeps",
    "WM303": "a retry without a timeout",
    "WM304": "a retry, timeout or backoff that cannot be read",
    "WM305": "an object of the module or the class is changed, of which every run has its own",
}
"""What each warning is about."""

_IGNORED = re.compile(r"#\s*waymark:\s*ignore\[([^\]]*)\]")


def lint(workflow: type, functions: Iterable[Job], reader: SourceReader) -> list[Diagnostic]:
    """Warn about what a workflow's functions do in vain; nothing is run."""
    reporter = Reporter()
    for job in functions:
        if job.function.__module__.partition(".")[0] in members.OURS:
            continue
        reading = read(workflow, job, reader, reporter)
        if reading is not None:
            for check in LINTS:
                check(reading)
    return [one for one in reporter.found if not silenced(one, reader)]


def silenced(found: Diagnostic, reader: SourceReader) -> bool:
    """Whether ``# waymark: ignore[CODE]`` stands on a line of the place, or alone on the line above."""
    lines = reader.files[found.filename].text.lines
    first, last = found.span.line - 1, found.span.end_line
    near = list(lines[first:last])
    if first > 0 and lines[first - 1].lstrip().startswith("#"):
        near.append(lines[first - 1])
    return any(found.code in _codes(line) for line in near)


def _codes(line: str) -> set[str]:
    return {code.strip() for listed in _IGNORED.findall(line) for code in listed.split(",")}
