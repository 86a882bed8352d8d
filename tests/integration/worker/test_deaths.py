"""Processes of a pool killed, stopped and asked to end in; nothing lost, nothing twice and nobody left out."""

import ctypes
import os
import resource
import signal
import socket
import termios
import time
from pathlib import Path

import pytest

from tests.integration.worker import jobs
from tests.integration.worker.conftest import HERE, READY, Farm
from tests.support.namespaces import unsharing
from tests.support.processes import (
    Child,
    descendants,
    installed,
    listing,
    wait_for_end,
    wait_until,
)
from waymark_schema.kinds import InstanceState
from waymark_worker.heartbeats import STUCK_SECONDS

pytestmark = pytest.mark.postgres

_PIDFD_GETFD = 438
SHORT_LEASE = {"WAYMARK_LOCK_TTL_MS": "4000", "WAYMARK_LOCK_HEARTBEAT_MS": "400"}


@pytest.mark.slow
def test_a_killed_runloop_is_started_again_under_a_new_lease(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    ids = farm.queue(jobs.Waiter, (str(flag),), (str(flag),))
    farm.wait_for_ledger("waits", 2)
    ((before,),) = farm.query("select max(id) from waymark.leases")
    workers = farm.workers(pool)
    os.kill(farm.runloop(pool), signal.SIGKILL)
    wait_for_end(workers)
    farm.wait_for("select max(id) > %s from waymark.leases", before)
    unfenced = "select count(*) from waymark.leases where id = %s and not fenced"
    assert farm.query(unfenced, before) == [(0,)], "nobody need wait for its time to end"
    farm.wait_for_ledger("waits", 4)
    flag.touch()
    assert farm.finished(ids) == [str(flag)] * 2
    assert len(farm.ledger("add")) == 4, "a committed step ran again"
    assert pool.running
    farm.assert_exactly_once()
    farm.stop(pool)


@pytest.mark.slow
def test_a_runloop_that_cannot_be_started_now_is_started_later(farm: Farm) -> None:
    pool = farm.start()
    before = resource.prlimit(pool.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pool.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    os.kill(farm.runloop(pool), signal.SIGKILL)
    pool.wait_for_line(r"runloop\.not_started.*Too many open files")
    resource.prlimit(pool.pid, resource.RLIMIT_NOFILE, before)
    assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]
    farm.stop(pool)


@pytest.mark.slow
def test_what_a_runloop_ran_that_cannot_be_started_again_is_taken_over_by_another_pool(
    farm: Farm,
) -> None:
    # A lease lives longer than the test waits.
    farm.variables.update(WAYMARK_LOCK_TTL_MS="600000")
    pools = farm.start_several(2)
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    ((*_, worker, _),) = farm.wait_for_ledger("waits")
    (owner,) = [pool for pool in pools if int(worker) in farm.workers(pool)]
    before = resource.prlimit(owner.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(owner.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    os.kill(farm.runloop(owner), signal.SIGKILL)
    owner.wait_for_line(r"runloop\.not_started")
    farm.wait_for_ledger("waits", 2)
    flag.touch()
    assert farm.finished([run]) == [str(flag)]
    resource.prlimit(owner.pid, resource.RLIMIT_NOFILE, before)
    wait_until(lambda: _runloops(farm, owner))
    farm.assert_exactly_once()
    for pool in pools:
        farm.stop(pool)


def test_a_killed_supervisor_leaves_nobody_and_another_pool_takes_over_at_once(farm: Farm) -> None:
    first, second = farm.start(), farm.start()
    flag = farm.folder / "go"
    ids = farm.queue(jobs.Waiter, *[(str(flag),)] * 8)
    farm.wait_for_ledger("waits", 8)
    mine = set(farm.workers(first))
    held = {line[0] for line in farm.ledger("waits") if int(line[3]) in mine}
    below = descendants(first.pid)
    killed_at = time.monotonic()
    first.kill()
    wait_for_end(below, seconds=10)
    if held:
        farm.wait_for_ledger("waits", 8 + len(held), seconds=10)
        # The lease had most of its 15 s left: its session lock told.
        assert time.monotonic() - killed_at < 8
    flag.touch()
    assert farm.finished(ids) == [str(flag)] * 8
    assert len(farm.ledger("add")) == 16
    farm.assert_exactly_once()
    farm.stop(second)


@pytest.mark.slow
def test_sigterm_finishes_what_runs_and_hands_back_the_rest_at_once(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (busy,) = farm.queue(jobs.Waiter, (str(flag),))
    (sleeping,) = farm.queue(jobs.Sleeper, (8.0,))
    farm.wait_for_ledger("waits")
    farm.wait_for("select count(*) = 2 from waymark.instances where state = 2")
    farm.wait_for("select count(*) = 1 from waymark.journal where instance = %s", sleeping)
    pool.send(signal.SIGTERM)
    wait_until(lambda: farm.state(sleeping) is InstanceState.QUEUED, seconds=5)
    assert farm.state(busy) is InstanceState.RUNNING
    assert pool.running
    flag.touch()
    assert pool.wait(seconds=15) == 0, pool.output
    assert farm.state(busy) is InstanceState.QUEUED
    outcomes = farm.query("select count(*) from waymark.journal where instance = %s", busy)
    assert outcomes == [(2,)], "what ran was finished and committed"
    farm.processes.assert_none_left(seconds=2)
    farm.start()
    assert farm.finished([busy, sleeping]) == [str(flag), 3]
    assert len(farm.ledger("waits")) == 1
    farm.assert_exactly_once()


@pytest.mark.slow
def test_what_does_not_end_within_the_grace_is_handed_back(farm: Farm) -> None:
    pool = farm.start(WAYMARK_SHUTDOWN_GRACE_MS="300")
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    asked_at = time.monotonic()
    assert pool.terminate(seconds=15) == 0, pool.output
    assert time.monotonic() - asked_at < 10
    assert farm.state(run) is InstanceState.QUEUED
    farm.processes.assert_none_left(seconds=2)
    flag.touch()
    farm.start()
    assert farm.finished([run]) == [str(flag)]


@pytest.mark.slow
def test_what_does_not_end_within_the_grace_has_ended_before_others_begin_it(farm: Farm) -> None:
    first = farm.start(WAYMARK_SHUTDOWN_GRACE_MS="300")
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Beating, (str(flag),))
    farm.wait_for_ledger("beats")
    second = farm.start()
    assert first.terminate(seconds=15) == 0, first.output
    ((old,), *_) = farm.ledger("beats")
    wait_until(lambda: farm.ledger("beats")[-1] != [old], seconds=20)
    flag.touch()
    assert farm.finished([run]) == [None]
    pids = [pid for (pid,) in farm.ledger("beats")]
    assert old not in pids[pids.count(old) :], "both ran at once"
    lost = farm.query("select count(*) from waymark.journal where kind = 9")
    assert lost == [(0,)], "being cut off is not held against a call"
    farm.stop(second)


@pytest.mark.slow
def test_a_wide_fan_does_not_hold_up_the_end(farm: Farm) -> None:
    pool = farm.start()
    ids = farm.queue(jobs.Fan, (5_000,)) + farm.queue(jobs.Slow, *[(1, 0.5)] * 100)
    farm.wait_for_ledger("slow")
    assert pool.terminate(seconds=15) == 0, pool.output
    # What waited for a slot was not started any more.
    assert len(farm.ledger("slept")) == len(farm.ledger("slow"))
    farm.start()
    results = farm.finished(ids)
    assert results == [5_000 * 4_999 // 2 + 5_000] + [1] * 100
    assert len(farm.ledger("slow")) == 100
    farm.assert_exactly_once()


@pytest.mark.slow
def test_a_second_sigterm_ends_it_now(farm: Farm) -> None:
    pool = farm.start(WAYMARK_SHUTDOWN_GRACE_MS="60000")
    (run,) = farm.queue(jobs.Waiter, (str(farm.folder / "never"),))
    farm.wait_for_ledger("waits")
    pool.send(signal.SIGTERM)
    # Two that arrive together are one.
    pool.wait_for_line("pool.draining")
    assert farm.state(run) is InstanceState.RUNNING
    pool.send(signal.SIGTERM)
    pool.wait_for_line("pool.killed")
    pool.wait(seconds=10)
    farm.processes.assert_none_left(seconds=5)
    # Its leases were given up, so nobody has to wait for them.
    assert farm.query("select count(*) from waymark.leases where not fenced") == [(0,)]


def test_a_pool_that_was_stopped_past_its_lease_drops_everything_and_goes_on(farm: Farm) -> None:
    first = farm.start(**SHORT_LEASE)
    flag = farm.folder / "go"
    ids = farm.queue(jobs.Waiter, *[(str(flag),)] * 4)
    farm.wait_for_ledger("waits", 4)
    everybody = [first.pid, *descendants(first.pid)]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    second = farm.start(**SHORT_LEASE)
    farm.wait_for_ledger("waits", 8, seconds=30)
    flag.touch()
    assert farm.finished(ids) == [str(flag)] * 4
    farm.stop(second)
    for pid in reversed(everybody):
        os.kill(pid, signal.SIGCONT)
    first.wait_for_line(r"lease\.lost")
    assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]
    farm.assert_exactly_once()
    farm.stop(first)


@pytest.mark.slow
def test_a_supervisor_that_wakes_first_does_not_take_its_runloop_for_stuck(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    runloop, below = farm.runloop(pool), descendants(pool.pid)
    for pid in (pool.pid, *below):
        os.kill(pid, signal.SIGSTOP)
    _let_pass(STUCK_SECONDS + 1)
    os.kill(pool.pid, signal.SIGCONT)
    _let_pass(2.0)  # it looks four times a second
    for pid in below:
        os.kill(pid, signal.SIGCONT)
    flag.touch()
    assert farm.finished([run]) == [str(flag)]
    assert farm.runloop(pool) == runloop
    assert "runloop.stuck" not in pool.output
    farm.stop(pool)


def _let_pass(seconds: float) -> None:
    """Nothing tells how long others stand still: only the clock does."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kills", [4, pytest.param(20, marks=[pytest.mark.chaos, pytest.mark.timeout(400)])]
)
def test_kills_of_the_runloop_lose_and_repeat_nothing(farm: Farm, kills: int) -> None:
    # Whoever is killed so often from outside looks like one that kills: a suspect runs alone, and is met again.
    pool = farm.start(WAYMARK_CRASH_LIMIT="1000")
    runs = {n: farm.queue(jobs.Mixture, (n,))[0] for n in range(60)}
    for kill in range(kills):
        # After another number of entries each time, so that the kills fall into every phase of the work.
        _wait_for_entries(farm, 1 + (kill * 37) % 90)
        victim = farm.runloop(pool)
        os.kill(victim, signal.SIGKILL)
        wait_for_end([victim])
        more = range(1_000 * (kill + 1), 1_000 * (kill + 1) + 20)
        runs |= dict(zip(more, farm.queue(jobs.Mixture, *[(n,) for n in more]), strict=True))
        wait_until(lambda: _runloops(farm, pool))
    assert farm.finished(list(runs.values()), seconds=60) == [jobs.mixture(n) for n in runs]
    farm.assert_exactly_once()
    _no_committed_step_ran_again(farm)
    assert pool.output.count("runloop.died") == kills


def _wait_for_entries(farm: Farm, more: int) -> None:
    ((before,),) = farm.query("select count(*) from waymark.journal")
    farm.wait_for(
        "select count(*) >= %s or (select bool_and(state >= 4) from waymark.instances)"
        " from waymark.journal",
        before + more,
    )


def _no_committed_step_ran_again(farm: Farm) -> None:
    """A step may be begun again only after a kill, and only until one of its tries is committed."""
    committed = {
        (str(instance), str(call)): finished
        for instance, call, finished in farm.query(
            "select instance, call, extract(epoch from finished_at) from waymark.journal where kind = 1"
        )
    }
    begun: dict[tuple[str, str], list[float]] = {}
    for instance, call, _attempt, _pid, *_arguments, at in farm.ledger("add"):
        begun.setdefault((instance, call), []).append(float(at))
    assert begun.keys() <= committed.keys()
    # Once begun is never begun again; between two clocks, of which one is estimated, a moment may be missing.
    late = {
        key: at
        for key, at in begun.items()
        if len(at) > 1 and max(at) > float(committed[key]) + 0.05
    }
    assert late == {}


def _runloops(farm: Farm, pool: Child) -> bool:
    return any(
        seen.parent == pool.pid and "waymark_worker.runloop" in seen.command for seen in listing()
    )


@pytest.mark.chaos
def test_a_run_that_keeps_the_runloop_from_everything_else_is_set_aside(farm: Farm) -> None:
    pool = farm.start(WAYMARK_STEP_BUDGET="10000000000", WAYMARK_CRASH_LIMIT="1")
    (spinning,) = farm.queue(jobs.Spins, ())
    pool.wait_for_line(r"runloop\.stuck", seconds=40)
    assert farm.finished(farm.queue(jobs.Chain, (3,)), seconds=60) == [3]
    (error,) = farm.finished([spinning], seconds=60)
    assert farm.state(spinning) is InstanceState.QUARANTINED
    assert "time after time at the same place" in str(error)
    assert pool.output.count("runloop.died") == 1


@pytest.mark.slow
def test_a_supervisor_that_stood_still_before_it_died_leaves_nobody(farm: Farm) -> None:
    pool = farm.start()
    below = descendants(pool.pid)
    os.kill(pool.pid, signal.SIGSTOP)
    # Reports that nobody has read turn the end of the connection into a reset; they come once a second.
    unread = _unread_of(pool.pid)
    wait_until(lambda: _unread_of(pool.pid) > unread, what="a report that is not read")
    os.kill(pool.pid, signal.SIGKILL)
    wait_for_end(below)


def _unread_of(pid: int) -> int:
    """Bytes that wait unread in the sockets of another process."""
    libc = ctypes.CDLL(None)
    process, total = os.pidfd_open(pid), 0
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if not str(entry.readlink()).startswith("socket:"):
                continue
            ours = libc.syscall(_PIDFD_GETFD, process, int(entry.name), 0)
            count = ctypes.c_int()
            libc.ioctl(ours, termios.FIONREAD, ctypes.byref(count))
            total += count.value
            os.close(ours)
    finally:
        os.close(process)
    return total


@pytest.mark.slow
def test_a_pool_that_is_pid_1_collects_what_its_actions_left_behind(farm: Farm) -> None:
    given = farm.environment()
    beginning = unsharing("--pid", "--fork", "--mount-proc", "--kill-child")
    command = [*beginning, str(installed("waymark-start-workers"))]
    pool = farm.processes.start(command, environment=given, cwd=HERE)
    pool.wait_for_line(READY, seconds=100)
    (looks,) = farm.finished(farm.queue(jobs.Abandons, (20,)), seconds=60)
    # They were the pool's when they ended, so somebody had to collect them.
    assert {parent for (parent,) in farm.ledger("orphan")} == {"1"}
    assert looks > 1
    (first,) = [seen.pid for seen in listing() if seen.parent == pool.pid]
    os.kill(first, signal.SIGTERM)
    assert pool.wait(seconds=20) == 0, pool.output
    assert "worker.died" not in pool.output
    assert "runloop.died" not in pool.output


@pytest.mark.slow
def test_a_pool_that_is_pid_1_can_be_ended_before_it_has_started(farm: Farm) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        host, port = mute.getsockname()
        given = farm.environment(WAYMARK_DATABASE_URL=f"postgresql://nobody@{host}:{port}/nothing")
        beginning = unsharing("--pid", "--fork", "--mount-proc", "--kill-child")
        command = [*beginning, str(installed("waymark-start-workers"))]
        pool = farm.processes.start(command, environment=given, cwd=HERE)
        mute.settimeout(100)
        asked, _ = mute.accept()
        (first,) = [seen.pid for seen in listing() if seen.parent == pool.pid]
        os.kill(first, signal.SIGTERM)
        assert pool.wait(seconds=100) == 128 + signal.SIGTERM, pool.output
        asked.close()
