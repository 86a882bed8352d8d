"""The server itself: F10 slow, F11 a held snapshot, F12 a full disk, F17 serialization errors."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import psycopg

from tests.chaos.arena import Arena
from tests.chaos.fault import Fault, Setting
from tests.chaos.server import ChaosServer
from tests.support.full_disk import SmallDisk, small_disk, why_no_small_disk
from tests.support.upsets import DEADLOCK, SERIALIZATION_FAILURE, calm, slow_down, upset

_MEGABYTES = 400


class SlowDatabase(Fault):
    """Writes that take up to a second, some of them longer than the statement timeout allows."""

    name = "F10"
    title = "a slow database, statement timeouts"

    def prepare(self, setting: Setting, chance: Random) -> None:
        setting.variables["WAYMARK_STATEMENT_TIMEOUT_MS"] = "700"

    def strike(self, arena: Arena, chance: Random) -> None:
        table = chance.choice(("journal", "instances", "offers", "inbox", "snapshots"))
        share = chance.choice((0.1, 0.5))
        slow_down(arena.setting.url, table, seconds=chance.uniform(0.1, 1.2), chance=share)
        arena.wait_for_work(200, seconds=3)
        calm(arena.setting.url)

    def mend(self, arena: Arena) -> None:
        calm(arena.setting.url)


class HeldSnapshot(Fault):
    """A transaction that stays open, so that no dead row may be removed while the load runs.

    It reads no table of ours: that would hold a lock, too, and stand in the way of faults that change tables.
    """

    name = "F11"
    title = "a held xmin while the load runs"

    def __init__(self) -> None:
        self._holder: psycopg.Connection | None = None

    def prepare(self, setting: Setting, chance: Random) -> None:
        self._holder = psycopg.connect(setting.url, application_name="holder")
        self._holder.execute("set transaction isolation level repeatable read")
        self._holder.execute("select 1")

    def mend(self, arena: Arena) -> None:
        self.close()

    def close(self) -> None:
        if self._holder is not None:
            self._holder.close()


class FullDisk(Fault):
    """The server's data on a small disk, of which nothing is left for a while; it may crash of that."""

    name = "F12"
    title = "disk full"

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._disk: SmallDisk | None = None

    @classmethod
    def missing(cls) -> str | None:
        return why_no_small_disk()

    def serve(self, shared: ChaosServer) -> ChaosServer:
        self._disk = self._stack.enter_context(small_disk(_MEGABYTES))
        server = ChaosServer.start_in(
            self._disk.folder / "server", options={"max_wal_size": "64MB", "min_wal_size": "32MB"}
        )
        self._stack.callback(server.close)
        return server

    def strike(self, arena: Arena, chance: Random) -> None:
        assert self._disk is not None
        self._disk.fill()
        arena.wait_for_work(10_000, seconds=chance.uniform(0.5, 4))
        self._recover(arena)

    def mend(self, arena: Arena) -> None:
        self._recover(arena)

    def close(self) -> None:
        self._stack.close()

    def _recover(self, arena: Arena) -> None:
        """Make room, as an operator does; a server that could not write its log has ended."""
        assert self._disk is not None
        self._disk.free()
        try:
            arena.query("create table if not exists public.room (x integer)")
        except psycopg.Error:
            arena.setting.server.stop()
            arena.setting.server.start()


class SerializationErrors(Fault):
    """Statements that fail with 40001 and 40P01 now and then, before they have done anything."""

    name = "F17"
    title = "serialization failures and deadlocks"

    def strike(self, arena: Arena, chance: Random) -> None:
        table = chance.choice(("instances", "journal", "leases", "offers", "inbox", "commits"))
        state = chance.choice((SERIALIZATION_FAILURE, DEADLOCK))
        upset(arena.setting.url, table, state=state, chance=chance.choice((0.05, 0.3)))

    def mend(self, arena: Arena) -> None:
        calm(arena.setting.url)
