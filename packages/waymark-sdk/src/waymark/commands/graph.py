"""One workflow by name in; its control flow as text, a picture or JSON out."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

from waymark.checks.findings import shown_path
from waymark.compiler.pipeline import Compiled, compile_workflow
from waymark.errors import UnsupportedPatternError
from waymark.executor.importing import ImportFailure, add_current_directory, import_module
from waymark.executor.naming import misnamed
from waymark.registry import WorkflowDefinition, workflow_registry
from waymark_schema.charts.nodes import Chart, as_json
from waymark_schema.charts.reading import chart
from waymark_schema.charts.svg import as_svg
from waymark_schema.charts.text import PLAIN, as_text

PROBLEMS = 1


@click.command()
@click.argument("target", metavar="MODULE:WORKFLOW")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "svg", "json"]),
    default="text",
    show_default=True,
    help="text for a terminal, svg for a picture, json for programs.",
)
@click.option("--svg", is_flag=True, help="The same as --format svg.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
def graph(target: str, form: str, svg: bool, output: Path | None) -> None:  # noqa: FBT001 - click gives it by name
    """Show what a workflow does, step by step, with its branches, loops and handlers.

    MODULE:WORKFLOW is a module and the class in it, or the workflow's name, as in yourapp.flows:Greetings;
    the class may be left out where the module defines one workflow only. Nothing is run.

    Exit status: 0, 1 if the workflow does not compile (its problems are printed), 2 if there is none.
    """
    compiled = _compiled(target)
    drawn = _drawn(compiled)
    text = _formatted(
        drawn, "svg" if svg else form, sys.stdout.encoding if output is None else "utf-8"
    )
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
        click.echo(f"wrote {shown_path(str(output.resolve()))}", err=True)


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{str(output)!r} cannot be written: {error.strerror or error}."
        raise click.UsageError(msg) from None


def _compiled(target: str) -> Compiled:
    module, _, name = target.partition(":")
    if reason := misnamed(module):
        raise click.UsageError(reason)
    add_current_directory()
    with contextlib.redirect_stdout(sys.stderr):
        failure = import_module(module)
    if failure is not None:
        raise click.UsageError(_reason(failure))
    found = _chosen(module, name)
    try:
        return compile_workflow(found)
    except UnsupportedPatternError as error:
        click.echo(str(error), err=True)
        sys.exit(PROBLEMS)


def _reason(failure: ImportFailure) -> str:
    """Why the module cannot be imported, and what to do about it here."""
    module, _, name = failure.module.rpartition(".")
    if failure.missing and any(_is_named(each, module, name) for each in workflow_registry):
        return f"{failure.module!r} is not a module; did you mean {module}:{name}?"
    return failure.message_for(failure.advice)


def _is_named(definition: WorkflowDefinition, module: str, name: str) -> bool:
    cls = definition.workflow
    return cls.__module__ == module and name in {cls.__name__, definition.name}


def _chosen(module: str, name: str) -> type:
    defined = [each for each in workflow_registry if each.workflow.__module__ == module]
    imported = [each for each in workflow_registry if each not in defined]
    matching = [
        each
        for each in (*defined, *imported)
        if name in {each.workflow.__name__, each.workflow.__qualname__, each.name}
    ]
    if name and matching:
        return matching[0].workflow
    if not name and len(defined) == 1:
        return defined[0].workflow
    known = ", ".join(f"{module}:{each.workflow.__name__}" for each in defined) or "none"
    what = f"no workflow {name!r}" if name else "several workflows" if defined else "no workflow"
    msg = f"module {module!r} has {what}; expected MODULE:WORKFLOW, and it defines {known}."
    raise click.UsageError(msg)


def _drawn(compiled: Compiled) -> Chart:
    sources = {compiled.spans.filename: compiled.source}
    own = Path(__file__).parents[1]  # what the compiler itself adds is no business of the author's
    for name in dict.fromkeys(compiled.spans.files):
        path = Path(name)
        if name not in sources and path.is_file() and not path.is_relative_to(own):
            sources[name] = Path(name).read_text(encoding="utf-8", errors="replace")
    spans = compiled.spans
    return chart(compiled.program, spans, sources, digest=compiled.digest.hex())


def _formatted(drawn: Chart, form: str, encoding: str | None) -> str:
    if form == "svg":
        return as_svg(drawn)
    if form == "json":
        return as_json(drawn) + "\n"
    text = as_text(drawn) + "\n"
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return text.translate(PLAIN)
    return text
