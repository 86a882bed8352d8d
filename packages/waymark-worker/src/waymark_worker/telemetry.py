"""Named events with fields in, lines for people or machines out; and the counters behind the metrics."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, fields
from typing import Any

import structlog

log: Any = structlog.get_logger("waymark")
"""``log.info("lease.fenced", lease=7)``: the event's name first, what it is about as fields."""


def configure(*, level: str, form: str) -> None:
    """Send events to stderr at ``level`` and above; ``form`` is ``text`` or ``json``."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


@dataclass(slots=True)
class Counters:
    """What a runloop did since it started; only ever counted up."""

    actions_completed: int = 0
    actions_failed: int = 0
    instances_completed: int = 0
    instances_failed: int = 0
    instances_claimed: int = 0
    commits: int = 0
    journal_rows: int = 0
    attempts_lost: int = 0

    def values(self) -> dict[str, int]:
        """Name and value of every counter."""
        return {item.name: getattr(self, item.name) for item in fields(self)}
