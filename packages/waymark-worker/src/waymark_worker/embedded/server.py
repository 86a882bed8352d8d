"""A directory and settings in; a private Postgres that lives exactly as long as its owner out."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from waymark_worker.embedded.binaries import find_binaries
from waymark_worker.embedded.errors import (
    DiskFull,
    EmbeddedPostgresError,
    HomeUnusable,
    PortBusy,
    ServerAlreadyRunning,
    ServerFailed,
)
from waymark_worker.embedded.home import Home, give, socket_directory
from waymark_worker.embedded.identity import Guard, Identity, choose_identity
from waymark_worker.embedded.postmaster import (
    forget_dead_server,
    read_postmaster_file,
    running_server,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from waymark_worker.embedded.binaries import Binaries

USER = "waymark"
DATABASE = "waymark"
_SOCKET_PORT = 5432
_GLANCE = 0.01
_FIRST_BUILTIN_LOCALE = 17
_SETTINGS: Mapping[str, str] = {
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "cluster_name": "waymark",
    "max_connections": "200",
    "jit": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
    "unix_socket_permissions": "0700",
    # Nothing in /dev/shm: it is small in containers, and a killed machine leaves nothing there.
    "dynamic_shared_memory_type": "mmap",
}


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    release: threading.Event
    sockets: Path
    port: int
    owner: int


@dataclass(slots=True)
class EmbeddedServer:
    """A private Postgres in `directory`; it is stopped when its owner ends, however that happens.

    `port` is a TCP port on 127.0.0.1 (0 picks a free one); without it only the unix socket exists.
    `options` are server settings on top of durable defaults; tests pass `{"fsync": "off"}`.

    Example:
        >>> with EmbeddedServer(Path(".waymark")) as server:  # doctest: +SKIP
        ...     psycopg.connect(server.dsn)

    """

    directory: Path
    port: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    binaries: Binaries | None = None
    identity: Identity | None = None
    guard: Guard = field(default_factory=Guard.of_this_system)
    patience: timedelta = timedelta(seconds=60)
    _running: _Running | None = field(default=None, init=False, repr=False)
    _turn: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._alive().process.pid

    @property
    def dsn(self) -> str:
        """How processes of the same user reach the database: over the unix socket, no password."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Return the connection string of another database of this server."""
        running = self._alive()
        where = quote(str(running.sockets), safe="")
        return f"postgresql://{USER}@/{quote(database, safe='')}?host={where}&port={running.port}"

    @property
    def tcp_dsn(self) -> str | None:
        """How a program without unix sockets reaches it, or None without a port."""
        running = self._alive()
        if self.port is None:
            return None
        secret = quote(Home(self.directory).password, safe="")
        return f"postgresql://{USER}:{secret}@127.0.0.1:{running.port}/{DATABASE}"

    def start(self) -> Self:
        """Start the server, creating its data directory when there is none; return once it answers.

        Raises:
            EmbeddedPostgresError: one subclass for each thing the user can do about it.

        """
        with self._turn:
            if self._running is None:
                self._start()
            return self

    def stop(self) -> None:
        """Stop the server and wait until it is gone; may be called at any time, any number of times."""
        with self._turn:
            running, self._running = self._running, None
        # A forked child inherits this object, not the server.
        if running is not None and running.owner == os.getpid():
            _end(running.process)
            running.release.set()
            self._tidy(running.sockets)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _alive(self) -> _Running:
        if self._running is None:
            msg = f"the private Postgres in {str(self.directory)!r} is not running; call start() first"
            raise EmbeddedPostgresError(msg)
        return self._running

    def _start(self) -> None:
        home = Home(self.directory.absolute())
        binaries = self.binaries or find_binaries()
        home.prepare()
        identity = self.identity or choose_identity(binaries.postgres, home.root)
        with home.locked():
            pid = running_server(home.data)
            if pid is not None:
                raise ServerAlreadyRunning(home.data, pid)
            if not home.initialized(binaries):
                self._initialize(home, binaries, identity)
            forget_dead_server(home.data)
            self._adopt(home, identity)
            sockets = socket_directory(home.root, identity.owner, os.environ)
            port = _SOCKET_PORT if self.port is None else _free_port(self.port)
            self._serve(home, binaries, identity, sockets=sockets, port=port)

    def _adopt(self, home: Home, identity: Identity) -> None:
        try:
            give(home.data, identity.owner)
        except OSError as error:
            raise HomeUnusable(home.data, error) from error

    def _initialize(self, home: Home, binaries: Binaries, identity: Identity) -> None:
        before = home.log_size()
        try:
            home.begin(identity.owner)
            with home.log.open("ab") as log:
                finished = subprocess.run(
                    identity.command(self._initdb(home, binaries), guard=self.guard),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=_environment(),
                    start_new_session=True,
                    check=False,
                )
            if finished.returncode != 0:
                raise _failure(home, before, f"initdb ended with status {finished.returncode}")
            home.finish()
        except OSError as error:
            raise HomeUnusable(home.root, error) from error
        finally:
            shutil.rmtree(home.unfinished, ignore_errors=True)

    def _initdb(self, home: Home, binaries: Binaries) -> list[str]:
        command = [
            str(binaries.initdb),
            f"--pgdata={home.unfinished}",
            f"--username={USER}",
            f"--pwfile={home.password_file}",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ]
        if binaries.major >= _FIRST_BUILTIN_LOCALE:
            # Unicode case mapping without depending on the locales of the operating system.
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.options.get("fsync") == "off":
            command.append("--no-sync")
        return command

    def _serve(
        self, home: Home, binaries: Binaries, identity: Identity, *, sockets: Path, port: int
    ) -> None:
        settings = {
            **_SETTINGS,
            **self.options,
            "listen_addresses": "" if self.port is None else "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(sockets),
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries.postgres), "-D", str(home.data), *flags]
        before = home.log_size()
        process, release = _spawn(identity.command(command, guard=self.guard), home.log)
        self._running = _Running(process, release, sockets, port, os.getpid())
        try:
            self._await_ready(home, process, before)
            self._create_database()
        except BaseException:
            self.stop()
            raise

    def _await_ready(self, home: Home, process: subprocess.Popen[bytes], before: int) -> None:
        deadline = time.monotonic() + self.patience.total_seconds()
        while True:
            found = read_postmaster_file(home.data)
            if found is not None and found.ready and found.pid == process.pid:
                return
            try:
                status = process.wait(timeout=_GLANCE)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    what = f"Postgres was not ready after {self.patience.total_seconds():g} seconds"
                    raise _failure(home, before, what, self.port) from None
            else:
                what = f"Postgres ended with status {status} while it started"
                raise _failure(home, before, what, self.port)

    def _create_database(self) -> None:
        seconds = max(1, int(self.patience.total_seconds()))
        with psycopg.connect(
            self.dsn_of("postgres"), autocommit=True, connect_timeout=seconds
        ) as connection:
            known = connection.execute(
                "select 1 from pg_database where datname = %s", [DATABASE]
            ).fetchone()
            if known is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _tidy(self, sockets: Path) -> None:
        try:
            sockets.rmdir()
        except OSError:
            # Someone else's file in it, or no permission on its parent: it is private and may stay.
            return


def _spawn(command: list[str], log: Path) -> tuple[subprocess.Popen[bytes], threading.Event]:
    """Start the server from a thread that stays: the parent-death signal means the forking thread."""
    answer: SimpleQueue[subprocess.Popen[bytes] | OSError] = SimpleQueue()
    release = threading.Event()

    def stand_by() -> None:
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=_environment(),
                    # Its own session: a Ctrl-C in the terminal is for us, and we stop it in order.
                    start_new_session=True,
                )
        except OSError as error:
            answer.put(error)
            return
        answer.put(process)
        release.wait()

    threading.Thread(target=stand_by, name="waymark-postgres-owner", daemon=True).start()
    started = answer.get()
    if isinstance(started, OSError):
        raise HomeUnusable(log, started) from started
    return started, release


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown, then an immediate one; both are safe for what was committed."""
    for request, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        if process.poll() is not None:
            return
        process.send_signal(request)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PG", "LC_")) and name not in {"LANG", "LANGUAGE", "TZ"}
    }
    return {**kept, "LC_ALL": "C"}


def _free_port(port: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortBusy(port) from error
        number: int = probe.getsockname()[1]
        return number


def _failure(home: Home, before: int, what: str, port: int | None = None) -> EmbeddedPostgresError:
    excerpt = home.log_since(before)
    if "No space left on device" in excerpt:
        return DiskFull(home.root, excerpt)
    if port and "could not bind IPv4 address" in excerpt:
        return PortBusy(port)
    return ServerFailed(what, log=home.log, excerpt=excerpt)
