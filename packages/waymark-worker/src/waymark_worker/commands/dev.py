"""Modules of workflows in; a whole deployment on this machine, until Ctrl-C, out."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from waymark_schema.database.settings import from_environment
from waymark_schema.errors import SettingError
from waymark_schema.migrate import migrate_up
from waymark_worker.dev.checking import check, first_missing
from waymark_worker.dev.session import ENDINGS, Plan, run
from waymark_worker.dev.telling import say, tell
from waymark_worker.embedded import database_for
from waymark_worker.settings import WEB_PORT, available_cpus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from waymark_worker.embedded import DatabaseSource

_ADDRESS = "WAYMARK_WEBAPP_ADDR"
_EXTRA = ("watchfiles", "waymark_web")
_MOST_WORKERS = 4
_GRACE_MS = 10_000


class _Enough(BaseException):
    """Somebody asked us to stop; no error, so nothing that catches errors may swallow it."""


class _WithCommand(click.Command):
    """Everything behind `--` is a command of the user's, options and all."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep that command from being taken for modules."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[__name__] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command(cls=_WithCommand, options_metavar="[OPTIONS]")
@click.argument("modules", nargs=-1, metavar="[MODULE]... [-- COMMAND...]")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".waymark"),
    show_default=True,
    help="Where the private Postgres keeps its data.",
)
@click.option(
    "--postgres-port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Let the private Postgres listen on this port of 127.0.0.1 too; 0 picks a free one.",
)
@click.pass_context
def dev(
    ctx: click.Context, modules: tuple[str, ...], directory: Path, postgres_port: int | None
) -> None:
    """Run database, workers and web application on this machine until Ctrl-C, and follow your files.

    MODULE is an importable module with workflows and actions; without any, WAYMARK_USER_MODULE says.
    The database is a private Postgres in .waymark, unless WAYMARK_DATABASE_URL names another one.

    Saving a Python file below the current directory checks the modules and replaces the workers; runs
    under way finish on the program they began with. What cannot run keeps the workers as they are.

    COMMAND, such as `uvicorn yourapp.web:app --reload`, runs beside them with WAYMARK_DATABASE_URL set.
    """
    named = modules or _from_environment()
    if not named:
        msg = "name a module with workflows, as in `waymark dev yourapp.workflows`, or set WAYMARK_USER_MODULE."
        raise click.UsageError(msg)
    _require_extra()
    command = _found(ctx.meta.get(__name__, ()))
    status = 0
    with _asked_to_stop():
        try:
            status = _run(named, command, directory, postgres_port)
        except (_Enough, KeyboardInterrupt):
            tell("Stopped.")
        else:
            if status == 0:
                tell("Stopped.")
    sys.exit(status)


def _from_environment() -> tuple[str, ...]:
    names = os.environ.get("WAYMARK_USER_MODULE", "").split(",")
    return tuple(name.strip() for name in names if name.strip())


def _require_extra() -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        msg = (
            f"waymark dev needs {', '.join(missing)}, not installed here: "
            "install waymark-worker[dev] instead of waymark-worker"
        )
        raise click.ClickException(msg)


def _found(command: tuple[str, ...]) -> tuple[str, ...]:
    """Look the program up before anything starts: a typing mistake should cost nothing."""
    if command and shutil.which(command[0]) is None:
        msg = f"no program {command[0]!r} was found; give the command behind `--` as in a shell, without quotes around it."
        raise click.UsageError(msg)
    return command


def _run(
    modules: tuple[str, ...], command: tuple[str, ...], directory: Path, postgres_port: int | None
) -> int:
    address = os.environ.get(_ADDRESS) or f"127.0.0.1:{WEB_PORT}"
    _refuse_busy(address)
    _refuse_missing(modules)
    with database_for(directory, port=postgres_port) as database:
        environment = {
            **os.environ,
            "WAYMARK_DATABASE_URL": database.url,
            "WAYMARK_USER_MODULE": ",".join(modules),
            "WAYMARK_WORKER_COUNT": os.environ.get("WAYMARK_WORKER_COUNT") or str(_few_workers()),
            _ADDRESS: address,
        }
        _announce(database)
        for step in migrate_up(from_environment(environment)):
            say("Schema", f"applied {step}")
        server = database.server.pid if database.server else None
        grace = int(environment.get("WAYMARK_SHUTDOWN_GRACE_MS") or _GRACE_MS) / 1000
        return run(Plan(modules, command, address, environment, server, grace))


def _refuse_missing(modules: tuple[str, ...]) -> None:
    """Look for the modules before anything starts; what keeps one from being found is told as a check does."""
    if first_missing(modules) is None:
        return
    missing = asyncio.run(check(modules, os.environ)).nothing_there
    if missing:
        raise click.ClickException(missing)


def _few_workers() -> int:
    """Enough for one author: every save starts them anew."""
    return min(_MOST_WORKERS, available_cpus()[0])


def _announce(database: DatabaseSource) -> None:
    if database.server is None:
        say("Postgres", "from WAYMARK_DATABASE_URL")
        return
    say("Postgres", database.server.tcp_dsn or database.url)


@contextmanager
def _asked_to_stop() -> Iterator[None]:
    """Turn Ctrl-C, and its like, into an orderly end while the database starts and stops."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Enough

    # What is ignored stays ignored: that is how nohup works.
    heard = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _refuse_busy(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        msg = (
            f"WAYMARK_WEBAPP_ADDR is {address!r}; expected HOST:PORT, such as 127.0.0.1:{WEB_PORT}."
        )
        raise SettingError(_ADDRESS, msg)
    if _answers(host, int(port)):
        msg = (
            f"something listens on {address} already, maybe another `waymark dev`. "
            f"Stop it, or choose another address: WAYMARK_WEBAPP_ADDR=127.0.0.1:{int(port) + 1}"
        )
        raise SettingError(_ADDRESS, msg)


def _answers(host: str, port: int) -> bool:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104 - where to knock, not to listen
    try:
        with socket.create_connection((local.get(host, host.strip("[]")), port), timeout=1):
            return True
    except OSError:
        return False
