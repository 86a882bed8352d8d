"""Batches and answers in; statements with columns, and judgements, out."""

from uuid import UUID

import pytest

from waymark_schema.errors import HistoryLost
from waymark_schema.ids import LeaseId
from waymark_schema.kinds import InstanceState
from waymark_schema.tables import settle
from waymark_schema.tables.settle import (
    FinalRow,
    InFlightRow,
    JournalRow,
    LastCommit,
    SettleAnswer,
    SettleBatch,
    SettleResult,
)

ONE = UUID(int=1)
TWO = UUID(int=2)
BATCH = SettleBatch(
    LeaseId(7), 5, 12, journal=[JournalRow(ONE, 1, 1), JournalRow(TWO, 3, 1, call=4)]
)


def test_rows_become_columns_in_their_order() -> None:
    query = settle.settle(BATCH)
    values = dict(zip([name for name, _ in query.statement.parameters], query.values, strict=True))
    assert values["lease"] == 7
    assert values["seq"] == 5
    assert values["j_instance"] == (ONE, TWO)
    assert values["j_position"] == (1, 3)
    assert values["j_call"] == (None, 4)
    assert values["i_id"] == ()


@pytest.mark.parametrize(
    "batch",
    [
        SettleBatch(LeaseId(1), 1, 12, snapshots=[settle.SnapshotRow(ONE, 1, b"")]),
        SettleBatch(LeaseId(1), 1, 12, forget_snapshots=[ONE]),
        SettleBatch(LeaseId(1), 1, 12, consumed=[(ONE, 1)]),
        SettleBatch(LeaseId(1), 1, 12, landed=[(ONE, 1)]),
    ],
)
def test_only_a_batch_of_entries_and_last_words_is_narrow(batch: SettleBatch) -> None:
    assert settle.settle(batch).statement is settle.SETTLE
    assert settle.settle(BATCH).statement is settle.SETTLE_NARROW


def test_each_kind_of_row_has_as_many_columns_as_its_statement_takes() -> None:
    names = [name for name, _ in settle.SETTLE.parameters]
    for prefix, row in (
        ("j_", JournalRow),
        ("i_", FinalRow),
        ("s_", settle.SnapshotRow),
        ("f_", InFlightRow),
    ):
        assert {name for name in names if name.startswith(prefix)} == {
            prefix + field for field in row._fields
        }


def test_the_answer_says_what_became_of_the_batch() -> None:
    assert settle.judge(BATCH, SettleAnswer(True, True, None), None) is SettleResult.COMMITTED
    assert settle.judge(BATCH, SettleAnswer(False, False, None), None) is SettleResult.FENCED
    again = settle.judge(BATCH, SettleAnswer(True, False, None), LastCommit(5))
    assert again is SettleResult.COMMITTED_BEFORE


@pytest.mark.parametrize("found", [0, 3])
def test_a_missing_predecessor_is_lost_history(found: int) -> None:
    with pytest.raises(HistoryLost) as caught:
        settle.judge(BATCH, SettleAnswer(True, False, None), LastCommit(found))
    assert (caught.value.lease, caught.value.confirmed, caught.value.found) == (7, 4, found)


def test_no_judgement_without_looking_at_the_markers() -> None:
    with pytest.raises(ValueError, match="read last_commit"):
        settle.judge(BATCH, SettleAnswer(True, False, None), None)


def test_a_finished_state_is_one_that_nothing_moves_on() -> None:
    assert [state.name for state in InstanceState if state.finished] == [
        "COMPLETED",
        "FAILED",
        "CANCELLED",
        "QUARANTINED",
    ]
