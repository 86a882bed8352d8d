"""What earlier releases stored runs on: programs link, snapshots restore, journals replay to the same end."""

import msgspec
import pytest

from tests.language.cases import found_by_fuzzing
from tests.language.discovery import Case
from tests.support.acting import act
from tests.support.history import CHOSEN, RecordedRun, chosen_cases, recorded_runs
from tests.support.replaying import PLAIN, run_in_machine
from waymark.coercion import codec
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.digest import canonical, decode, digest
from waymark_schema.ir.program import FORMAT, SEMANTICS
from waymark_schema.ir.wellformed import ProgramTooNew, load
from waymark_worker.vm.effects import Cancelled, Complete, Fail, StartCall
from waymark_worker.vm.entries import CallRaised, Entry
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.snapshot import SnapshotUnreadable

EARLIER = list(range(1, FORMAT))
RUNS = [
    pytest.param(run, id=f"{number}-{run.case}")
    for number in EARLIER
    for run in recorded_runs(number)
]


def test_every_earlier_format_has_its_history() -> None:
    assert EARLIER
    for number in EARLIER:
        runs = recorded_runs(number)
        assert len(runs) >= 40
        assert sum(len(run.snapshots) for run in runs) >= 80
        assert sum(len(run.entries) for run in runs) >= 200


@pytest.mark.parametrize("run", RUNS)
def test_a_recorded_program_is_read_as_it_was_written(run: RecordedRun) -> None:
    assert digest(run.program) == run.digest
    program = load(run.program)
    assert program.format < FORMAT
    # Fields that later releases added are written with their defaults; nothing else may move.
    assert decode(canonical(program)) == program
    link(run.program, run.digest)


@pytest.mark.parametrize("run", RUNS)
def test_a_recorded_journal_replays_to_the_same_effects(run: RecordedRun) -> None:
    linked = link(run.program, run.digest)
    machine = Machine.start(linked, inputs=run.inputs, attributes=run.attributes)
    for entry, effects in zip(run.entries, run.effects, strict=True):
        assert machine.advance(entry, FreshLocals(), replay=True) == effects
    assert machine.finished
    assert isinstance(run.effects[-1][-1], Complete | Fail | Cancelled)


@pytest.mark.parametrize("run", RUNS)
def test_each_recorded_snapshot_goes_on_to_the_same_end(run: RecordedRun) -> None:
    linked = link(run.program, run.digest)
    for at, snapshot in run.snapshots.items():
        machine = Machine.restore(linked, snapshot)
        for entry, effects in zip(run.entries[at:], run.effects[at:], strict=True):
            assert machine.advance(entry, FreshLocals()) == effects, at
            if machine.idle and not machine.finished:
                # What this release writes of an earlier state can be read by it, too.
                machine = Machine.restore(linked, machine.snapshot())
        assert machine.finished


@pytest.mark.parametrize("case", chosen_cases(), ids=CHOSEN)
def test_the_same_workflow_compiled_today_does_what_was_recorded(case: Case) -> None:
    run = next(run for run in recorded_runs(EARLIER[-1]) if run.case == case.name)
    shown = run_in_machine(case.workflow, case.keywords, mode=PLAIN)
    last = run.effects[-1][-1]
    endings = {Complete: "returned", Fail: "raised", Cancelled: "cancelled"}
    assert shown.ending == endings[type(last)]


def _context_of_an_action(program: bytes, number: int) -> str:
    """What a program shows of the context of an action's error, if it had been compiled under this semantics."""
    tree = msgspec.msgpack.decode(program)
    tree[1] = number
    edited = msgspec.msgpack.encode(tree)
    linked = link(edited, digest(edited))
    nothing = codec().encode({})
    machine = Machine.start(linked, inputs=nothing, attributes=nothing)
    entry: Entry | None = None
    while True:
        effects = machine.advance(entry, FreshLocals())
        match effects[-1]:
            case Complete(result=result):
                return str(codec().decode(result))
            case StartCall(call=call, action=key, arguments=arguments, policy=policy):
                entry = CallRaised(call, act(key, arguments, policy).wire)
            case other:
                raise AssertionError(other)


def test_what_semantics_two_changed_stays_as_it_was_under_one() -> None:
    program = compile_workflow(found_by_fuzzing.ContextOfAnActionInAHelper).program_bytes
    assert _context_of_an_action(program, 1) == "None"
    assert _context_of_an_action(program, 2) == "KeyError(5)"


def test_a_program_of_a_later_format_is_refused_with_what_to_do() -> None:
    tree = msgspec.msgpack.decode(recorded_runs(1)[0].program)
    for place, what, known in ((0, "format", FORMAT), (1, "semantics", SEMANTICS)):
        later = list(tree)
        later[place] = known + 1
        with pytest.raises(ProgramTooNew) as refused:
            load(msgspec.msgpack.encode(later))
        assert str(refused.value) == (
            f"the program has {what} {known + 1}, this version of Waymark knows {known}; "
            "upgrade this process"
        )


def test_a_snapshot_of_another_layout_is_not_read() -> None:
    run = next(run for run in recorded_runs(1) if run.snapshots)
    linked = link(run.program, run.digest)
    tree = msgspec.msgpack.decode(next(iter(run.snapshots.values())))
    tree[1] = 99
    with pytest.raises(SnapshotUnreadable, match="layout 99"):
        Machine.restore(linked, msgspec.msgpack.encode(tree))


def test_a_snapshot_says_the_numbers_of_its_program() -> None:
    run = next(run for run in recorded_runs(1) if run.snapshots)
    linked = link(run.program, run.digest)
    snapshot = next(iter(run.snapshots.values()))
    again = msgspec.msgpack.decode(Machine.restore(linked, snapshot).snapshot())
    assert again[2:4] == [linked.program.format, linked.program.semantics] == [1, 1]
