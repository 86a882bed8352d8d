"""A statement and a moment in; pools at work, of which the first process that comes there dies, out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.integration.trouble import trouble_jobs as jobs
from tests.integration.worker import both_jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import Child, wait_until

VARIABLES = {
    "WAYMARK_LOCK_TTL_MS": "4000",
    "WAYMARK_EVICT_SLEEP_THRESHOLD_MS": "100",
    "WAYMARK_GARBAGE_COLLECTOR_INTERVAL_MS": "500",
    "WAYMARK_RUNNER_PROFILE_INTERVAL_MS": "500",
    "WAYMARK_CONCURRENT_PER_WORKER": "3",
    "WAYMARK_WORKER_COUNT": "1",
}
LEFT, RIGHT, DEADLY = (
    {"WAYMARK_USER_MODULE": f"tests.integration.worker.{name}_jobs"}
    for name in ("left", "right", "deadly")
)


@dataclass
class Scene:
    """Pools of one test. Once it is armed, the first process of them that comes to the statement dies, and no other."""

    farm: Farm
    name: str
    moment: str
    pools: list[Child] = field(default_factory=list)
    ended_by_us: list[Child] = field(default_factory=list)
    expected: list[Any] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)

    @property
    def died(self) -> Path:
        return self.farm.folder / "died"

    @property
    def armed(self) -> Path:
        return self.farm.folder / "armed"

    def arm(self) -> None:
        self.armed.touch()

    def launch(self, *modules: dict[str, str], also: str = "") -> None:
        """Start a pool for each module; two of the same if none is named."""
        rule = f"{self.name}:{self.moment}=exit once={self.died} while={self.armed}"
        self.farm.variables.update(VARIABLES, WAYMARK_FAILPOINT=f"{rule}; {also}")
        self.pools += [self.farm.launch(**module) for module in modules or ({}, {})]

    def start(self, *modules: dict[str, str], also: str = "") -> None:
        """The same, and wait until all of them can run calls."""
        self.launch(*modules, also=also)
        for pool in self.pools:
            pool.wait_for_line(r"pool\.ready")

    def queue(self, workflow: Any, *arguments: tuple[Any, ...], gives: list[Any]) -> None:
        self.ids += self.farm.queue(workflow, *arguments)
        self.expected += gives

    def queue_a_mixture(self) -> None:
        """A second of work at least: steps, a fan, and runs that are written away while they sleep."""
        self.queue(jobs.TroubledFan, (40,), gives=[sum(range(1, 41))])
        self.queue(jobs.Steps, *[(12, 0.05)] * 6, gives=[12] * 6)
        self.queue(jobs.Sleeps, *[(1.0,)] * 4, gives=[3] * 4)

    def queue_a_wide_one(self) -> None:
        """One run with more calls than its pool has slots; returns when another pool has taken some."""
        self.queue(jobs.TroubledFan, (50, 0.3), gives=[sum(range(1, 51))])
        self.farm.wait_for("select count(*) > 0 from waymark.offers where taken_by is not null")

    def pool_of(self, lease: str) -> Child:
        """The pool that holds the lease which a query finds."""
        ((pid,),) = self.farm.query(
            "select p.pid from waymark.pools as p join waymark.leases as l on l.pool = p.id"
            f" where l.id = ({lease})"
        )
        (found,) = [pool for pool in self.pools if pool.pid == pid]
        return found


def from_the_start(scene: Scene) -> None:
    """For what a process does once in its life, before it runs anything."""
    scene.arm()
    scene.launch()
    scene.queue_a_mixture()


def under_load(scene: Scene) -> None:
    """For what is done all the time, or every half second."""
    scene.start()
    scene.queue_a_mixture()
    scene.farm.wait_for_ledger("ended", 3)
    scene.arm()


def in_a_long_run(scene: Scene) -> None:
    """For what is done every 256 commits of a lease."""
    scene.arm()
    scene.start()
    scene.queue(jobs.Steps, (300, 0.0), gives=[300])


def while_calls_are_shared(scene: Scene) -> None:
    """For what the owner of a wide run and the pool that helps it tell each other."""
    scene.start()
    scene.queue_a_wide_one()
    scene.arm()


def after_the_owner_lost_its_runloop(scene: Scene) -> None:
    """For what becomes of a lease that its pool gives up, of the runs under it and of what they have offered."""
    while_calls_are_shared(scene)
    owner = scene.pool_of("select i.owner from waymark.instances as i where i.state = 2")
    os.kill(scene.farm.runloop(owner), signal.SIGKILL)


def after_the_taker_lost_its_runloop(scene: Scene) -> None:
    """For what becomes of calls that were taken under a lease that is gone."""
    while_calls_are_shared(scene)
    taker = scene.pool_of(
        "select o.taken_by from waymark.offers as o where o.taken_by is not null limit 1"
    )
    os.kill(scene.farm.runloop(taker), signal.SIGKILL)


def after_a_pool_was_killed(scene: Scene) -> None:
    """For what a reaper does: of the two that are left one dies of it."""
    scene.start({}, {}, {})
    scene.queue_a_mixture()
    scene.farm.wait_for_ledger("ended", 3)
    scene.arm()
    scene.ended_by_us.append(scene.pools[0])
    scene.pools[0].kill_tree()


def while_a_pool_ends(scene: Scene) -> None:
    """For what a pool says when it is asked to stop."""
    under_load(scene)
    scene.pools[0].send(signal.SIGTERM)


def when_taken_calls_time_out(scene: Scene) -> None:
    """For what a taker does with an attempt that ends after its outcome was told."""
    scene.arm()
    scene.start()
    scene.queue(jobs.TimesOut, (12,), gives=[12])


def when_a_run_gives_its_calls_up(scene: Scene) -> None:
    """For what an owner does with offers that nobody waits for any more."""
    scene.start()
    told = scene.farm.folder / "told"
    scene.queue(jobs.GivesUpEarly, (str(told), 12), gives=["told"])
    scene.farm.wait_for("select count(*) > 0 from waymark.offers where taken_by is not null")
    scene.arm()
    told.touch()


def when_answers_to_takes_are_lost(scene: Scene) -> None:
    """For what a taker does with calls that it holds without having been told."""
    losing = scene.farm.folder / "losing"
    scene.start(also=f"offers.take:after=lose while={losing}")
    scene.queue_a_wide_one()
    scene.arm()
    losing.touch()
    wait_until(scene.died.exists, what="what was taken unseen is given back")
    losing.unlink()


def when_busy_pools_need_each_other(scene: Scene) -> None:
    """For what a pool does that is full of its own work while others have calls that only it can run."""
    scene.start(LEFT, RIGHT)
    rounds = 4
    gives = [(n + 2) * 2**rounds - 2 for n in range(60)]
    scene.queue(both_jobs.Both, *[(n, rounds) for n in range(60)], gives=gives)
    scene.farm.wait_for("select count(*) > 0 from waymark.offers")
    scene.arm()


def when_a_taken_call_has_ended_workers(scene: Scene) -> None:
    """For what a taker says before it runs a suspect with nothing beside it."""
    scene.arm()
    scene.start(LEFT, DEADLY)
    # The pool that knows the suspect must not have the run, too: then it would be no taker.
    runloop = scene.farm.runloop(scene.pools[1])
    os.kill(runloop, signal.SIGSTOP)
    try:
        scene.queue(both_jobs.OutlivesTwo, (), gives=[[2, 5]])
        scene.farm.wait_for("select count(*) = 1 from waymark.instances where owner is not null")
    finally:
        os.kill(runloop, signal.SIGCONT)


SCENES: dict[str, Callable[[Scene], None]] = {
    "programs.register": from_the_start,
    "programs.prune": from_the_start,
    "pools.register": from_the_start,
    "leases.register": from_the_start,
    "offers.able": from_the_start,
    "settle.trim_commits": in_a_long_run,
    "offers.want": while_calls_are_shared,
    "offers.offer": while_calls_are_shared,
    "offers.take": while_calls_are_shared,
    "offers.finish": while_calls_are_shared,
    "leases.leave": after_the_owner_lost_its_runloop,
    "instances.release": after_the_owner_lost_its_runloop,
    "offers.adopt": after_the_owner_lost_its_runloop,
    "offers.release": after_the_taker_lost_its_runloop,
    "offers.take_back": after_the_taker_lost_its_runloop,
    "leases.mark_fenced": after_a_pool_was_killed,
    "pools.retire": while_a_pool_ends,
    "pools.stop": while_a_pool_ends,
    "offers.drop_taken": when_taken_calls_time_out,
    "offers.withdraw": when_a_run_gives_its_calls_up,
    "offers.give_back": when_answers_to_takes_are_lost,
    "offers.take_foreign": when_busy_pools_need_each_other,
    "offers.mark_alone": when_a_taken_call_has_ended_workers,
}
"""What must go on for a statement to be come to; all others are under any load."""


def play(scene: Scene) -> None:
    """Bring the statement about and wait for the death beside it."""
    SCENES.get(scene.name, under_load)(scene)
    wait_until(scene.died.exists, seconds=60, what="the process that comes to the statement dies")
