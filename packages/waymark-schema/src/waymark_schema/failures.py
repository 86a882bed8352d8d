"""The exceptions of Waymark that a workflow can see: classes that machine, worker and caller share.

They live here because all three must mean the same class; their public home is the package root
``waymark``, which is what they call themselves on the wire.
"""

from waymark_schema.errors import WaymarkError


class ActionTimeout(WaymarkError, TimeoutError):
    """An action's attempt took longer than its timeout; raised inside the workflow."""


class WorkerCrashed(WaymarkError):
    """The same call killed its worker process several times in a row."""


class ExhaustedRetriesError(WaymarkError):
    """Kept for compatibility: exhausted retries raise the action's own last exception."""


class SerializationError(WaymarkError, TypeError):
    """A value cannot be kept durably; ``path`` says where in the value, ``type_name`` what it is."""

    def __init__(self, message: str, *, path: str = "", type_name: str = "") -> None:
        """Keep the place and the type beside the message."""
        super().__init__(message)
        self.path = path
        self.type_name = type_name


PUBLIC_MODULE = "waymark"
DURABLE_FAILURES: dict[str, type[Exception]] = {
    failure.__name__: failure
    for failure in (
        WaymarkError,
        ActionTimeout,
        WorkerCrashed,
        ExhaustedRetriesError,
        SerializationError,
    )
}
"""By the name under which a program and the wire know them: ``waymark:ActionTimeout`` and so on."""

for _failure in DURABLE_FAILURES.values():
    _failure.__module__ = PUBLIC_MODULE
