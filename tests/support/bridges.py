"""A runtime directory and a database in; the bridges that serve there, and runs that end without a pool, out."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from tests.support.processes import running, wait_for_end, wait_until
from waymark import settings
from waymark.bridge import client as bridge_client
from waymark.coercion import codec
from waymark_schema.kinds import InstanceState
from waymark_schema.tables.notifications import finished_channel, pack_ids


@dataclass(frozen=True, slots=True)
class Bridges:
    """What is found of bridges under one runtime directory."""

    home: Path

    @property
    def pids(self) -> list[int]:
        """Bridges that run. A lock file may name a pid of another name space: each is held against its own
        environment, so that nothing of anybody else's is ever taken for a bridge of this test, and killed."""
        named = [path.read_text().strip() for path in self.home.glob("waymark-*/*.lock")]
        return [int(pid) for pid in named if pid and running(int(pid)) and self._is_ours(int(pid))]

    def _is_ours(self, pid: int) -> bool:
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return b"bridge" in command and any(os.fsencode(self.home) in each for each in environment)

    @property
    def pid(self) -> int:
        """The one bridge that runs."""
        (pid,) = self.pids
        return pid

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self.home.glob("waymark-*/*.log"))

    @property
    def sockets(self) -> list[Path]:
        return sorted(self.home.glob("waymark-*/*.sock"))

    def kill(self) -> None:
        """kill -9 whatever bridge runs."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            wait_for_end([pid])

    def wait_until_gone(self, *, seconds: float = 20) -> None:
        wait_until(lambda: not self.pids, seconds=seconds, what=lambda: f"bridges {self.pids}")


def forget_settings() -> None:
    """Let the next start of this process read its environment anew."""
    settings.current.cache_clear()
    bridge_client._slot.client = None


@contextmanager
def bridges_of_test() -> Iterator[Bridges]:
    """Yield a home for bridges, short enough for a socket's path; none of them survives."""
    bridges = Bridges(Path(tempfile.mkdtemp(prefix="wm-")))
    forget_settings()
    try:
        yield bridges
    finally:
        bridges.kill()
        forget_settings()
        shutil.rmtree(bridges.home)


def finish(
    url: str,
    ids: Sequence[str | UUID],
    *,
    state: InstanceState = InstanceState.COMPLETED,
    result: Any = None,
    error: BaseException | None = None,
    notify: bool = True,
) -> None:
    """End runs as a pool would, telling whoever listens or not."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "update waymark.instances set state = %s, ready_at = null, wake_at = null, owner = null,"
            " started_at = clock_timestamp(), finished_at = clock_timestamp(), result = %s, error = %s"
            " where id = any (%s)",
            [
                int(state),
                codec().encode(result) if state is InstanceState.COMPLETED else None,
                codec().encode_exception(error) if error else None,
                [str(each) for each in ids],
            ],
        )
        if notify:
            for payload in pack_ids(UUID(str(each)) for each in ids):
                connection.execute(
                    "select pg_notify(%s, %s)", [finished_channel("waymark"), payload]
                )


def rows(url: str, query: str = "select * from waymark.instances") -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()
