"""What a run left behind, changed in one place, in; the one finding that names it out."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import checks, ledger
from tests.chaos.__main__ import _turns
from tests.chaos.arena import Arena
from tests.chaos.checks import BROKEN, LOST, TWICE, Finding
from tests.chaos.evidence import Entry, Evidence, Instance
from tests.chaos.fault import Setting
from tests.chaos.faults import FAULTS
from tests.chaos.ledger import BEGUN, ENDED, Line
from tests.chaos.oracle import Ending, expected
from tests.chaos.table import BEHIND, Round, figures, markdown, rows
from tests.support.processes import Processes
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind

RUN = "0d3f4d1e-0000-4000-8000-000000000001"
CALLS = 3
"""Of ChaosChain(0)."""


def good() -> Evidence:
    """One chain that went as it should: each call begins at a full second and is committed half a second later."""
    entries = [
        Entry(RUN, n + 1, JournalKind.OUTCOME, n, OutcomeKind.VALUE, n + 0.5) for n in range(CALLS)
    ]
    lines = [
        Line(word, "add", RUN, n, 1, f"{RUN}:{n}", 7, n + later, f"digest{n}")
        for n in range(CALLS)
        for word, later in ((BEGUN, 0.0), (ENDED, 0.2))
    ]
    ending = expected("ChaosChain", 0).ending
    rows = {RUN: Instance(RUN, InstanceState.COMPLETED, None, ending)}
    return Evidence(entries, rows, lines, {RUN: ("ChaosChain", 0)}, {RUN: 0.0}, {RUN: ending}, {})


def judged(
    evidence: Evidence, tmp_path: Path, **stood_still: list[tuple[float, float]]
) -> list[Finding]:
    setting: Any = Setting(server=None, url="", pool_url="", client_url="", pools=[])  # type: ignore[arg-type] # none is asked
    arena = Arena(setting, tmp_path, Processes(), runtime=tmp_path)
    arena.stood_still = {int(pid[1:]): times for pid, times in stood_still.items()}
    return [
        *checks._of_runs(evidence),
        *checks._of_calls(arena, evidence),
        *checks._of_order(evidence),
    ]


def rebuilt(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, **changes, by_run={}, begun={})


def test_a_good_run_shows_nothing(tmp_path: Path) -> None:
    assert judged(good(), tmp_path) == []


def test_a_run_that_was_acknowledged_and_is_gone_is_lost(tmp_path: Path) -> None:
    (found,) = judged(rebuilt(good(), instances={}, entries=[], lines=[], answered={}), tmp_path)
    assert found.kind == LOST
    assert "not in the database" in found.text


@pytest.mark.parametrize(
    "row",
    [
        Instance(RUN, InstanceState.RUNNING, 3, None),
        Instance(RUN, InstanceState.COMPLETED, None, Ending("returned", "['list', 1]")),
        Instance(RUN, InstanceState.QUARANTINED, None, Ending("quarantined", "")),
    ],
)
def test_a_run_that_did_not_end_as_plain_python_does_is_lost(row: Instance, tmp_path: Path) -> None:
    (found,) = judged(rebuilt(good(), instances={RUN: row}), tmp_path)
    assert found.kind == LOST


def test_a_caller_that_was_told_otherwise_is_told_of(tmp_path: Path) -> None:
    told = {RUN: Ending("returned", "7")}
    (found,) = judged(rebuilt(good(), answered=told), tmp_path)
    assert "the caller of ChaosChain(0) was told" in found.text


def test_a_call_that_is_settled_twice_is_found(tmp_path: Path) -> None:
    seen = good()
    again = seen.entries[0]._replace(position=CALLS + 1)
    found = judged(rebuilt(seen, entries=[*seen.entries, again]), tmp_path)
    assert Finding(TWICE, "call 0 was settled 2 times", RUN) in found


def test_a_call_that_begins_after_its_commit_is_found_unless_its_process_stood_still(
    tmp_path: Path,
) -> None:
    seen = good()
    late = seen.lines[0]._replace(at=0.9, attempt=2)
    changed = rebuilt(seen, lines=[*seen.lines, late])
    (found,) = judged(changed, tmp_path)
    assert found == Finding(TWICE, "call 0 began again 0.400 s after its commit", RUN)
    assert judged(changed, tmp_path, p7=[(0.4, 0.8)]) == []
    assert judged(changed, tmp_path, p7=[(0.6, 0.8)]) != []
    assert judged(changed, tmp_path, p7=[(0.4, 0.5), (0.6, 0.8)]) == []
    much_later = rebuilt(seen, lines=[*seen.lines, late._replace(at=6.9)])
    assert judged(much_later, tmp_path, p7=[(0.4, 0.8)]) != []
    assert judged(much_later, tmp_path, p7=[(0.4, 0.8), (1.0, 4.0)]) == []


def test_an_attempt_that_begins_twice_is_found_unless_it_was_lost_or_its_run_claimed_again(
    tmp_path: Path,
) -> None:
    seen = good()
    changed = rebuilt(seen, lines=[*seen.lines, seen.lines[0]._replace(at=0.1)])
    (found,) = judged(changed, tmp_path)
    assert found.kind == BROKEN
    assert "attempt 1 of call 0 began 2 times" in found.text
    claimed = {RUN: seen.instances[RUN]._replace(epoch=2)}
    assert judged(rebuilt(changed, instances=claimed), tmp_path) == []
    loss = Entry(RUN, CALLS + 1, JournalKind.LOST, 0, OutcomeKind.LOST, 0.05, 1)
    assert judged(rebuilt(changed, entries=[*seen.entries, loss]), tmp_path) == []
    other = loss._replace(attempt=2)
    assert judged(rebuilt(changed, entries=[*seen.entries, other]), tmp_path) == [found]


def test_a_call_that_begins_before_what_led_to_it_is_committed_is_found(tmp_path: Path) -> None:
    seen = good()
    early = [line._replace(at=0.4) if line.call == 1 else line for line in seen.lines]
    (found,) = judged(rebuilt(seen, lines=early), tmp_path)
    assert found.kind == BROKEN
    assert "which led to it" in found.text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"key": "another"}, "several idempotency keys"),
        ({"arguments": "others"}, "different arguments"),
    ],
)
def test_attempts_of_one_call_are_alike(change: dict[str, Any], text: str, tmp_path: Path) -> None:
    seen = good()
    other = seen.lines[0]._replace(at=0.1, attempt=2, **change)
    (found,) = judged(rebuilt(seen, lines=[*seen.lines, other]), tmp_path)
    assert text in found.text


def test_a_result_that_no_attempt_returned_is_found(tmp_path: Path) -> None:
    seen = good()
    (found,) = judged(
        rebuilt(seen, lines=[line for line in seen.lines if line.word == BEGUN or line.call]),
        tmp_path,
    )
    assert found.text == "call 0 has a result and no attempt returned one"


def test_a_gap_in_the_journal_is_found(tmp_path: Path) -> None:
    seen = good()
    moved = [
        entry._replace(position=entry.position + (entry.position > 1)) for entry in seen.entries
    ]
    assert [each.text for each in judged(rebuilt(seen, entries=moved), tmp_path)] == [
        "its journal has the positions [1, 3, 4]"
    ]


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    lines = good().lines
    path = tmp_path / "ledger.txt"
    path.write_text("".join(" ".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    assert ledger.read(path) == lines


def test_the_table_counts_runs_not_findings() -> None:
    twice = [Finding(TWICE, "one", RUN), Finding(TWICE, "two", RUN), Finding(BROKEN, "three")]
    rounds = [Round(1, "s", ("F1",), workflows=1_000, findings=twice, worst_pause=1.25)]
    told = markdown(rounds, {"F1": "kills"})
    assert "| F1 kills | 1 | – | 1,000 | 0 | 0 | 1 | 1 | 1.2 s |" in told  # noqa: RUF001


def test_the_table_counts_strikes_that_can_be_counted() -> None:
    rounds = [
        Round(1, "s", ("F1",), strikes={"F1": 1_500}),
        Round(2, "s", ("F8",), strikes={"F8": None}),
        Round(3, "s", ("F1", "F8"), strikes={"F1": 2, "F8": None}),
    ]
    assert [row[2] for row in rows(rounds, {})] == ["1,500", "–", "2", "1,502"]  # noqa: RUF001


def test_figures_of_combined_rounds_stand_by_themselves() -> None:
    rounds = [
        Round(1, "s", ("F1",), figures={"kill": [1.0]}),
        Round(2, "s", ("F1", "F8"), figures={"kill": [9.0]}),
    ]
    assert [row[:3] for row in figures(rounds)] == [
        ("kill", "1", "1.00 s"),
        ("kill, in combined rounds", "1", "9.00 s"),
    ]


def test_rounds_behind_a_pooler_stand_by_themselves() -> None:
    rounds = [
        Round(1, "s", ("F1",), figures={"kill": [1.0]}, worst_pause=1.0),
        Round(2, "s", ("F1",), figures={"kill": [7.0]}, worst_pause=7.0, pooler=True),
        Round(3, "s", ("F1", "F8"), figures={"kill": [9.0]}, pooler=True),
    ]
    assert [(row[0], row[1], row[-1]) for row in rows(rounds, {})] == [
        ("F1", "1", "1.0 s"),
        (BEHIND, "2", "7.0 s"),
        ("all", "3", "7.0 s"),
    ]
    assert [row[:3] for row in figures(rounds)] == [
        ("kill", "1", "1.00 s"),
        (f"kill, {BEHIND}", "1", "7.00 s"),
        (f"kill, {BEHIND}, in combined rounds", "1", "9.00 s"),
    ]


def test_every_nth_round_runs_behind_a_pooler_and_those_go_through_all_faults() -> None:
    faults = list(FAULTS.values())
    turns = list(islice(_turns(faults, 7, together=False, pooler=4), 4 * len(faults)))
    assert [pooler for _, pooler in turns[:8]] == [False, False, False, True] * 2
    behind = [kinds for kinds, pooler in turns if pooler]
    assert behind == [[fault] for fault in faults]
    without = list(islice(_turns(faults, 7, together=False, pooler=0), 3 * len(faults)))
    assert [kinds for kinds, pooler in turns if not pooler] == [kinds for kinds, _ in without]
    assert not any(pooler for _, pooler in without)
