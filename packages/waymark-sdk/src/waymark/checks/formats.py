"""A report in; text for people, JSON for programs, or workflow commands for GitHub out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator

from waymark.checks.findings import Finding, Report, Severity

SCHEMA = 1
"""Number of the JSON form; fields may be added under the same number, none changes or goes."""


def as_text(report: Report) -> str:
    """Every finding with its excerpt, then one line that counts them."""
    parts = [f"{one}\n" for one in report.findings]
    return "\n".join([*parts, _summary(report)])


def as_json(report: Report) -> str:
    """One object; see the reference page of ``waymark check``."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "modules": report.modules,
            "workflows": report.workflows,
            "errors": report.count(Severity.ERROR),
            "warnings": report.count(Severity.WARNING),
            "findings": [_fields(one) for one in report.findings],
            "files": report.files,
        },
        indent=2,
    )


def as_github(report: Report) -> str:
    """One workflow command for each finding, and the summary as plain text."""
    return "\n".join([*_commands(report), _summary(report)])


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
}


def _fields(one: Finding) -> dict[str, object]:
    fields = dataclasses.asdict(one)
    fields["severity"] = one.severity.value
    return fields


def _commands(report: Report) -> Iterator[str]:
    for one in report.findings:
        properties = {
            "file": one.file,
            "line": one.line,
            "endLine": one.end_line,
            "col": one.column,
            "endColumn": one.end_column,
            "title": one.code,
        }
        if one.line != one.end_line:
            # GitHub takes columns within one line only.
            del properties["col"], properties["endColumn"]
        shown = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
        text = one.message + (f"\ninstead: {one.instead}" if one.instead else "")
        yield f"::{one.severity.value} {shown}::{_message(text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _summary(report: Report) -> str:
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    checked = _counted(len(report.workflows), "workflow")
    return f"{checked} checked: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
