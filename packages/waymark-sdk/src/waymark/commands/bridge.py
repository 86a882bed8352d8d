"""Command lines in; the bridge of this host and database, seen or stopped, out."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta

import click
import msgspec

from waymark import settings
from waymark.bridge.inspection import inspect, stop
from waymark.bridge.protocol import Inspected

_NONE_RUNS = 1


@click.group()
def bridge() -> None:
    """See and stop the process that speaks to the database for the applications of this host."""


@bridge.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:  # noqa: FBT001 - click gives it by name
    """Say how the bridge is doing; exit code 1 when none runs."""
    found = asyncio.run(inspect())
    if as_json:
        click.echo(json.dumps({"running": found is not None, **_facts(found)}))
    elif found is None:
        click.echo(f"no bridge runs for {_where()}; the next start of a run boots one")
    else:
        click.echo("\n".join(_lines(found)))
    if found is None:
        sys.exit(_NONE_RUNS)


@bridge.command("stop")
def stop_command() -> None:
    """End the bridge; applications that need one boot the next, and no run is lost."""
    pid = asyncio.run(stop())
    if pid is None:
        click.echo(f"no bridge runs for {_where()}")
    else:
        click.echo(f"stopped bridge {pid} of {_where()}")


def _where() -> str:
    address = settings.current().bridge_addr
    if address:
        return address
    database = settings.database()
    return f"{database.target}, schema {database.schema}"


def _facts(found: Inspected | None) -> dict[str, object]:
    if found is None:
        return {}
    facts = msgspec.structs.asdict(found)
    del facts["request"]
    return facts


def _lines(found: Inspected) -> list[str]:
    heard = "by notification" if found.listening else "by polling"
    return [
        f"bridge {found.pid}, waymark-sdk {found.version}, up {timedelta(seconds=round(found.uptime_s))}",
        f"database  {found.database} ({'connected' if found.connected else 'NOT REACHABLE'})",
        f"clients   {found.clients}",
        f"starting  {found.starting} runs",
        f"awaited   {found.awaited} runs, {heard}",
    ]
