"""Every exception that callers of the SDK may catch: one class per decision they can make."""

# All take one positional argument and have defaults for the rest: that lets every one be pickled.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from waymark_schema.errors import WaymarkError
from waymark_schema.failures import (
    ActionTimeout,
    ExhaustedRetriesError,
    SerializationError,
    WorkerCrashed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ActionTimeout",
    "BridgeUnavailable",
    "ErrorRecord",
    "ExhaustedRetries",
    "ExhaustedRetriesError",
    "InstanceNotFound",
    "ScheduleAlreadyExistsError",
    "SerializationError",
    "UnsupportedPatternError",
    "WaitTimeout",
    "WaymarkError",
    "WorkerCrashed",
    "WorkflowCancelled",
    "WorkflowFailed",
]


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """What is known of an exception that ended a run in another process."""

    type: str
    """Qualified name, ``module:Qual.Name``; a builtin's without the module."""
    message: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    traceback: str = ""


class UnsupportedPatternError(WaymarkError):
    """A workflow uses what Waymark cannot run as CPython would; raised when the class is compiled.

    ``diagnostics`` holds every problem of the class; the other attributes tell of the first one.
    """

    def __init__(
        self,
        message: str,
        recommendation: str = "",
        line: int | None = None,
        col: int | None = None,
        filename: str | None = None,
        *,
        diagnostics: tuple[object, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.recommendation = recommendation
        self.line = line
        self.col = col
        self.filename = filename
        self.diagnostics = diagnostics


class WorkflowFailed(WaymarkError, RuntimeError):
    """The run ended with an exception; where importable, the original one is ``__cause__``."""

    def __init__(
        self, message: str, *, instance_id: str = "", error: ErrorRecord | None = None
    ) -> None:
        super().__init__(message)
        self.instance_id = instance_id
        self.error = error if error is not None else ErrorRecord("", message)


class WorkflowCancelled(WaymarkError):
    """The run was cancelled before it returned."""

    def __init__(self, message: str, *, instance_id: str = "") -> None:
        super().__init__(message)
        self.instance_id = instance_id


ExhaustedRetries = ExhaustedRetriesError


class ScheduleAlreadyExistsError(WaymarkError):
    """A schedule of that name belongs to another workflow."""


class BridgeUnavailable(WaymarkError):
    """The bridge could not be reached or booted; ``stderr`` holds the last lines it wrote."""

    def __init__(self, message: str, *, stderr: str = "") -> None:
        super().__init__(message)
        self.stderr = stderr


class WaitTimeout(WaymarkError, TimeoutError):
    """A run had not ended in time; it goes on, and can be waited for again."""

    def __init__(self, message: str, *, instance_id: str = "") -> None:
        super().__init__(message)
        self.instance_id = instance_id


class InstanceNotFound(WaymarkError, LookupError):
    """No run has this id: never started, or pruned after its retention."""

    def __init__(self, message: str, *, instance_id: str = "") -> None:
        super().__init__(message)
        self.instance_id = instance_id
