"""Faults and a seed in; a round of load under them, judged, out."""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from tests.chaos import checks, evidence
from tests.chaos.arena import Arena, wait_for
from tests.chaos.checks import BROKEN, LOST, Finding
from tests.chaos.evidence import Evidence, Offset
from tests.chaos.fault import Fault, PoolPlan, Setting
from tests.chaos.server import TEMPLATE, ChaosServer
from tests.chaos.table import Round
from tests.support.pg_proxy import PgProxy
from tests.support.pgbouncer import pgbouncer_before
from tests.support.processes import Processes, installed

PATIENCE = 180.0
"""Without one more settled step for so long, a run that has not ended is lost: far more than a pool needs to
start on a busy machine."""
LEASES = 180.0
"""For pools to be ready and leases of dead ones to be fenced; far more than a lease lives."""
VARIABLES = {
    "WAYMARK_CONCURRENT_PER_WORKER": "6",
    # Two lives of a lease fit into a round.
    "WAYMARK_LOCK_TTL_MS": "5000",
    "WAYMARK_LOCK_HEARTBEAT_MS": "1000",
    # Sleeps of a third of a second park.
    "WAYMARK_EVICT_SLEEP_THRESHOLD_MS": "200",
    "WAYMARK_RUNNER_PROFILE_INTERVAL_MS": "500",
    "WAYMARK_DATABASE_WAIT_S": "60",
    # Runs that are killed by us, again and again, are no poison.
    "WAYMARK_CRASH_LIMIT": "1000",
}
SESSIONS = 8
"""Of a pooler with the server: fewer than the pools of a round have with the pooler."""
TIMEOUT_MS = 1_000
"""Of statements behind a pooler, where only role or database can have one."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a round is."""

    pools: int = 3
    workers: int = 2
    """Of each pool."""
    seconds: float | None = None
    """How long faults strike; None leaves it to them."""
    patience: float = PATIENCE
    pooler: bool = False
    """Whether pools and load reach the server through PgBouncer in transaction mode only."""


def play(
    faults: list[Fault],
    *,
    number: int,
    seed: str,
    shared: ChaosServer,
    folder: Path,
    size: Size | None = None,
    keep: bool = False,
) -> Round:
    """Run one round; its folder goes unless something was found, or all are to be kept."""
    folder.mkdir(parents=True)
    size = size or Size()
    result = Round(number, seed, tuple(fault.name for fault in faults), pooler=size.pooler)
    began = time.monotonic()
    try:
        _on_a_server(faults, result, shared, folder, size)
    except Exception:  # noqa: BLE001 - a round that could not be played is a finding, and the next one goes on
        result.findings.append(Finding(BROKEN, f"the round broke off: {traceback.format_exc()}"))
    finally:
        for fault in faults:
            fault.close()
    result.seconds = time.monotonic() - began
    if result.good and not keep:
        shutil.rmtree(folder)
    else:
        result.evidence = str(folder)
        lines = [f"{each.kind}: {each.run} {each.text}" for each in result.findings]
        (folder / "findings.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return result


def _on_a_server(
    faults: list[Fault], result: Round, shared: ChaosServer, folder: Path, size: Size
) -> None:
    server = shared
    for fault in faults:
        server = fault.serve(server)
    name = server.databases.create(template=TEMPLATE)
    setting = _setting(server, server.databases.url_of(name), size)
    setting.faults = result.faults
    chance = Random(result.seed)
    try:
        with _pooler(setting, chance, wanted=size.pooler):
            for fault in faults:
                fault.prepare(setting, chance)
            _in_an_arena(Arena(setting, folder, Processes()), faults, chance, result, size)
    finally:
        (folder / "server.log").write_text(server.log, encoding="utf-8")
        server.databases.drop(name)


def _in_an_arena(
    arena: Arena, faults: list[Fault], chance: Random, result: Round, size: Size
) -> None:
    try:
        begun = evidence.offset()
        arena.open(result.seed)
        _strike(arena, faults, chance, size.seconds)
        _judge(arena, result, begun, patience=size.patience)
    finally:
        result.notes = arena.notes
        arena.shut()
        result.strikes = {fault.name: fault.struck(arena) for fault in faults}


@contextmanager
def _pooler(setting: Setting, chance: Random, *, wanted: bool) -> Iterator[None]:
    """Let pools and load see a pooler only; half of the times they are told so and do not look themselves."""
    if not wanted:
        yield
        return
    if chance.random() < 0.5:
        setting.variables["WAYMARK_LISTEN"] = "off"
    with (
        PgProxy(setting.url) as beyond,
        pgbouncer_before(beyond, size=SESSIONS, statement_timeout_ms=TIMEOUT_MS) as url,
    ):
        setting.pool_url = setting.client_url = url
        setting.beyond_pooler = beyond
        yield


def _setting(server: ChaosServer, url: str, size: Size) -> Setting:
    command = [str(installed("waymark-start-workers"))]
    variables = {**VARIABLES, "WAYMARK_WORKER_COUNT": str(size.workers)}
    plans = [PoolPlan(command) for _ in range(size.pools)]
    return Setting(server, url, url, url, plans, variables=variables)


def _strike(arena: Arena, faults: list[Fault], chance: Random, seconds: float | None) -> None:
    """Strike until the time is over, each fault once at least, then mend."""
    chosen = seconds or max((fault.seconds for fault in faults), default=5.0)
    arena.wait_for_work(20, seconds=60)
    deadline = time.monotonic() + chosen
    turns = list(faults)
    try:
        while turns or time.monotonic() < deadline:
            if faults:
                fault = turns.pop() if turns else chance.choice(faults)
                fault.strike(arena, chance)
                arena.strikes[fault.name] += 1
            arena.wait_for_work(chance.randrange(5, 120), seconds=2.0)
            arena.keep()
    finally:
        for fault in faults:
            fault.mend(arena)
    arena.keep()


def _judge(arena: Arena, result: Round, begun: Offset, *, patience: float) -> None:
    (arena.folder / "stop").touch()
    findings = _wait_for_the_end(arena, patience)
    findings += [Finding(BROKEN, each) for each in (*arena.ended, *arena.broken)]
    seen = evidence.collect(arena, begun)
    findings += checks.check(arena, seen)
    findings += _end_pools(arena)
    result.findings = findings
    result.workflows = len(seen.instances)
    result.steps = len(seen.entries)
    result.worst_pause = _worst_pause(seen)
    result.figures = {**arena.figures, **_takeovers(arena, seen)}
    if findings:
        _keep_rows(arena)


def _wait_for_the_end(arena: Arena, patience: float) -> list[Finding]:
    """Wait until the client has all its answers and every lease that nobody holds is fenced."""
    assert arena.client is not None
    client, wrong = arena.client, []
    if not _patiently(arena, lambda: not client.running, patience):
        wrong.append(Finding(LOST, f"the load did not end: no step for {patience:g} s"))
    elif client.wait() != 0:
        tail = "\n".join(client.lines[-15:])
        wrong.append(Finding(BROKEN, f"the client ended with status {client.wait()}:\n{tail}"))

    def settled() -> bool:
        arena.keep()
        return checks.leases_settled(arena)

    try:
        wait_for(settled, seconds=LEASES)
    except TimeoutError:
        held = arena.query("select * from waymark.leases where not fenced")
        pools = [pool.id for pool in arena.live()]
        wrong.append(Finding(BROKEN, f"leases {held} are not those of the pools {pools}"))
    return wrong


def _patiently(arena: Arena, over: Callable[[], bool], patience: float) -> bool:
    """Wait while steps are settled; False if none was for so long."""

    def progress() -> int:
        ((count,),) = arena.query(
            "select (select count(*) from waymark.journal)"
            " + (select count(*) from waymark.instances where state >= 4)"
        )
        return int(count)

    before, since = progress(), time.monotonic()

    def settled() -> bool:
        nonlocal before, since
        if over():
            return True
        now = progress()
        if now != before:
            before, since = now, time.monotonic()
        arena.keep()
        return time.monotonic() - since > patience

    wait_for(settled, seconds=3600)
    return over()


def _end_pools(arena: Arena) -> list[Finding]:
    """End the pools in order: they must say that all is well and leave no lease and no process."""
    wrong = []
    pools = arena.live()
    for pool in pools:
        pool.child.send(signal.SIGTERM)
    for pool in pools:
        try:
            status = pool.child.wait(seconds=PATIENCE)
        except AssertionError as error:
            wrong.append(Finding(BROKEN, f"a pool did not end when asked to: {error}"))
            continue
        if status != 0:
            tail = "\n".join(pool.child.lines[-15:])
            wrong.append(
                Finding(BROKEN, f"a pool ended with status {status} when asked to:\n{tail}")
            )
    ((held,),) = arena.query("select count(*) from waymark.leases where not fenced")
    if held:
        wrong.append(Finding(BROKEN, f"{held} leases are held after the end of all pools"))
    return wrong


def _worst_pause(seen: Evidence) -> float:
    """The longest time between two settled steps, from the first acknowledged run to the last step."""
    if not seen.acknowledged or not seen.entries:
        return 0.0
    first = min(seen.acknowledged.values())
    times = [first, *sorted(entry.at for entry in seen.entries if entry.at > first)]
    return max((after - before for before, after in pairwise(times)), default=0.0)


def _takeovers(arena: Arena, seen: Evidence) -> dict[str, list[float]]:
    """From the kill of a whole pool to the first action, elsewhere, of a run that it held."""
    found = [
        resumed - kill.at
        for kill in arena.killed
        if (resumed := kill.resumed(seen.lines)) is not None
    ]
    return {"kill -9 of a whole pool → first resumed action elsewhere": found} if found else {}


def _keep_rows(arena: Arena) -> None:
    """Write down all rows that tell what happened."""
    for table in (
        "instances",
        "journal",
        "leases",
        "offers",
        "inbox",
        "commits",
        "pools",
        "snapshots",
    ):
        rows = arena.query(f"select row_to_json(t)::text from waymark.{table} as t")
        path = arena.folder / f"{table}.jsonl"
        path.write_text("\n".join(row for (row,) in rows) + os.linesep, encoding="utf-8")
