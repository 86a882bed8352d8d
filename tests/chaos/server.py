"""Options in; a private Postgres that notes when each row was committed, and databases on it, out."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.databases import Server, migrate
from tests.support.shared_postgres import test_environment
from waymark_worker.embedded import EmbeddedServer, find_binaries

TEMPLATE = "chaos_template"
_OPTIONS: Mapping[str, str] = {
    # When a journal row was committed is asked of the server itself, after the round.
    "track_commit_timestamp": "on",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
}


@dataclass(slots=True)
class ChaosServer:
    """A server that faults may stop, crash and freeze; its address stays the same across restarts."""

    folder: Path
    embedded: EmbeddedServer
    owned: bool = field(default=False)

    @classmethod
    def start_in(
        cls, folder: Path | None = None, *, options: Mapping[str, str] | None = None
    ) -> ChaosServer:
        """Start one in a folder, by default a new one that goes when it is closed."""
        home = folder or Path(tempfile.mkdtemp(prefix="waymark-chaos-pg-"))
        embedded = EmbeddedServer(
            home,
            # A TCP port, so that a proxy can stand in between; the same one after every restart.
            port=_free_port(),
            options={**_OPTIONS, **(options or {})},
            binaries=find_binaries(test_environment()),
        )
        server = cls(home, embedded, owned=folder is None)
        try:
            embedded.start()
            server.prepare()
        except BaseException:
            server.close()
            raise
        return server

    @property
    def databases(self) -> Server:
        return Server(self.embedded.dsn)

    @property
    def pid(self) -> int:
        return self.embedded.pid

    def prepare(self) -> None:
        """Make the migrated database that rounds get copies of."""
        self.databases.create(name=TEMPLATE)
        migrate(self.databases.url_of(TEMPLATE))
        self.databases.seal(TEMPLATE)

    def start(self) -> None:
        self.embedded.start()

    def stop(self) -> None:
        """Shut down in order, ending every session."""
        self.embedded.stop()

    def stop_immediately(self) -> None:
        """End it as `pg_ctl stop -m immediate` does: no checkpoint, and `start` recovers from the log."""
        os.kill(self.pid, signal.SIGQUIT)
        self.embedded.stop()

    def close(self) -> None:
        self.embedded.stop()
        if self.owned:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        assert self.embedded.port is not None
        return self.embedded.port

    @property
    def log(self) -> str:
        """What the server wrote."""
        return "\n".join(
            path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log"))
        )


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
