"""Rows of runs, a filter and the time in, the runs page out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from waymark_schema.kinds import InstanceState
from waymark_schema.reports.runs import RunLine, StateCount, WorkflowLine
from waymark_web.paging import BadParameter, Cursor, Page, address
from waymark_web.views.states import FILTERS, Badge, StateFilter, is_finished, state_badge
from waymark_web.views.words import Moment, ago, between, clean, duration, moment, number, shortened

COUNTED = 10_000
"""States with more runs than this are shown as "10,000+"."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What the runs page is narrowed to; None narrows nothing."""

    state: StateFilter | None = None
    workflow: str | None = None

    @property
    def states(self) -> tuple[InstanceState, ...] | None:
        """The stored states that pass."""
        return None if self.state is None else self.state.states

    def address(self, **others: str | None) -> str:
        """The runs page with this filter; `others` replace or add parameters."""
        named = {"state": self.state.name if self.state else None, "workflow": self.workflow}
        return address("/", named | others)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the table."""

    id: str
    url: str
    workflow: str
    version: str
    whole_version: str
    badge: Badge
    created: Moment | None
    age: str
    took: str
    hint: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter, and where it leads."""

    label: str
    url: str
    count: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class RunListView:
    """The whole page; addresses are None where there is nothing to go to."""

    rows: list[RunRow]
    states: list[Choice]
    workflows: list[str]
    workflow: str | None
    state: str | None
    url: str
    older: str | None
    newer: str | None
    filtered: bool
    ever: bool
    title: str = "Runs"


def read_filter(parameters: Mapping[str, str]) -> RunFilter:
    """Read the filter of a request.

    Raises BadParameter.
    """
    wanted = parameters.get("state")
    known = {one.name: one for one in FILTERS}
    if wanted and wanted not in known:
        msg = f"state is {wanted[:80]!r}; expected one of {', '.join(known)}"
        raise BadParameter(msg)
    return RunFilter(known[wanted] if wanted else None, _storable(parameters.get("workflow")))


def run_list(
    lines: Sequence[RunLine],
    page: Page,
    *,
    chosen: RunFilter,
    at: Cursor,
    counts: Sequence[StateCount],
    workflows: Sequence[WorkflowLine],
    now: datetime,
) -> RunListView:
    """Put the runs page together; `lines` are in its order."""
    counted = {count.state: count.runs for count in counts}
    here = {"before": _text(at.before), "after": _text(at.after)}
    return RunListView(
        rows=[_row(line, now) for line in lines],
        states=_choices(chosen, counted),
        workflows=[line.workflow for line in workflows],
        workflow=chosen.workflow,
        state=chosen.state.name if chosen.state else None,
        url=chosen.address(**here),
        older=chosen.address(before=str(lines[-1].id)) if lines and page.older else None,
        newer=chosen.address(after=str(lines[0].id)) if lines and page.newer else None,
        filtered=chosen != RunFilter(),
        ever=any(counted.values()),
    )


def _choices(chosen: RunFilter, counted: Mapping[int, int]) -> list[Choice]:
    every = Choice("all", chosen.address(state=None), chosen=chosen.state is None)
    return [every] + [
        Choice(
            one.name,
            chosen.address(state=one.name),
            number(sum(counted.get(state, 0) for state in one.states), most=COUNTED),
            chosen=one == chosen.state,
        )
        for one in FILTERS
    ]


def _row(line: RunLine, now: datetime) -> RunRow:
    return RunRow(
        id=str(line.id),
        url=f"/runs/{line.id}",
        workflow=clean(line.workflow or "(its program is gone)"),
        version=clean(shortened(line.version or "")),
        whole_version=clean(line.version or ""),
        badge=state_badge(line.state),
        created=moment(line.created_at),
        age=ago(line.created_at, now),
        took=duration(between(line.started_at, line.finished_at or now)),
        hint=_hint(line, now),
    )


def _hint(line: RunLine, now: datetime) -> str:
    if line.state == InstanceState.DELAYED and line.wake_at:
        return f"starts {ago(line.wake_at, now)}" if line.wake_at > now else "due"
    if line.state == InstanceState.WAITING and line.wake_at:
        return f"wakes {ago(line.wake_at, now)}" if line.wake_at > now else "due"
    if line.recoveries and not is_finished(line.state):
        return f"taken over, {line.recoveries} in a row"
    return ""


def _storable(name: str | None) -> str | None:
    """A workflow's name as a column of the database could hold it."""
    if not name:
        return None
    return name.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _text(identifier: object) -> str | None:
    return None if identifier is None else str(identifier)
