"""Releases beside each other, and tables that change under them: F13 migrates under load, F14 mixes pools of two releases."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import ClassVar

import psycopg

from tests.chaos.arena import Arena, one_with_a_peer
from tests.chaos.fault import Fault, Setting
from tests.support.engine import settings_of
from tests.support.processes import installed
from tests.support.releases import NoSuchRelease, Release, before
from waymark_schema import migrate
from waymark_schema.errors import MigrationBlocked

OLD = "migration"
"""The release that F14 mixes in is the one before the last change of this."""
CHANGES = (
    "alter table {schema}.instances add column chaos_N integer not null default 7;",
    "alter table {schema}.journal add column chaos_N text;",
    "alter table {schema}.leases add column chaos_N bigint not null default 0;",
    "create index chaos_N on {schema}.journal (instance, call) where kind = 1;",
    "create index chaos_N on {schema}.instances (priority) where state = 0;",
    "alter table {schema}.inbox set (autovacuum_vacuum_scale_factor = 0.0N);",
    "create table {schema}.chaos_N (id bigint not null, constraint chaos_N_key primary key (id));",
)


class MigratedUnderLoad(Fault):
    """Steps of a newer release on tables in use, by several migrators at once, at times behind a long reader."""

    name = "F13"
    title = "migrations under load, several migrators at once"

    def __init__(self) -> None:
        self._steps: list[migrate.Step] = []

    def strike(self, arena: Arena, chance: Random) -> None:
        number = len(self._steps) + 1
        text = chance.choice(CHANGES).replace("N", str(number))
        digest = hashlib.sha256(text.encode()).digest()
        step = migrate.Step(f"9{number:03d}_expand_chaos", migrate.CODE, digest, text)
        reader = chance.choice((0.0, 0.0, 0.5, 1.5))
        began = time.monotonic()
        with _reading(arena.setting.url, reader), _known((*migrate.steps(), *self._steps, step)):
            self._migrate(arena, migrators=chance.choice((1, 3)))
        self._steps.append(step)
        if not reader:
            arena.measured("migration step under load", time.monotonic() - began)

    @staticmethod
    def _migrate(arena: Arena, *, migrators: int) -> None:
        settings = settings_of(arena.setting.url)

        def up() -> None:
            try:
                migrate.migrate_up(settings)
            except MigrationBlocked as blocked:
                arena.notes.append(str(blocked).splitlines()[0])

        threads = [threading.Thread(target=up) for _ in range(migrators)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@contextmanager
def _known(steps: tuple[migrate.Step, ...]) -> Iterator[None]:
    """Be the newer release that has these steps."""
    ours = migrate.steps
    setattr(migrate, "steps", lambda: steps)  # noqa: B010 - a module's function, which a type checker guards
    try:
        yield
    finally:
        setattr(migrate, "steps", ours)  # noqa: B010


@contextmanager
def _reading(url: str, seconds: float) -> Iterator[None]:
    """Hold an open transaction that has read the tables, for so long."""
    if not seconds:
        yield
        return
    with psycopg.connect(url) as reader:
        for table in ("instances", "journal", "leases", "inbox"):
            reader.execute(f"select count(*) from waymark.{table}".encode())
        timer = threading.Timer(seconds, reader.rollback)
        timer.start()
        yield
        timer.join()


class MixedReleases(Fault):
    """Half of the pools are of the release before; pools are rolled forward, rolled back and killed."""

    name = "F14"
    title = "pools of two releases, rolled forward and back, killed"
    seconds = 20.0
    _old: ClassVar[Release | None] = None

    @classmethod
    def missing(cls) -> str | None:
        """Build the wheels of the release before, once."""
        try:
            cls._old = cls._old or before(OLD)
        except NoSuchRelease as error:
            return str(error)
        return None

    def prepare(self, setting: Setting, chance: Random) -> None:
        for number, plan in enumerate(setting.pools):
            if number % 2:
                plan.command = self._commands()[1]
        # Deploys are waited for: an order of the load may take as long as a pool may drain.
        setting.variables["WAYMARK_SHUTDOWN_GRACE_MS"] = "5000"

    def strike(self, arena: Arena, chance: Random) -> None:
        pool = one_with_a_peer(arena, chance)
        today, old = self._commands()
        if chance.random() < 0.5:
            # Its successor is of the other release.
            pool.plan.command = old if pool.plan.command == today else today
        if chance.random() < 0.5:
            arena.kill_pool(pool)
        else:
            pool.ended_by_fault = True
            pool.child.send(signal.SIGTERM)
            pool.child.wait(seconds=60)

    def mend(self, arena: Arena) -> None:
        """One pool of today's release at least must be left: only that runs what is new."""
        today, _ = self._commands()
        for plan in arena.setting.pools:
            plan.command = today
        if all(pool.plan.command != today for pool in arena.live()):
            for pool in arena.live()[:1]:
                arena.kill_pool(pool)

    def _commands(self) -> tuple[list[str], list[str]]:
        name = "waymark-start-workers"
        assert self._old is not None, "missing() was asked first"
        return [str(installed(name))], [str(self._old.command(name))]
