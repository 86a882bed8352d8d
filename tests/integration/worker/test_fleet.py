"""Two pools on one database: a fan-out of one run uses the slots of both, whatever happens to either."""

from __future__ import annotations

import os
import signal
from collections import Counter

import psycopg
import pytest

from tests.integration.worker import fleet_jobs as jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import Child, descendants, hang_up
from waymark_schema.kinds import InstanceState
from waymark_worker.batches import MAX_BYTES

MODULE = {"WAYMARK_USER_MODULE": "tests.integration.worker.fleet_jobs"}


@pytest.fixture
def fleet(farm: Farm) -> Farm:
    farm.variables.update(MODULE)
    return farm


def _by_pool(farm: Farm, word: str, *pools: Child) -> list[int]:
    """How many lines of a word the processes of each pool wrote, pools that still run only."""
    families = [set(descendants(pool.pid)) for pool in pools]
    counted = Counter(int(line[4]) for line in farm.ledger(word))
    return [sum(counted[pid] for pid in family) for family in families]


def _nothing_left(farm: Farm) -> None:
    assert farm.query("select count(*) from waymark.offers") == [(0,)]
    assert farm.query(
        "select count(*) from waymark.inbox as x join waymark.instances as i on i.id = x.instance"
        " where i.state < 4"
    ) == [(0,)]
    farm.assert_exactly_once()


def test_a_fan_out_uses_the_slots_of_a_pool_that_comes_later(fleet: Farm) -> None:
    first = fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Gated, (str(flag), 3_000, 0.1))
    fleet.wait_for_ledger("gate", 20)
    second = fleet.start()
    fleet.wait_for_ledger("gate", 40)
    flag.touch()
    assert fleet.finished([run], seconds=60) == [sum(range(3_000))]
    calls = Counter(line[1] for line in fleet.ledger("gate"))
    assert len(calls) == 3_000
    assert set(calls.values()) == {1}, "a call ran twice although nothing was lost"
    one, two = _by_pool(fleet, "gated", first, second)
    assert one + two == 3_000
    assert two >= 900, (one, two)
    _nothing_left(fleet)
    fleet.stop(first)
    fleet.stop(second)


@pytest.mark.slow
def test_a_fan_out_does_not_hold_up_the_call_of_another_run(fleet: Farm) -> None:
    pool = fleet.start()
    flag = fleet.folder / "open"
    (wide,) = fleet.queue(jobs.Gated, (str(flag), 1_000, 0.05))
    fleet.wait_for_ledger("gate", 20)
    (single,) = fleet.queue(jobs.Wide, (1, 0.0))
    flag.touch()
    assert fleet.finished([single]) == [1]
    assert len(fleet.ledger("gated")) < 500
    assert fleet.finished([wide]) == [sum(range(1_000))]
    fleet.stop(pool)


@pytest.mark.slow
def test_a_lone_pool_offers_nothing(fleet: Farm) -> None:
    pool = fleet.start()
    (run,) = fleet.queue(jobs.Wide, (200, 0.05))
    fleet.wait_for_ledger("napped", 60)
    assert fleet.query("select count(*) from waymark.offers") == [(0,)]
    fleet.finished([run])
    fleet.stop(pool)


@pytest.mark.slow
def test_a_retry_of_an_offered_call_keeps_its_key(fleet: Farm) -> None:
    pools = [fleet.start(), fleet.start()]
    (run,) = fleet.queue(jobs.Refused, (120,))
    assert fleet.finished([run], seconds=40) == [sum(range(120))]
    attempts = fleet.ledger("refuses")
    assert len(attempts) == 240
    keys: dict[str, set[str]] = {}
    for line in attempts:
        keys.setdefault(line[1], set()).add(line[3])
    assert all(len(found) == 1 for found in keys.values())
    assert min(_by_pool(fleet, "refuses", *pools)) > 0
    _nothing_left(fleet)


@pytest.mark.slow
def test_a_taker_that_is_killed_loses_nothing(fleet: Farm) -> None:
    fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Gated, (str(flag), 60))
    fleet.wait_for_ledger("gate", 20)
    second = fleet.start()
    fleet.wait_for_ledger("gate", 40)
    assert fleet.query("select count(*) from waymark.offers where taken_by is not null") == [(20,)]
    _kill(second)
    flag.touch()
    assert fleet.finished([run], seconds=40) == [sum(range(60))]
    lost = fleet.query("select count(*) from waymark.journal where kind = 9")
    assert lost == [(20,)], "what ran in the killed pool is journaled as lost, and only that"
    _nothing_left(fleet)


@pytest.mark.slow
def test_an_owner_that_is_killed_loses_nothing_and_its_offers_are_adopted(fleet: Farm) -> None:
    first = fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Gated, (str(flag), 60))
    fleet.wait_for_ledger("gate", 20)
    fleet.start()
    fleet.wait_for_ledger("gate", 40)
    taken = fleet.query("select call from waymark.offers where taken_by is not null")
    _kill(first)
    fleet.wait_for(
        "select exists (select from waymark.instances where state = 2 and owner <> 1)", seconds=20
    )
    flag.touch()
    assert fleet.finished([run], seconds=40) == [sum(range(60))]
    begun = Counter(int(line[1]) for line in fleet.ledger("gate"))
    assert {begun[call] for (call,) in taken} == {1}, "an offer that ran was repeated"
    _nothing_left(fleet)


@pytest.mark.slow
@pytest.mark.parametrize("listen", ["auto", "off"])
def test_offers_taken_behind_a_lost_connection_are_given_back(fleet: Farm, listen: str) -> None:
    """A backend that nobody reads any more takes them, for a pool that does not know.

    Behind a pooler nobody can end it either: it commits after the pool has looked for what it may hold.
    """
    fleet.variables["WAYMARK_LISTEN"] = listen
    fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Gated, (str(flag), 60))
    fleet.wait_for_ledger("gate", 20)
    fleet.query(
        "create function waymark.stall() returns trigger language plpgsql as $$ begin"
        " perform pg_advisory_xact_lock_shared(4242); return null; end $$;"
        "create trigger stall after update on waymark.offers for each statement"
        " when (pg_trigger_depth() = 0) execute function waymark.stall()"
    )
    stalled = (
        "from pg_stat_activity where wait_event_type = 'Lock' and wait_event = 'advisory'"
        " and application_name like 'waymark pool%' and datname = current_database()"
    )
    with psycopg.connect(fleet.url, autocommit=True) as gate:
        gate.execute("select pg_advisory_lock(4242)")
        second = fleet.start()
        fleet.wait_for(f"select count(*) > 0 {stalled} and query like '%takes = 1%'")
        ((ghost,),) = fleet.query(f"select pid {stalled} and query like '%takes = 1%'")
        assert hang_up(fleet.runloop(second), on=".s.PGSQL") > 0
        fleet.wait_for(
            f"select count(*) > 0 {stalled} and pid <> {ghost} and query like '%takes = 1%'"
        )
    fleet.wait_for_ledger("gate", 40)
    flag.touch()
    assert fleet.finished([run], seconds=40) == [sum(range(60))]
    _nothing_left(fleet)


@pytest.mark.slow
def test_large_values_cross_a_few_megabytes_at_a_time_and_one_that_is_refused_spoils_no_other(
    fleet: Farm,
) -> None:
    size = 700_000
    fleet.query(
        "create function waymark.weigh() returns trigger language plpgsql as $$ begin"
        f" if (select count(*) > 1 and sum(pg_column_size(n.*)) > {MAX_BYTES} from n) then"
        " raise 'too much at once'; end if; return null; end $$;"
        "create trigger weigh after insert on waymark.offers referencing new table as n"
        " for each statement execute function waymark.weigh();"
        "create trigger weigh after insert on waymark.inbox referencing new table as n"
        " for each statement execute function waymark.weigh();"
        # The last one waits, so it is offered.
        "create function waymark.refuse() returns trigger language plpgsql as $$ begin"
        " raise 'not this one'; end $$;"
        "create trigger refuse before insert on waymark.inbox for each row"
        " when (new.call = 43 and new.outcome_kind = 0) execute function waymark.refuse()"
    )
    first = fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Echoed, (str(flag), 44, os.urandom(size)))
    fleet.wait_for_ledger("echo", 20)
    second = fleet.start()
    fleet.wait_for_ledger("echo", 40)
    flag.touch()
    (ended,) = fleet.finished([run], seconds=60)
    assert ended[:-1] == [str(size)] * 43
    assert "refused attempt 1 of echo" in ended[-1]
    assert "not this one" in ended[-1]
    assert min(_by_pool(fleet, "echoed", first, second)) > 10
    for pool in (first, second):
        assert "too much at once" not in pool.output
        assert "died" not in pool.output
    _nothing_left(fleet)


@pytest.mark.slow
def test_a_taker_that_drains_ends_what_it_runs_and_repeats_nothing(fleet: Farm) -> None:
    fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Gated, (str(flag), 60))
    fleet.wait_for_ledger("gate", 20)
    second = fleet.start(WAYMARK_SHUTDOWN_GRACE_MS="30000")
    fleet.wait_for_ledger("gate", 40)
    second.send(signal.SIGTERM)
    second.wait_for_line("pool.draining")
    flag.touch()
    assert second.wait(seconds=40) == 0, second.output
    assert fleet.finished([run], seconds=40) == [sum(range(60))]
    begun = Counter(line[1] for line in fleet.ledger("gate"))
    assert set(begun.values()) == {1}
    _nothing_left(fleet)


@pytest.mark.slow
def test_an_offered_call_times_out_and_is_cancelled(fleet: Farm) -> None:
    fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Stalled, (str(flag), 60))
    fleet.wait_for_ledger("stalls", 20)
    fleet.start()
    assert fleet.finished([run], seconds=40) == [60]
    fleet.wait_for("select count(*) = 0 from waymark.offers")
    _nothing_left(fleet)


@pytest.mark.slow
def test_offers_of_a_run_that_ends_are_withdrawn(fleet: Farm) -> None:
    fleet.start()
    fleet.start()
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.GivesUp, (str(flag), 60))
    assert fleet.finished([run], seconds=40) == ["as it should"]
    fleet.wait_for("select count(*) = 0 from waymark.offers")
    assert fleet.state(run) is InstanceState.COMPLETED
    # Every slot is free again, in both pools.
    (wide,) = fleet.queue(jobs.Wide, (80, 0.05))
    assert fleet.finished([wide], seconds=30) == [sum(range(1, 81))]
    flag.touch()


@pytest.mark.slow
def test_a_taker_that_was_stopped_for_long_writes_nothing(fleet: Farm) -> None:
    short = {"WAYMARK_LOCK_TTL_MS": "5000", "WAYMARK_LOCK_HEARTBEAT_MS": "1000"}
    fleet.start(**short)
    flag = fleet.folder / "open"
    (run,) = fleet.queue(jobs.Gated, (str(flag), 60))
    fleet.wait_for_ledger("gate", 20)
    second = fleet.start(**short)
    fleet.wait_for_ledger("gate", 40)
    family = [second.pid, *descendants(second.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    flag.touch()
    assert fleet.finished([run], seconds=60) == [sum(range(60))]
    for pid in family:
        os.kill(pid, signal.SIGCONT)
    second.wait_for_line("lease.lost")
    (again,) = fleet.queue(jobs.Wide, (100, 0.02))
    assert fleet.finished([again], seconds=30) == [sum(range(1, 101))]
    _nothing_left(fleet)


def _kill(pool: Child) -> None:
    """Kill -9 every process of a pool at once."""
    for pid in [pool.pid, *descendants(pool.pid)]:
        os.kill(pid, signal.SIGKILL)
