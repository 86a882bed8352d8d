"""Module names in; every diagnostic of every workflow they define, and exit code 1 if there is any, out."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from waymark.compiler.pipeline import compile_workflow
from waymark.errors import UnsupportedPatternError
from waymark.registry import workflow_registry


@click.command()
@click.argument("modules", nargs=-1, required=True)
def check(modules: tuple[str, ...]) -> None:
    """Compile every workflow of MODULES and print what cannot be compiled."""
    sys.path.insert(0, str(Path.cwd()))
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            message = f"{module} cannot be imported: {type(error).__name__}: {error}"
            raise click.ClickException(message) from error
    checked = [one for one in workflow_registry if one.workflow.__module__ in modules]
    failed = 0
    for definition in checked:
        try:
            compile_workflow(definition.workflow)
        except UnsupportedPatternError as error:
            failed += 1
            click.echo("\n\n".join(str(one) for one in error.diagnostics) + "\n")
    if not checked:
        message = (
            f"no workflow is defined in {', '.join(modules)}; expected a class under @workflow"
        )
        raise click.ClickException(message)
    click.echo(
        f"{len(checked)} workflow{'s' * (len(checked) != 1)} checked, {failed} with problems"
    )
    if failed:
        sys.exit(1)
