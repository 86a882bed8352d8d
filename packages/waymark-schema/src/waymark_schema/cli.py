"""The `waymark` command: commands of every installed distribution go in, one command group comes out."""

import os
import sys
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import click

from waymark_schema import migrate
from waymark_schema.database.settings import from_environment
from waymark_schema.errors import WaymarkError

PLUGINS: Final = "waymark.commands"
"""Entry points of this group are click commands that join the group."""

_FAILURE: Final = 1
_ELSEWHERE: Final = {"dev": "waymark-worker[dev]", "web": "waymark-web"}
"""Commands of distributions that may not be installed here."""
_MARKS: Final = {
    "applied": "applied",
    "pending": "PENDING",
    "after": "after",
    "edited": "EDITED",
    "unknown": "newer",
}


class WaymarkGroup(click.Group):
    """The command group; it prints our errors as messages and never as tracebacks."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; an error of Waymark becomes its message and exit code 1."""
        try:
            return super().invoke(context)
        except WaymarkError as error:
            click.echo(f"waymark: {error}", err=True)
            context.exit(_FAILURE)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; of one that another distribution brings, say which."""
        home = _ELSEWHERE.get(args[0])
        if (
            home is not None
            and self.get_command(ctx, args[0]) is None
            and not ctx.resilient_parsing
        ):
            ctx.fail(f"`waymark {args[0]}` is part of {home}, which is not installed here.")
        return super().resolve_command(ctx, args)


def build(plugins: Iterable[EntryPoint]) -> click.Group:
    """Put the group together; a plug-in that does not load costs a warning and nothing else."""
    group = WaymarkGroup("waymark", help="Operate Waymark: durable workflows on Postgres.")
    group.add_command(migrations)
    for plugin in sorted(plugins, key=lambda plugin: plugin.name):
        command = _loaded(plugin)
        if command is not None:
            group.add_command(command, plugin.name)
    return group


def main() -> None:
    """Run the `waymark` command."""
    build(entry_points(group=PLUGINS))(prog_name="waymark")


def _loaded(plugin: EntryPoint) -> click.Command | None:
    source = plugin.dist.name if plugin.dist else plugin.value
    try:
        command = plugin.load()
    except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way; the others still work
        click.echo(
            f"waymark: the command {plugin.name!r} of {source} cannot be loaded:"
            f" {type(error).__name__}: {error}. The other commands work.",
            err=True,
        )
        return None
    if not isinstance(command, click.Command):
        click.echo(
            f"waymark: the entry point {plugin.name!r} of {source} is a {type(command).__name__};"
            " expected a click command. The other commands work.",
            err=True,
        )
        return None
    return command


@click.group("migrate")
def migrations() -> None:
    """Create and upgrade Waymark's tables."""


@migrations.command("up")
def up() -> None:
    """Apply every pending migration that older processes bear; safe to run from many hosts at once."""
    settings = from_environment(os.environ)
    for name in migrate.migrate_up(settings):
        click.echo(f"applied {name}")
    after = [line.name for line in migrate.status(settings) if line.state == "after"]
    if after:
        click.echo(f"left for `waymark migrate contract`, after the deploy: {', '.join(after)}")
    click.echo(f"schema {settings.schema!r} in {settings.target} is up to date")


@migrations.command("contract")
def contract() -> None:
    """Apply the rest, when no process of an older release runs any more: it would not work with it."""
    settings = from_environment(os.environ)
    for name in migrate.contract(settings):
        click.echo(f"applied {name}")
    click.echo(f"schema {settings.schema!r} in {settings.target} is that of this release alone")


@migrations.command("status")
def status() -> None:
    """List migrations; exit code 1 when one is pending or was edited."""
    lines = migrate.status(from_environment(os.environ))
    for line in lines:
        moment = f"  {line.applied_at:%Y-%m-%d %H:%M:%S %Z}" if line.applied_at else ""
        click.echo(f"{_MARKS[line.state]:8} {line.name}{moment}")
    if any(line.state in {"pending", "edited"} for line in lines):
        sys.exit(_FAILURE)


@migrations.command("dump")
@click.option("--schema", help="Name of the schema; WAYMARK_SCHEMA or waymark without it.")
def dump(schema: str | None) -> None:
    """Print the SQL that `up` runs on an empty database."""
    try:
        text = migrate.dump(schema or os.environ.get("WAYMARK_SCHEMA") or "waymark")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    click.echo(text, nl=False)


if __name__ == "__main__":
    main()
