"""The connection string of a server in; the same databases through PgBouncer in transaction mode out."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.pg_proxy import PgProxy
from tests.support.processes import wait_until
from tests.support.requirements import require_command

PACKAGE = "pgbouncer"
"""Of Debian, and its command."""

_SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server} user={user}{more}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
server_tls_sslmode = disable
# A server that was away is asked again at once, and not after a quarter of a minute.
server_login_retry = 1
logfile = {folder}/pgbouncer.log
"""
_DEBIAN = "/usr/sbin"
"""Where Debian puts it, which is not on every PATH."""


def pgbouncer() -> str | None:
    """Return the path of the command, if there is one."""
    return shutil.which(PACKAGE, path=f"{os.environ['PATH']}:{_DEBIAN}")


@contextmanager
def behind_pgbouncer(url: str, *, size: int = 5) -> Iterator[str]:
    """Yield the connection string through a pooler that shares `size` sessions with the server.

    It reaches the server through a plain proxy, because the private server's socket admits only its own user.
    """
    with PgProxy(url) as proxy, pgbouncer_before(proxy, size=size) as pooled:
        yield pooled


@contextmanager
def pgbouncer_before(
    proxy: PgProxy, *, size: int, statement_timeout_ms: int | None = None
) -> Iterator[str]:
    """Yield the connection string through a pooler before a proxy; its sessions have the timeout that a role may have."""
    command = pgbouncer() or require_command(PACKAGE, package=PACKAGE)
    folder = Path(tempfile.mkdtemp(prefix="waymark-bouncer-"))
    port = _free_port()
    through = urlsplit(proxy.url)
    more = ""
    if statement_timeout_ms is not None:
        more = f" connect_query='set statement_timeout = {statement_timeout_ms}'"
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _SETTINGS.format(
            server=through.port,
            user=through.username,
            more=more,
            port=port,
            size=size,
            folder=folder,
        )
    )
    nobody = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
    if nobody is not None:
        # It refuses to run as root.
        for path in (folder, settings):
            os.chown(path, nobody, -1)
    pooler = subprocess.Popen(
        [str(command), "-q", str(settings)],
        user=nobody,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pooled = proxy.url.replace(f":{through.port}/", f":{port}/")
    try:
        wait_until(lambda: _answers(pooled), what=lambda: _told(folder))
        yield pooled
    finally:
        pooler.terminate()
        pooler.wait()
        shutil.rmtree(folder)


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def _told(folder: Path) -> str:
    log = folder / "pgbouncer.log"
    return f"PgBouncer answers; it said:\n{log.read_text() if log.exists() else 'nothing'}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
