"""Rows as an earlier release left them go in; a pool of today finishes their runs, and leaves later ones queued."""

from uuid import UUID

import pytest

from tests.integration.worker.conftest import Farm
from tests.support.history import RecordedRun, recorded_runs
from waymark.coercion import codec
from waymark_schema.ids import new_instance_id, program_id
from waymark_schema.inputs import pack_inputs
from waymark_schema.ir.digest import decode
from waymark_schema.ir.program import FORMAT
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_worker.vm.effects import Complete, StartCall
from waymark_worker.vm.entries import CallReturned

pytestmark = pytest.mark.postgres

_PROGRAM = (
    "insert into waymark.programs (id, format, semantics, workflow, version, digest, actions, program, source)"
    " values (%s, 1, 1, %s, %s, %s, %s, %s, '') on conflict do nothing"
)
_INSTANCE = (
    "insert into waymark.instances (id, program, epoch, state, ready_at, started_at, inputs)"
    " values (%s, %s, %s, 0, now(), case when %s then now() end, %s)"
)
_ENTRY = (
    "insert into waymark.journal"
    " (instance, position, kind, call, attempt, action, outcome_kind, python_minor, inputs, outcome,"
    " queued_at, started_at, finished_at)"
    " values (%s, %s, %s, %s, 1, %s, %s, %s, %s, %s, now(), now(), now())"
)


def _calls_only(run: RecordedRun) -> bool:
    """Its journal is nothing but calls that returned, two at least, and it completed."""
    return (
        len(run.entries) > 2
        and all(isinstance(entry, CallReturned) for entry in run.entries[1:])
        and isinstance(run.effects[-1][-1], Complete)
        and all(key.startswith("tests.language.steps:") for key in _keys(run))
    )


def _keys(run: RecordedRun) -> list[str]:
    return [entry.key for entry in decode(run.program).actions]


def _insert(farm: Farm, run: RecordedRun, *, entries: int) -> UUID:
    """Store a run as it stood when so many of its calls had returned."""
    id_ = new_instance_id()
    keys = _keys(run)
    program = decode(run.program)
    farm.query(
        _PROGRAM,
        program_id(run.digest),
        program.workflow,
        run.digest.hex(),
        run.digest,
        keys,
        run.program,
    )
    inputs = pack_inputs(run.inputs, run.attributes)
    begun = entries > 0
    farm.query(_INSTANCE, id_, program_id(run.digest), int(begun), begun, inputs)
    asked = {
        effect.call: effect
        for effects in run.effects
        for effect in effects
        if isinstance(effect, StartCall)
    }
    for position, entry in enumerate(run.entries[1 : entries + 1], start=1):
        assert isinstance(entry, CallReturned)
        start = asked[entry.call]
        farm.query(
            _ENTRY,
            id_,
            position,
            int(JournalKind.OUTCOME),
            entry.call,
            keys.index(start.action),
            int(OutcomeKind.VALUE),
            run.minor,
            start.arguments,
            entry.value,
        )
    return id_


@pytest.mark.slow
def test_runs_of_the_first_format_are_finished_by_the_pool_of_today(farm: Farm) -> None:
    runs = [run for run in recorded_runs(1) if _calls_only(run)]
    assert len(runs) >= 8
    stored = {}
    for run in runs:
        for entries in (0, len(run.entries) // 2):
            stored[_insert(farm, run, entries=entries)] = run
    farm.start(WAYMARK_USER_MODULE="tests.language.steps")
    results = farm.finished(list(stored))
    for result, run in zip(results, stored.values(), strict=True):
        last = run.effects[-1][-1]
        assert isinstance(last, Complete)
        assert repr(result) == repr(codec().decode(last.result)), run.case
    (half,) = {len(run.entries) // 2 for run in runs[:1]}
    first = list(stored)[1]
    assert farm.query(
        "select count(*) from waymark.journal where instance = %s and python_minor = %s"
        " and started_at = queued_at",
        first,
        runs[0].minor,
    ) == [(half,)], "what was committed ran again"


@pytest.mark.slow
def test_a_later_format_stays_queued_with_a_reason_and_others_run(farm: Farm) -> None:
    runs = [run for run in recorded_runs(1) if _calls_only(run)]
    later, now = (_insert(farm, run, entries=0) for run in runs[:2])
    farm.query(
        "update waymark.programs set format = %s where id = %s",
        FORMAT + 1,
        program_id(runs[0].digest),
    )
    pool = farm.start(
        WAYMARK_USER_MODULE="tests.language.steps", WAYMARK_RUNNER_PROFILE_INTERVAL_MS="100"
    )
    said = pool.wait_for_line(rf"runs\.waiting.*format {FORMAT + 1}").string
    assert f"this pool knows {FORMAT} and" in said
    assert "install a newer waymark-worker" in said
    farm.finished([now])
    assert farm.state(later) is InstanceState.QUEUED
    assert farm.query("select program_format, program_semantics from waymark.pools")[-1] == (
        FORMAT,
        FORMAT,
    )
