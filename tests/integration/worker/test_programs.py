"""Programs that a pool cannot or must not run in; queued and reported, or refused, and others unharmed, out."""

import signal

import msgspec
import pytest

from tests.integration.worker import jobs, other_jobs
from tests.integration.worker.conftest import Farm
from tests.support.processes import wait_until
from waymark_schema.ids import program_id
from waymark_schema.ir import digest as ir
from waymark_schema.ir.program import Block, Function, Program
from waymark_schema.kinds import InstanceState

pytestmark = pytest.mark.postgres

OFTEN = {"WAYMARK_RUNNER_PROFILE_INTERVAL_MS": "100"}
_DAMAGE = "update waymark.programs set program = overlay(program placing %s from 40) where workflow ilike %s"


@pytest.mark.slow
def test_pools_start_on_an_empty_database_together(bare_farm: Farm) -> None:
    first, second = bare_farm.launch(), bare_farm.launch()
    first.wait_for_line(r"pool\.ready")
    second.wait_for_line(r"pool\.ready")
    assert bare_farm.finished(bare_farm.queue(jobs.Chain, (3,))) == [3]


def test_programs_that_no_pool_knows_stay_queued_and_are_reported_once(farm: Farm) -> None:
    (newer,) = farm.queue(jobs.Chain, (3,))
    (foreign,) = farm.queue(jobs.Fan, (3,))
    farm.query("update waymark.programs set format = 99 where workflow ilike '%chain'")
    farm.query(
        "update waymark.programs set actions = '{elsewhere:ship,elsewhere:bill}'"
        " where workflow ilike '%fan'"
    )
    pool = farm.start(**OFTEN, WAYMARK_USER_MODULE="tests.integration.worker.other_jobs")
    one = pool.wait_for_line(r"runs\.waiting.*format 99").string
    other = pool.wait_for_line(r"runs\.waiting.*elsewhere:ship.* nor 1 more").string
    assert "chain" in one.lower()
    assert "fan" in other.lower()
    assert farm.finished(farm.queue(other_jobs.Doubled, (4,))) == [8]
    assert {farm.state(newer), farm.state(foreign)} == {InstanceState.QUEUED}
    assert pool.output.count("runs.waiting") == 2


@pytest.mark.slow
def test_a_hostile_program_is_refused_and_others_go_on(farm: Farm) -> None:
    victims = farm.queue(jobs.Slow, (1, 0.0))
    farm.query(_DAMAGE, b"\\xc1\\xff\\xff\\xff", "%slow")
    pool = farm.start()
    assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]
    wait_until(lambda: farm.state(victims[0]) is InstanceState.QUARANTINED)
    (error,) = farm.finished(victims)
    assert "its bytes do not match its digest" in str(error)
    assert pool.running


def _with_a_later_instruction(stored: bytes) -> bytes:
    tree = msgspec.msgpack.decode(stored)
    function = tree[Program.__struct_fields__.index("functions")][0]
    block = function[Function.__struct_fields__.index("blocks")][0]
    block[Block.__struct_fields__.index("terminator")][0] = "of_a_later_release"
    return msgspec.msgpack.encode(tree)


@pytest.mark.slow
def test_a_sound_program_with_words_of_a_later_release_waits_for_a_pool_that_knows_them(
    farm: Farm,
) -> None:
    """Its numbers do not tell it apart, as when a release adds words and forgets to raise them."""
    runs = farm.queue(jobs.Slow, (1, 0.0), (2, 0.0))
    ((stored,),) = farm.query("select program from waymark.programs")
    later = _with_a_later_instruction(stored)
    digest = ir.digest(later)
    farm.query(
        "update waymark.programs set program = %s, digest = %s, id = %s, version = 'later'",
        later,
        digest,
        program_id(digest),
    )
    farm.query("update waymark.instances set program = %s", program_id(digest))
    pool = farm.start(**OFTEN)
    said = pool.wait_for_line(r"runs\.waiting.*").string
    assert "this pool cannot read it" in said
    assert "install the waymark-worker of the release that registered it" in said
    assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]
    assert {farm.state(run) for run in runs} == {InstanceState.QUEUED}
    assert farm.query("select recoveries, owner from waymark.instances where state = 0") == [
        (0, None)
    ] * len(runs)
    assert pool.output.count("program.unlinkable") == 1


DAMAGE = {
    "outcome = '\\xc1'": "entry 1 of the journal cannot be read",
    "local = '\\xc1'": "entry 1 of the journal cannot be read",
    "kind = 6": "kind EVENT",
    "call = 7": "settles call 7, which the program has not started",
    "action = 1": "settles call 0 of action number 1",
    "position = 2": "one is missing",
}


@pytest.mark.slow
def test_a_damaged_journal_quarantines_its_run_alone(farm: Farm) -> None:
    pool = farm.start()
    flag = farm.folder / "go"
    *damaged, whole = farm.queue(jobs.Waiter, *[(str(flag),)] * (len(DAMAGE) + 1))
    farm.wait_for_ledger("waits", len(DAMAGE) + 1)
    pool.kill_tree()
    for run, change in zip(damaged, DAMAGE, strict=True):
        farm.query(f"update waymark.journal set {change} where instance = %s", run)
    farm.start()
    errors = farm.finished(damaged)
    assert {farm.state(run) for run in damaged} == {InstanceState.QUARANTINED}
    for error, reason in zip(errors, DAMAGE.values(), strict=True):
        assert reason in str(error)
    flag.touch()
    assert farm.finished([whole]) == [str(flag)]


@pytest.mark.slow
def test_a_damaged_snapshot_is_replaced_by_the_journal(farm: Farm) -> None:
    pool = farm.start(WAYMARK_EVICT_SLEEP_THRESHOLD_MS="200")
    (run,) = farm.queue(jobs.Sleeper, (1.0,))
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    pool.kill_tree()
    farm.query("update waymark.snapshots set state = substr(state, 1, 20)")
    farm.start()
    assert farm.finished([run]) == [3]
    assert len(farm.ledger("add")) == 2


@pytest.mark.slow
def test_the_same_version_with_other_code_is_refused_at_the_start(farm: Farm) -> None:
    farm.stop(farm.start(WAYMARK_USER_MODULE="tests.integration.worker.other_jobs"))
    farm.query("update waymark.programs set digest = sha256(digest), id = id + 1")
    pool = farm.launch(WAYMARK_USER_MODULE="tests.integration.worker.other_jobs")
    assert pool.wait() == 78
    assert "version 'one' is already registered with different code" in pool.output
    assert len(pool.lines) <= 15
    farm.processes.assert_none_left()


def test_a_pool_that_drains_names_no_program_any_more(farm: Farm) -> None:
    """No run is left to it any longer; calls that it has begun it runs to their end."""
    flag = farm.folder / "go"
    pool = farm.start(WAYMARK_RUNNER_PROFILE_INTERVAL_MS="200")
    (run,) = farm.queue(jobs.Waiter, (str(flag),))
    farm.wait_for_ledger("waits")
    farm.wait_for("select programs <> '{}' from waymark.pools")
    pool.send(signal.SIGTERM)
    farm.wait_for("select programs = '{}' from waymark.pools")
    ((seen,),) = farm.query("select seen_at from waymark.pools")
    farm.wait_for("select seen_at > %s from waymark.pools", seen)
    assert farm.query("select programs from waymark.pools") == [([],)]
    flag.touch()
    assert pool.wait(seconds=60) == 0
    farm.start()
    assert farm.finished([run]) == [str(flag)]
    assert len(farm.ledger("waits")) == 1
