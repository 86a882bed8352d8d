"""Named events with fields in, lines for people or machines out; and the counters behind the metrics."""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, fields
from typing import Any, TextIO, cast

import structlog

from waymark_worker.outlet import Outlet

_NAME = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_STDERR = 2
_outlets: list[Outlet] = []
log: Any = structlog.get_logger("waymark")
"""``log.info("lease.fenced", lease=7)``: the event's name first, what it is about as fields."""


def configure(*, level: str, form: str) -> None:
    """Send events to stderr at ``level`` and above; ``form`` is ``text`` or ``json``. Nobody waits for their reader."""
    descriptor = _descriptor()
    outlet = Outlet(descriptor)
    outlet.start()
    _outlets.append(outlet)
    atexit.register(outlet.settle)
    renderers: list[Any] = (
        [name_first, structlog.processors.JSONRenderer()]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=os.isatty(descriptor), pad_event_to=0)]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", outlet)),
        cache_logger_on_first_use=True,
    )


def _descriptor() -> int:
    """Where events go: to stderr. A process that was started without one has stdout, or nobody to tell."""
    if sys.stderr is not None:
        return sys.stderr.fileno()
    instead = sys.stdout.fileno() if sys.stdout is not None else os.open(os.devnull, os.O_WRONLY)
    try:
        os.fstat(_STDERR)
    except OSError:
        # Or the next socket would get the number, and what is started with that would take it for its stderr.
        os.dup2(instead, _STDERR)
    return instead


def settle() -> None:
    """Wait a moment for what was logged to be read: before a process is ended, or says something without us."""
    for outlet in _outlets:
        outlet.settle()


def name_first(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event, its name alone in front; what was said behind the name is a field.

    >>> name_first(None, "info", {"level": "info", "event": "pool.left: the database is away"})
    {'event': 'pool.left', 'message': 'the database is away', 'level': 'info'}
    """
    name, _, said = str(fields.pop("event")).partition(": ")
    if not _NAME.fullmatch(name):
        name, said = f"{name}: {said}" if said else name, ""
    return {"event": name, **({"message": said} if said else {}), **fields}


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
