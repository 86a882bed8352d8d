"""A workflow and a cadence in, a schedule that starts it out (not built yet: every function says so)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from waymark.unfinished import unfinished

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from waymark.workflows import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleInfo:
    """One schedule, as ``list_schedules`` returns it."""

    id: str
    workflow_name: str
    schedule_name: str
    schedule: str | timedelta
    """Cron text, or the interval."""
    timezone: str
    jitter: timedelta | None
    inputs: Mapping[str, Any] | None
    priority: int
    allow_duplicate: bool
    status: str
    """``active`` or ``paused``."""
    next_run_at: datetime | None
    last_run_at: datetime | None
    last_instance_id: str | None
    created_at: datetime
    updated_at: datetime


async def schedule_workflow(
    workflow: type[Workflow],
    *,
    schedule_name: str,
    schedule: str | timedelta,
    jitter: timedelta | None = None,
    inputs: Mapping[str, Any] | None = None,
    priority: int | None = None,
    allow_duplicate: bool = False,
    timezone: str = "UTC",
) -> str:
    """Start a workflow by cron text or interval; returns the schedule's id (not available yet)."""
    raise unfinished("schedule_workflow")


async def pause_schedule(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Stop a schedule from firing; whether there was one (not available yet)."""
    raise unfinished("pause_schedule")


async def resume_schedule(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Let a paused schedule fire again; whether there was one (not available yet)."""
    raise unfinished("resume_schedule")


async def delete_schedule(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Remove a schedule; whether there was one (not available yet)."""
    raise unfinished("delete_schedule")


async def trigger_schedule(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Fire a schedule now; whether there was one (not available yet)."""
    raise unfinished("trigger_schedule")


async def list_schedules(status_filter: str | None = None) -> list[ScheduleInfo]:
    """Return all schedules (not available yet)."""
    raise unfinished("list_schedules")


def schedule_workflow_sync(
    workflow: type[Workflow],
    *,
    schedule_name: str,
    schedule: str | timedelta,
    jitter: timedelta | None = None,
    inputs: Mapping[str, Any] | None = None,
    priority: int | None = None,
    allow_duplicate: bool = False,
    timezone: str = "UTC",
) -> str:
    """Do as ``schedule_workflow`` does, for synchronous programs (not available yet)."""
    raise unfinished("schedule_workflow_sync")


def pause_schedule_sync(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Do as ``pause_schedule`` does, for synchronous programs (not available yet)."""
    raise unfinished("pause_schedule_sync")


def resume_schedule_sync(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Do as ``resume_schedule`` does, for synchronous programs (not available yet)."""
    raise unfinished("resume_schedule_sync")


def delete_schedule_sync(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Do as ``delete_schedule`` does, for synchronous programs (not available yet)."""
    raise unfinished("delete_schedule_sync")


def trigger_schedule_sync(workflow: type[Workflow], *, schedule_name: str) -> bool:
    """Do as ``trigger_schedule`` does, for synchronous programs (not available yet)."""
    raise unfinished("trigger_schedule_sync")


def list_schedules_sync(status_filter: str | None = None) -> list[ScheduleInfo]:
    """Do as ``list_schedules`` does, for synchronous programs (not available yet)."""
    raise unfinished("list_schedules_sync")
