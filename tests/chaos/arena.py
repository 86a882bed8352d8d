"""A setting in; pools and a load that run on a database, to be struck at and to be waited for, out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from tests.chaos.fault import PoolPlan, Setting
from tests.chaos.ledger import BEGUN, LEDGER, Line, read
from tests.support.processes import (
    Child,
    Processes,
    descendants,
    kill_tree,
    listing,
    wait_for_end,
)

ROOT = Path(__file__).parents[2]
READY = r"pool\.ready: pool (\d+)"
SITE = Path(__file__).parent / "site"
_GLANCE = 0.2
START = 180.0
"""For a second pool to be ready: far more than it needs on a busy machine."""


def wait_for(over: Callable[[], object], *, seconds: float, what: str = "condition") -> None:
    """Return as soon as `over()` is true; looks less often than a test does, which has the machine for itself."""
    deadline = time.monotonic() + seconds
    glance = threading.Event()
    while not over():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        glance.wait(_GLANCE)


@dataclass(slots=True)
class Pool:
    """A pool that was started; `child` is its supervisor."""

    plan: PoolPlan
    child: Child
    ended_by_fault: bool = False

    @property
    def running(self) -> bool:
        return self.child.running

    def tree(self) -> list[int]:
        """All its processes."""
        return [self.child.pid, *descendants(self.child.pid)]

    def runloops(self) -> list[int]:
        return self._below("waymark_worker.runloop")

    def workers(self) -> list[int]:
        return self._below("waymark.executor")

    @property
    def id(self) -> int | None:
        """Its row in the database, once it is ready."""
        found = [line for line in self.child.lines if "pool.ready: pool " in line]
        return int(found[0].partition("pool.ready: pool ")[2].split()[0]) if found else None

    def _below(self, what: str) -> list[int]:
        below = set(descendants(self.child.pid))
        return [seen.pid for seen in listing() if seen.pid in below and what in seen.command]


@dataclass(frozen=True, slots=True)
class Kill:
    """A whole pool that was killed at once."""

    at: float
    held: set[str]
    """Runs that it owned."""
    offered: set[tuple[str, int]]
    """Calls that it had offered to others: those may run on, which is no recovery."""
    pids: set[int]

    def resumed(self, lines: Iterable[Line]) -> float | None:
        """When the first action of what it held began elsewhere."""
        return min((line.at for line in lines if self._resumes(line)), default=None)

    def _resumes(self, line: Line) -> bool:
        return (
            line.word == BEGUN
            and line.at > self.at
            and line.pid not in self.pids
            and line.instance in self.held
            and (line.instance, line.call) not in self.offered
        )


@dataclass(slots=True)
class Arena:
    """What a fault strikes at, and what it tells the harness about its strikes."""

    setting: Setting
    folder: Path
    """Of this round: ledger, what the client was told, output of the pools."""
    processes: Processes
    pools: list[Pool] = field(default_factory=list)
    past: list[Pool] = field(default_factory=list)
    client: Child | None = None
    runtime: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="wm-")))
    strikes: Counter[str] = field(default_factory=Counter)
    """How often each fault was told to strike."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    """Recovery times in seconds, by what they measure."""
    stood_still: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    """When processes were stopped: what one does first after that is not held against the journal."""
    killed: list[Kill] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Pools that ended without a fault that ended them."""
    broken: list[str] = field(default_factory=list)
    """What faults saw that must not be."""
    notes: list[str] = field(default_factory=list)
    _frozen: list[tuple[float, list[int]]] = field(default_factory=list)

    # --- for the harness ------------------------------------------------------------------------

    def open(self, seed: str) -> None:
        """Start the pools and the load; return when the first pool can run calls."""
        for plan in self.setting.pools:
            self.pools.append(self._launch(plan))
        self.pools[0].child.wait_for_line(READY, seconds=120)
        self.client = self.processes.start_python(
            "-m",
            "tests.chaos.client",
            self.folder,
            seed,
            str(self.setting.window),
            *self.setting.extra,
            environment={
                "WAYMARK_DATABASE_URL": self.setting.client_url,
                "WAYMARK_RUNTIME_DIR": str(self.runtime),
            },
            cwd=ROOT,
        )

    def keep(self) -> None:
        """Replace pools that have ended; `ended` names those that had no reason to."""
        for pool in [pool for pool in self.pools if not pool.running]:
            if not (pool.ended_by_fault or pool.plan.may_end):
                status = pool.child.wait()
                tail = "\n".join(pool.child.lines[-15:])
                self.ended.append(
                    f"pool {pool.child.pid} ended by itself with status {status}:\n{tail}"
                )
            self.pools.remove(pool)
            self.past.append(pool)
            self.pools.append(self._launch(pool.plan))

    def shut(self) -> None:
        """End everything and give up the folder of sockets; pools write down what they printed."""
        self.processes.end()
        for number, pool in enumerate([*self.past, *self.pools]):
            path = self.folder / f"pool-{number}-{pool.child.pid}.log"
            path.write_text(pool.child.output, encoding="utf-8")
        if self.client is not None:
            (self.folder / "client.log").write_text(self.client.output, encoding="utf-8")
        for log in self.runtime.glob("waymark-*/*.log"):
            shutil.copy(log, self.folder / f"bridge-{log.name}")
        shutil.rmtree(self.runtime, ignore_errors=True)

    def _launch(self, plan: PoolPlan) -> Pool:
        variables = {
            "WAYMARK_DATABASE_URL": self.setting.pool_url,
            "WAYMARK_USER_MODULE": "tests.chaos.workflows",
            LEDGER: str(self.ledger),
            **self.setting.variables,
            **plan.variables,
        }
        if self.setting.patches:
            inherited = os.environ.get("PYTHONPATH")
            variables["PYTEST_WAYMARK_PATCHES"] = ",".join(self.setting.patches)
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SITE), inherited]))
        child = self.processes.start(plan.command, environment=variables, cwd=ROOT)
        return Pool(plan, child)

    # --- for faults -----------------------------------------------------------------------------

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.txt"

    def query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database itself, past whatever a fault put in between."""
        with psycopg.connect(self.setting.url, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def wait_for_work(self, lines: int, *, seconds: float) -> bool:
        """Wait until actions did so much more; False if that took longer. The database may be away."""
        before = self._lines()
        deadline = time.monotonic() + seconds

        def over() -> bool:
            return self._lines() >= before + lines or time.monotonic() > deadline

        wait_for(over, seconds=seconds + 30)
        return self._lines() >= before + lines

    def live(self) -> list[Pool]:
        """Pools that run."""
        return [pool for pool in self.pools if pool.running]

    def ready(self) -> list[Pool]:
        """Pools that have come so far that they can run calls."""
        return [pool for pool in self.live() if pool.id is not None]

    def kill(self, pids: Iterable[int]) -> None:
        """kill -9 single processes."""
        gone = []
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            gone.append(pid)
        wait_for_end(gone)

    def kill_pool(self, pool: Pool) -> Kill:
        """kill -9 a whole pool at once, and remember what it held: who takes that over is measured."""
        pids = set(pool.tree())
        pool.ended_by_fault = True
        at = time.monotonic()
        kill_tree(pool.child.pid)
        pool.child.kill()
        # Asked now: what it gave up before its death is nobody's recovery.
        kill = Kill(at, self._held_by(pool), self._offered(), pids)
        self.killed.append(kill)
        return kill

    def wait_for_takeover(self, kill: Kill, *, seconds: float) -> None:
        """Wait until others have gone on with what a killed pool held; if that takes longer, the figure tells."""

        def over() -> bool:
            self.keep()
            return kill.resumed(read(self.ledger)) is not None or time.monotonic() > deadline

        deadline = time.monotonic() + seconds
        if kill.held:
            wait_for(over, seconds=seconds + 30)

    def freeze(self, pool: Pool) -> list[int]:
        """Stop all processes of a pool; `thaw` lets them go on."""
        stopped: list[int] = []
        while fresh := [pid for pid in pool.tree() if pid not in stopped]:
            _signal(fresh, signal.SIGSTOP)
            stopped += fresh
        since = time.monotonic()
        self._frozen.append((since, stopped))
        return stopped

    def thaw(self) -> None:
        """Let everything that was stopped go on, children first."""
        for since, stopped in self._frozen:
            for pid in stopped:
                self.stood_still.setdefault(pid, []).append((since, time.monotonic()))
            _signal(reversed(stopped), signal.SIGCONT)
        self._frozen.clear()

    def end_pool(self, pool: Pool) -> None:
        """kill -9 the supervisor alone; the others must end by themselves."""
        pool.ended_by_fault = True
        below = descendants(pool.child.pid)
        pool.child.kill()
        wait_for_end(below, seconds=40)

    def bridges(self) -> list[int]:
        """Bridges of the load that run."""
        mark = {seen.pid for seen in self.processes.left()}
        return [seen.pid for seen in listing() if seen.pid in mark and "bridge" in seen.command]

    def begun(self, action: str) -> int:
        """How many attempts of an action began."""
        return sum(line.word == BEGUN and line.action == action for line in read(self.ledger))

    def measured(self, figure: str, seconds: float) -> None:
        self.figures.setdefault(figure, []).append(seconds)

    def _held_by(self, pool: Pool) -> set[str]:
        if pool.id is None:
            return set()
        found = self._query_if_there(
            "select i.id::text from waymark.instances as i join waymark.leases as l"
            " on l.id = i.owner where l.pool = %s and not l.fenced",
            pool.id,
        )
        return {run for (run,) in found}

    def _offered(self) -> set[tuple[str, int]]:
        found = self._query_if_there("select instance::text, call from waymark.offers")
        return {(run, call) for run, call in found}

    def _query_if_there(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What figures are made from may be missing while the database is away."""
        try:
            return self.query(query, *values)
        except psycopg.Error:
            return []

    def _lines(self) -> int:
        # A line is about 100 bytes long; counting them exactly would mean to read them all.
        return self.ledger.stat().st_size // 100 if self.ledger.exists() else 0

    def events(self) -> list[dict[str, Any]]:
        """What the client wrote down."""
        path = self.folder / "client.jsonl"
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def one_with_a_peer(arena: Arena, chance: Random) -> Pool:
    """A pool that can run calls, once there is another one to take over."""

    def ready() -> bool:
        arena.keep()
        return len(arena.ready()) > 1

    wait_for(ready, seconds=START, what="two pools are ready")
    return chance.choice(arena.ready())
