"""What a test cares about of a row in; the whole row, filled up with the ordinary, out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from waymark_schema.ids import InstanceId, LeaseId, PoolId, ProgramId
from waymark_schema.inputs import pack_inputs
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.reports.run import EntryLine, FlyingLine, RunDetail
from waymark_schema.reports.runs import RunLine
from waymark_schema.reports.workers import PoolLine, SampleLine
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding

codec = Codec(RecordBinding())
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RUN = InstanceId(UUID("0192d0f1-5f6e-7a3c-9d53-2b1f3a1f0c55"))
POOL = PoolId(7)

_INPUTS = pack_inputs(codec.encode({"order": 17}), codec.encode({}))
_DETAIL = RunDetail(
    RUN, ProgramId(1), "OrderFlow", "1", InstanceState.RUNNING, 0, 0, 1,
    NOW - timedelta(minutes=2), None, NOW - timedelta(minutes=1), None, None,
    _INPUTS, len(_INPUTS), None, None, None, None,
    None, None, None, LeaseId(1), "here", 42, 0, None, 0,
)  # fmt: skip
_LINE = RunLine(
    RUN, "OrderFlow", "1", InstanceState.RUNNING, 0, 0,
    NOW - timedelta(minutes=2), NOW - timedelta(minutes=1), None, None,
)  # fmt: skip
_ENTRY = EntryLine(
    1, JournalKind.OUTCOME, 1, 1, "shop.orders:charge", b"", None, b"", None, OutcomeKind.VALUE, None,
    NOW - timedelta(seconds=3), NOW - timedelta(seconds=2), NOW - timedelta(seconds=1), 3, 12,
)  # fmt: skip
_FLYING = FlyingLine(2, 1, "shop.orders:ship", b"", None, NOW, NOW, 4, "here", timedelta(seconds=5))
_POOL = PoolLine(
    POOL, "here", 42, "0.1.0", "3.12.1", NOW - timedelta(hours=1), NOW, None, ["shop:act"], 1, "[]", 1, True, 3,
)  # fmt: skip
_SAMPLE = SampleLine(POOL, NOW, 0, 0, 0, 1_000, 2, 3, 4, 5, None)


def wire(value: Any) -> bytes:
    return codec.encode(value)


def wire_error(error: BaseException) -> bytes:
    return codec.encode_exception(error)


def detail(**columns: Any) -> RunDetail:
    return replace(_DETAIL, **_sized(columns))


def run_line(**columns: Any) -> RunLine:
    return replace(_LINE, **columns)


def entry(**columns: Any) -> EntryLine:
    return replace(_ENTRY, **_sized({"inputs": wire({}), "outcome": wire(None)} | columns))


def flying(**columns: Any) -> FlyingLine:
    return replace(_FLYING, **_sized({"inputs": wire({})} | columns))


def pool(**columns: Any) -> PoolLine:
    return replace(_POOL, **columns)


def sample(**columns: Any) -> SampleLine:
    return replace(_SAMPLE, **columns)


def _sized(columns: dict[str, Any]) -> dict[str, Any]:
    """The size that the database would tell beside each value."""
    sizes = {
        f"{name}_size": None if value is None else len(value)
        for name, value in columns.items()
        if name in {"inputs", "outcome", "result", "error"}
    }
    return sizes | columns
