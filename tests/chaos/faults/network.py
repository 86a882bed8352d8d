"""What lies between pools and server: F5 a bad network, F6 a process that dies beside a write, F9 no room left."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random

from tests.chaos import failpoints
from tests.chaos.arena import Arena
from tests.chaos.fault import Fault, Setting
from tests.support.crowding import crowd
from tests.support.pg_proxy import PgProxy
from tests.support.statements import every_statement
from waymark_schema.database.statement import Statement


def _texts(*names: str) -> list[str]:
    return [each.sql("waymark").decode() for each in every_statement() if each.name in names]


_SETTLES = _texts("settle.sql:settle", "settle.sql:settle_narrow")
_OTHERS = _texts(
    "instances.sql:claim", "instances.sql:enqueue", "instances.sql:wake_due",
    "instances.sql:release", "leases.sql:heartbeat", "offers.sql:take", "offers.sql:finish",
    "offers.sql:offer", "offers.sql:take_back", "leases.sql:mark_fenced",
)  # fmt: skip


class BadNetwork(Fault):
    """A proxy between everybody and the server; with a pooler there, before it or beyond it."""

    name = "F5"
    title = "a proxy that delays, swallows, resets, loses answers of commits"
    seconds = 20.0

    def __init__(self) -> None:
        self._proxy: PgProxy | None = None
        self._beyond = False

    def prepare(self, setting: Setting, chance: Random) -> None:
        beyond = setting.beyond_pooler
        self._beyond = beyond is not None and chance.random() < 0.5
        if beyond is not None and self._beyond:
            self._proxy = beyond
        else:
            self._proxy = PgProxy(setting.pool_url).__enter__()
            setting.pool_url = setting.client_url = self._proxy.url
        # What was swallowed is given up so soon, and not after half a minute.
        setting.variables["WAYMARK_STATEMENT_TIMEOUT_MS"] = "2000"

    def strike(self, arena: Arena, chance: Random) -> None:
        proxy = self._of()
        match chance.choice(("delay", "freeze", "swallow", "reset", "lose", "lose", "lose others")):
            case "delay":
                proxy.delay(chance.uniform(0.01, 0.2))
                arena.wait_for_work(50, seconds=chance.uniform(1, 3))
                proxy.delay(0)
            case "freeze":
                proxy.freeze()
                arena.wait_for_work(10_000, seconds=chance.uniform(0.2, 3))
                proxy.thaw()
            case "swallow":
                proxy.blackhole()
                arena.wait_for_work(10_000, seconds=chance.uniform(1, 4))
                proxy.heal()
            case "reset":
                chosen = chance.choice(("", "waymark pool", "waymark bridge"))
                # A pooler's sessions are nobody's.
                proxy.reset("" if self._beyond else chosen)
            case "lose":
                proxy.lose_answers(_SETTLES, times=chance.randint(1, 5))
            case _:
                proxy.lose_answers(chance.sample(_OTHERS, 3), times=chance.randint(1, 2))

    def mend(self, arena: Arena) -> None:
        proxy = self._of()
        proxy.lose_answers([*_SETTLES, *_OTHERS], times=0)
        proxy.delay(0)
        proxy.thaw()
        proxy.heal()
        # A network that is back lets connections that were cut off know it.
        proxy.reset()
        arena.notes.append(f"F5: {proxy.lost} answers lost")

    def close(self) -> None:
        if self._proxy is not None and not self._beyond:
            self._proxy.__exit__(None, None, None)

    def _of(self) -> PgProxy:
        assert self._proxy is not None
        return self._proxy


class DeathsBesideWrites(Fault):
    """Processes of pools that die, or lose an answer, right before or after a statement that writes."""

    name = "F6"
    title = "a failpoint before and after every write of the engine"
    seconds = 20.0

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="waymark-failpoints-"))

    def prepare(self, setting: Setting, chance: Random) -> None:
        setting.patches.append("tests.chaos.failpoints:install")
        gate = self._gate
        writes = sorted(
            each.name.replace(".sql:", ".") for each in every_statement() if writing(each)
        )
        for plan in setting.pools:
            # Its supervisor may be the one that dies.
            plan.may_end = True
            rules = [
                f"{name}:{moment}={action} chance={share} seed={chance.randrange(10**6)} while={gate}"
                for name in writes
                for moment in ("before", "after")
                for action, share in (("exit", 0.004), ("lose", 0.01), ("error:40001", 0.01))
            ]
            plan.variables["WAYMARK_FAILPOINT"] = "; ".join(rules)

    def strike(self, arena: Arena, chance: Random) -> None:
        # Not for longer: a pool that dies again and again while it starts does nothing to die beside.
        self._gate.touch()
        arena.wait_for_work(200, seconds=chance.uniform(1, 4))
        self._gate.unlink()

    def mend(self, arena: Arena) -> None:
        self._gate.unlink(missing_ok=True)

    def struck(self, arena: Arena) -> int:
        return failpoints.acted(arena.ledger)

    def close(self) -> None:
        shutil.rmtree(self._folder)

    @property
    def _gate(self) -> Path:
        return self._folder / "while"


class NoConnections(Fault):
    """Others take every connection that the server has, and those of the pools, for a while."""

    name = "F9"
    title = "exhausted connections"

    def strike(self, arena: Arena, chance: Random) -> None:
        with crowd(arena.setting.url) as taking:
            taking.fill()
            taking.drive_out("waymark")
            arena.wait_for_work(10_000, seconds=chance.uniform(0.5, 4))


def writing(statement: Statement[object]) -> bool:
    """Whether a statement changes rows."""
    text = statement.text
    return any(word in text for word in ("insert into", "update {schema}", "delete from"))
