"""Module names in; every problem of every workflow they define, and an exit status, out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from waymark.checks.findings import Report, Severity
from waymark.checks.formats import FORMATS
from waymark.checks.inspection import inspect_modules
from waymark.executor.naming import misnamed

PROBLEMS = 1
NOT_CHECKED = 2
"""Also what a wrong command line gives."""


@click.command()
@click.argument("modules", nargs=-1, metavar="MODULE...")
@click.option(
    "--format",
    "form",
    type=click.Choice(sorted(FORMATS, reverse=True)),
    default="text",
    show_default=True,
    help="text for people, json for programs, github for annotations in a pull request.",
)
@click.option("--strict", is_flag=True, help="Let warnings (WM193, WM3xx) fail the check too.")
def check(modules: tuple[str, ...], form: str, strict: bool) -> None:  # noqa: FBT001 - click gives it by name
    """Compile every workflow of MODULEs and print everything that is wrong with them.

    Modules are imported as the workers import them, from the current directory; without any,
    WAYMARK_USER_MODULE says which. Nothing is run and no database is needed.

    Exit status: 0 all is well, 1 there are errors (with --strict also: warnings), 2 a module cannot be
    imported or defines no workflow, so that not everything was checked.
    """
    named = modules or _from_environment()
    if not named:
        msg = "name a module with workflows, as in `waymark check yourapp.workflows`, or set WAYMARK_USER_MODULE."
        raise click.UsageError(msg)
    _refuse_paths(named)
    report = inspect_modules(list(dict.fromkeys(named)))
    click.echo(FORMATS[form](report))
    sys.exit(_status(report, strict=strict))


def _from_environment() -> tuple[str, ...]:
    names = os.environ.get("WAYMARK_USER_MODULE", "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def _refuse_paths(modules: Sequence[str]) -> None:
    for module in modules:
        if reason := misnamed(module):
            raise click.UsageError(reason)


def _status(report: Report, *, strict: bool) -> int:
    if report.unreadable:
        return NOT_CHECKED
    if report.count(Severity.ERROR) or (strict and report.count(Severity.WARNING)):
        return PROBLEMS
    return 0
