"""Rows in; views out."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.unit.web.rows import (
    NOW,
    POOL,
    RUN,
    detail,
    entry,
    flying,
    pool,
    run_line,
    sample,
    wire,
    wire_error,
)
from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.recorded import EntryLocals, encode_locals
from waymark_schema.reports.runs import RunLine, StateCount, WorkflowLine
from waymark_schema.reports.workers import KnownLine, UnservedLine
from waymark_web.paging import BadParameter, Cursor, Page
from waymark_web.views.run_list import RunListView, read_filter, run_list
from waymark_web.views.run_page import RunView, run_page
from waymark_web.views.states import FILTERS, state_badge
from waymark_web.views.worker_list import actions_per_second, workers_page

LONE = Page(older=False, newer=False)


def _list(lines: list[RunLine], page: Page = LONE, **query: str) -> RunListView:
    return run_list(
        lines,
        page,
        chosen=read_filter(query),
        at=Cursor(),
        counts=[StateCount(0, 3), StateCount(1, 2), StateCount(4, 10_001)],
        workflows=[WorkflowLine("OrderFlow", 1)],
        now=NOW,
    )


def _run(**columns: object) -> RunView:
    return run_page(detail(**columns), [], [], before=None, now=NOW)


def test_every_stored_state_is_in_exactly_one_filter() -> None:
    filtered = [state for one in FILTERS for state in one.states]
    assert sorted(filtered) == list(InstanceState)


def test_people_see_a_delayed_run_as_queued_and_when_it_starts() -> None:
    (row,) = _list(
        [run_line(state=InstanceState.DELAYED, started_at=None, wake_at=NOW + timedelta(hours=1))]
    ).rows
    assert (row.badge.label, row.hint, row.took) == ("queued", "starts in 1 h 0 min", "")


def test_a_state_of_newer_code_is_shown_as_it_is() -> None:
    assert state_badge(12).label == "state 12"


def test_an_unfinished_run_has_lasted_until_now_and_a_finished_one_until_its_end() -> None:
    running = run_line()
    done = run_line(state=InstanceState.COMPLETED, finished_at=NOW - timedelta(seconds=30))
    never = run_line(state=InstanceState.CANCELLED, started_at=None, finished_at=NOW)
    assert [row.took for row in _list([running, done, never]).rows] == ["1 min 0 s", "30.0 s", ""]


def test_the_counts_of_a_filter_are_those_of_its_states_and_end_somewhere() -> None:
    counts = {choice.label: choice.count for choice in _list([]).states}
    assert counts["queued"] == "5"
    assert counts["completed"] == "10,000+"
    assert counts["failed"] == "0"


def test_links_keep_the_filter_and_drop_the_cursor() -> None:
    view = _list([run_line()], Page(older=True, newer=True), state="failed", workflow="a&b")
    assert view.older == f"/?state=failed&workflow=a%26b&before={RUN}"
    assert view.newer == f"/?state=failed&workflow=a%26b&after={RUN}"
    assert view.states[0].url == "/?workflow=a%26b"
    assert [choice.label for choice in view.states if choice.chosen] == ["failed"]


def test_a_page_without_rows_leads_nowhere() -> None:
    view = _list([], Page(older=True, newer=True))
    assert (view.older, view.newer) == (None, None)


def test_an_unknown_state_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadParameter, match="'stuck'; expected one of queued, running"):
        read_filter({"state": "stuck"})


def test_a_run_whose_program_is_gone_is_still_listed() -> None:
    (row,) = _list([run_line(workflow=None, version=None)]).rows
    assert row.workflow == "(its program is gone)"


@pytest.mark.parametrize("state", list(InstanceState))
def test_a_page_refreshes_itself_exactly_while_its_run_is_unfinished(state: InstanceState) -> None:
    assert _run(state=state).live is (state < InstanceState.COMPLETED)


def test_a_waiting_run_says_until_when() -> None:
    told = _run(state=InstanceState.WAITING, wake_at=NOW + timedelta(minutes=5)).waits_for
    assert told == "Waiting: it goes on in 5 min 0 s (2026-03-01 12:05:00 UTC)."
    assert "an event" in _run(state=InstanceState.WAITING).waits_for


def test_facts_that_are_not_known_are_left_out() -> None:
    names = {
        fact.name for fact in _run(state=InstanceState.QUEUED, started_at=None, host=None).facts
    }
    assert names == {"Version", "Created", "Entries"} - {"Entries"}
    assert {"Taken over", "Parent", "Idempotency key"} <= {
        fact.name
        for fact in _run(recoveries=2, parent=InstanceId(UUID(int=1)), idempotency_key="k").facts
    }


def test_a_failed_attempt_that_is_tried_again_says_when() -> None:
    error = wire_error(ValueError("card refused"))
    row = entry(
        kind=JournalKind.RETRY,
        attempt=2,
        outcome=error,
        outcome_kind=OutcomeKind.ERROR,
        local=encode_locals(EntryLocals(retry_at=(NOW + timedelta(seconds=9)).timestamp())),
    )
    (view,) = run_page(detail(), [row], [], before=None, now=NOW).entries
    assert (view.title, view.module, view.which) == ("charge", "shop.orders", "call 1, attempt 2")
    assert view.badge is not None
    assert view.badge.label == "raised, retried"
    assert view.notes == ("next attempt 2026-03-01 12:00:09 (in 9 s)",)
    assert view.headline == "ValueError: card refused"
    assert view.outcome is None


def test_a_lost_attempt_is_not_the_users_failure() -> None:
    row = entry(
        kind=JournalKind.LOST, outcome=wire_error(OSError("gone")), outcome_kind=OutcomeKind.LOST
    )
    (view,) = run_page(detail(), [row], [], before=None, now=NOW).entries
    assert view.badge is not None
    assert (view.badge.label, view.badge.tone) == ("lost", "warn")


def test_times_of_an_attempt_are_told_apart() -> None:
    (view,) = run_page(detail(), [entry()], [], before=None, now=NOW).entries
    assert (view.waited, view.took, view.worker) == ("1.0 s", "1.0 s", "worker 3")


def test_what_the_workflow_printed_is_shown_beside_its_entry() -> None:
    local = encode_locals(EntryLocals(log=[("info", "hello\x00"), ("warning", "<b>")]))
    row = entry(kind=JournalKind.START, inputs=None, outcome=None, outcome_kind=None, local=local)
    (view,) = run_page(detail(), [row], [], before=None, now=NOW).entries
    assert view.title == "Started"
    assert [(line.level, line.text) for line in view.log] == [
        ("info", "hello\\x00"),
        ("warning", "<b>"),
    ]


def test_a_queued_run_that_no_pool_can_take_says_why() -> None:
    queued = detail(state=InstanceState.QUEUED, finished_at=None, result=None, result_size=None)
    line = UnservedLine(queued.program, "ship", "1", 1, 1, 1, ["shop:act"])
    other = UnservedLine(ProgramId(queued.program + 1), "ship", "2", 1, 1, 1, ["shop:other"])
    told = run_page(queued, [], [], before=None, now=NOW, unserved=[other, line]).waits_for
    assert told == (
        "Queued: no living pool knows shop:act. Start one whose WAYMARK_USER_MODULE has it."
    )
    assert "next pool" in run_page(queued, [], [], before=None, now=NOW, unserved=[other]).waits_for
    running = detail(state=InstanceState.RUNNING, finished_at=None)
    assert (
        "Queued" not in run_page(running, [], [], before=None, now=NOW, unserved=[line]).waits_for
    )


def test_what_an_attempt_printed_and_logged_is_shown_with_its_times() -> None:
    written = [
        ["stdout", "one\x00", 1e9 + 0.25],
        ["error", "<b>two</b>", 1e9 + 1],
        ["info", "x", 1e99],
    ]
    local = encode_locals(EntryLocals(output=wire(written)))
    (view,) = run_page(detail(), [entry(local=local)], [], before=None, now=NOW).entries
    assert view.lines == "3 lines"
    assert [(line.at, line.level, line.text) for line in view.output] == [
        ("01:46:40.250", "stdout", "one\\x00"),
        ("01:46:41.000", "error", "<b>two</b>"),
        ("", "info", "x"),
    ]


def test_of_a_long_output_the_end_is_shown() -> None:
    written = [["stdout", f"line {number}", 0.0] for number in range(501)]
    local = encode_locals(EntryLocals(output=wire(written)))
    (view,) = run_page(detail(), [entry(local=local)], [], before=None, now=NOW).entries
    assert view.lines == "501 lines"
    assert view.output[0].text == "… 301 lines before these"
    assert [line.text for line in view.output[1:]] == [f"line {n}" for n in range(301, 501)]


def test_an_output_that_cannot_be_read_is_told() -> None:
    local = encode_locals(EntryLocals(output=b"\xc1"))
    (view,) = run_page(detail(), [entry(local=local)], [], before=None, now=NOW).entries
    assert [line.text for line in view.output] == ["What the attempt printed cannot be read."]


def test_damaged_or_newer_entries_are_still_listed() -> None:
    rows = [entry(position=1, local=b"\xc1"), entry(position=2, kind=12, outcome_kind=9, action="")]
    first, second = run_page(detail(), rows, [], before=None, now=NOW).entries
    assert first.notes == ("What was recorded beside this entry cannot be read.",)
    assert second.title == "Entry of kind 12"
    assert second.badge is not None
    assert second.badge.label == "outcome 9"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e300, -1e300])
def test_a_moment_that_is_none_is_shown_as_its_number(seconds: float) -> None:
    row = entry(local=encode_locals(EntryLocals(retry_at=seconds)))
    (view,) = run_page(detail(), [row], [], before=None, now=NOW).entries
    assert view.notes[0].startswith("next attempt ")


def test_a_long_history_leads_to_its_earlier_entries_and_back() -> None:
    rows = [entry(position=n) for n in range(901, 1001)]
    view = run_page(detail(position=1000), rows, [], before=None, now=NOW)
    assert view.earlier == f"/runs/{RUN}?before=901"
    assert view.latest is None
    view = run_page(detail(position=1000), rows[:1], [], before=902, now=NOW)
    assert view.latest == f"/runs/{RUN}"
    assert view.url == f"/runs/{RUN}?before=902"
    assert run_page(detail(), [entry(position=1)], [], before=None, now=NOW).earlier is None


def test_a_call_in_flight_says_how_long_and_where() -> None:
    (view,) = run_page(detail(), [], [flying(inputs=wire({"to": 1}))], before=None, now=NOW).flying
    assert (view.title, view.running_for, view.worker) == ("ship", "5.0 s", "worker 4, on here")


def test_the_rate_is_what_was_settled_between_samples_even_over_a_restart() -> None:
    points = [
        sample(sampled_at=NOW, actions_completed=100, actions_failed=0),
        sample(sampled_at=NOW + timedelta(seconds=5), actions_completed=145, actions_failed=5),
        sample(sampled_at=NOW + timedelta(seconds=10), actions_completed=0, actions_failed=0),
        sample(sampled_at=NOW + timedelta(seconds=20), actions_completed=50, actions_failed=0),
    ]
    assert actions_per_second(points) == pytest.approx(5.0)
    assert actions_per_second(points[:1]) is None
    assert actions_per_second([points[0], points[0]]) is None


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({}, "alive"),
        ({"alive": False}, "gone"),
        ({"alive": False, "stopped_at": NOW}, "stopped"),
        ({"seen_at": NOW - timedelta(minutes=5)}, "alive, reports late"),
    ],
)
def test_a_pool_is_alive_late_gone_or_stopped(columns: dict[str, object], label: str) -> None:
    view = workers_page([pool(**columns)], [], [], [], now=NOW)
    assert view.pools[0].badge.label == label


def test_living_pools_come_first_and_show_what_they_know() -> None:
    dead = pool(id=9, alive=False)
    known = [KnownLine(POOL, "OrderFlow", "1")]
    view = workers_page([dead, pool()], [sample()], known, [], now=NOW)
    assert [one.id for one in view.pools] == [POOL, 9]
    assert view.pools[0].workflows == ["OrderFlow 1"]
    assert view.pools[0].actions == ["shop:act"]
    assert {"runs held": "3", "memory": "1.0 kB", "calls in flight": "3"}.items() <= {
        figure.name: figure.text for figure in view.pools[0].figures
    }.items()
    assert view.pools[1].workflows == []


@pytest.mark.parametrize("ended", [{}, {"stopped_at": NOW}])
def test_a_pool_that_lives_no_more_shows_nothing_as_if_it_did(ended: dict[str, object]) -> None:
    workers = '[{"number": 1, "pid": 11, "state": "ready", "calls": 2}]'
    line = pool(alive=False, workers_json=workers, held=3, **ended)
    points = [sample(sampled_at=NOW - timedelta(minutes=1)), sample(actions_completed=60)]
    (view,) = workers_page([line], points, [], [], now=NOW).pools
    assert view.workers == []
    assert [(figure.name, figure.text) for figure in view.figures] == [
        ("runs to be taken over", "3")
    ]
    (view,) = workers_page([pool(alive=False, held=0, **ended)], points, [], [], now=NOW).pools
    assert view.figures == []


def test_workers_that_cannot_be_read_cost_a_sentence_and_not_the_page() -> None:
    view = workers_page([pool(workers_json='{"no": "list"}')], [], [], [], now=NOW)
    assert "upgrade waymark-web" in view.pools[0].problem


def test_runs_that_nobody_serves_name_the_missing_actions() -> None:
    lines = [
        UnservedLine(ProgramId(1), "OrderFlow", "1", 1_001, 1, 1, ["shop:ship"]),
        UnservedLine(ProgramId(2), "Other", "1", 1, 9, 9, []),
    ]
    first, second = workers_page([], [], [], lines, now=NOW).unserved
    assert first.queued == "1,000+"
    assert "shop:ship" in first.advice
    assert "Upgrade the pools" in second.advice
