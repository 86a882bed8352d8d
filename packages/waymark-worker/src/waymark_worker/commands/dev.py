"""Modules of workflows in; a whole deployment on this machine, until Ctrl-C, out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from waymark_schema.database.settings import from_environment
from waymark_schema.errors import SettingError
from waymark_schema.migrate import migrate_up
from waymark_worker.embedded import database_for
from waymark_worker.embedded.identity import Guard, own_identity
from waymark_worker.embedded.watchdog import first_to_end
from waymark_worker.settings import WEB_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from waymark_worker.embedded import DatabaseSource

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ADDRESS = "WAYMARK_WEBAPP_ADDR"
_KNOCK = 0.1
_PATIENCE = 15.0
# On top of the pool's own grace: it stops its workers one by one and says farewell to the database.
_EXTRA_GRACE = 10.0
_HASTE = 2.0


class _Enough(BaseException):
    """Somebody asked us to stop; no error, so nothing that catches errors may swallow it."""


@click.command()
@click.argument("modules", nargs=-1, metavar="[MODULE]...")
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
def dev(modules: tuple[str, ...], directory: Path, postgres_port: int | None) -> None:
    """Run database, worker pool and web application on this machine until Ctrl-C.

    MODULE is an importable module with workflows and actions; without any, WAYMARK_USER_MODULE says.
    The database is a private Postgres in .waymark, unless WAYMARK_DATABASE_URL names another one.
    """
    named = ",".join(modules) or os.environ.get("WAYMARK_USER_MODULE", "")
    if not named:
        msg = "name a module with workflows, as in `waymark dev yourapp.workflows`, or set WAYMARK_USER_MODULE."
        raise click.UsageError(msg)
    status = 0
    with _asked_to_stop():
        try:
            status = _run(named, directory, postgres_port)
        except _Enough:
            click.echo("Stopped.")
    sys.exit(status)


def _run(modules: str, directory: Path, postgres_port: int | None) -> int:
    address = os.environ.get(_ADDRESS) or f"127.0.0.1:{WEB_PORT}"
    _refuse_busy(address)
    with database_for(directory, port=postgres_port) as database:
        environment = {
            **os.environ,
            "WAYMARK_DATABASE_URL": database.url,
            "WAYMARK_USER_MODULE": modules,
            "WAYMARK_WEBAPP_ENABLED": "true",
            _ADDRESS: address,
        }
        _announce(database)
        for step in migrate_up(from_environment(environment)):
            click.echo(f"Schema    applied {step}")
        with _pool(environment) as pool:
            watched = [pool.pid] + ([database.server.pid] if database.server else [])
            return _farewell(_announce_web(watched, address) or first_to_end(watched), pool)


def _announce(database: DatabaseSource) -> None:
    if database.server is None:
        click.echo("Postgres  from WAYMARK_DATABASE_URL")
        return
    click.echo(f"Postgres  {database.server.tcp_dsn or database.url}")


def _announce_web(watched: list[int], address: str) -> int | None:
    """Say where the web application is once it answers; return who ended before that, if anyone did."""
    host, _, port = address.rpartition(":")
    started_at = time.monotonic()
    silent = True
    while not _answers(host, int(port)):
        ended = first_to_end(watched, seconds=_KNOCK)
        if ended is not None:
            return ended
        if silent and time.monotonic() - started_at > _PATIENCE:
            silent = False
            click.echo(f"Web       does not answer on {address} yet; see the messages above")
    click.echo(f"Web       http://{address}")
    click.echo("Ctrl-C stops everything.")
    return None


def _farewell(ended: int | None, pool: subprocess.Popen[bytes]) -> int:
    if ended != pool.pid:
        click.echo("The private Postgres ended by itself; its log says why. Stopping.", err=True)
        # Without its database the pool cannot write anything down: waiting for it gains nothing.
        _stop(pool, _HASTE)
        return 1
    status = pool.wait()
    click.echo(f"The pool ended by itself with status {status}. Stopping.", err=True)
    return status or 1


@contextmanager
def _pool(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the pool in a session of its own, so that Ctrl-C reaches it through us, and only as long as we live."""
    command = own_identity().command(
        [sys.executable, "-m", "waymark_worker"],
        guard=Guard.of_this_system(),
        at_owners_end=signal.SIGTERM,
    )
    process = subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        grace = int(environment.get("WAYMARK_SHUTDOWN_GRACE_MS") or 10_000) / 1000
        _stop(process, grace + _EXTRA_GRACE)


def _stop(process: subprocess.Popen[bytes], grace: float) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=grace)
    except (subprocess.TimeoutExpired, _Enough):
        # Its session is its process group: whoever was slow in there goes with it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _asked_to_stop() -> Iterator[None]:
    """Turn the first Ctrl-C, and its like, into an orderly end; a second one makes it hasty."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Enough

    # What is ignored stays ignored: that is how nohup works.
    heard = [number for number in _ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]
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
