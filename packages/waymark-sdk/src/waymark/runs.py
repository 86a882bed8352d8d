"""The id of a run in; its state, its result as the promised type, or the reason why there is none, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from waymark import runtime
from waymark.blocking import run_blocking
from waymark.callers import told_to_the_caller
from waymark.coercion import codec, coerce
from waymark.errors import ErrorRecord, WaitTimeout, WorkflowCancelled, WorkflowFailed
from waymark.unfinished import unfinished
from waymark_schema.ids import parse_instance_id
from waymark_schema.values import faults

if TYPE_CHECKING:
    from datetime import timedelta

R = TypeVar("R")


class Run(Generic[R]):
    """One run of a workflow; what ``Workflow.start`` returns.

    >>> async def main() -> None:
    ...     run = await Greet.start("you")
    ...     assert await Run.get(run.id).result(timeout=30) == "hello you"
    """

    __slots__ = ("_annotation", "_id")

    def __init__(self, instance_id: UUID, *, annotation: Any = Any) -> None:
        self._id = instance_id
        self._annotation = annotation

    @classmethod
    def get(cls, id: str | UUID) -> Run[Any]:  # noqa: A002 - the public name
        """Return the handle of a run by its id, without asking whether there is one.

        Raises:
            ValueError: it is not a UUID.

        """
        with told_to_the_caller:
            return Run(id if isinstance(id, UUID) else parse_instance_id(id))

    @property
    def id(self) -> str:
        """The run's id, as text."""
        return str(self._id)

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other._id == self._id

    def __hash__(self) -> int:
        return hash(self._id)

    async def status(self) -> runtime.RunState:
        """Return the state: queued, running, waiting, completed, failed, cancelled or quarantined.

        Raises:
            InstanceNotFound: there is no such run, or no longer.
            BridgeUnavailable: the bridge could not be booted.

        """
        with told_to_the_caller:
            return await runtime.current().status(self._id)

    async def result(self, timeout: float | timedelta | None = None) -> R:  # noqa: ASYNC109 - the public name
        """Wait for the end and return the result as the type that ``run`` promises.

        ``timeout`` is seconds or a timedelta. Giving up, by timeout or cancellation, never touches the run.

        Raises:
            WorkflowFailed: it ended with an exception.
            WorkflowCancelled: it was cancelled.
            TimeoutError: it had not ended in time; ``instance_id`` says which run.
            InstanceNotFound: there is no such run, or no longer.
            BridgeUnavailable: the bridge could not be booted.

        """
        seconds = (
            timeout
            if timeout is None or isinstance(timeout, int | float)
            else timeout.total_seconds()
        )
        with told_to_the_caller:
            try:
                outcome = await runtime.current().wait(self._id, timeout=seconds)
            except TimeoutError as error:
                # A class of its own: between threads asyncio makes plain TimeoutErrors anew, without attributes.
                raise WaitTimeout(str(error), instance_id=self.id) from None
            return outcome_value(outcome, self._annotation)  # type: ignore[no-any-return] # coerced to R

    def status_sync(self) -> runtime.RunState:
        """Do as ``status`` does, for synchronous programs."""
        return run_blocking(self.status(), instead="status()")

    def result_sync(self, timeout: float | timedelta | None = None) -> R:
        """Do as ``result`` does, for synchronous programs."""
        return run_blocking(self.result(timeout), instead="result()")

    async def cancel(self) -> None:
        """Cancel the run (not available yet)."""
        raise unfinished("Run.cancel")

    async def send(self, event: str, payload: Any = None) -> None:
        """Send the run an external event (not available yet)."""
        raise unfinished("Run.send")

    def cancel_sync(self) -> None:
        """Do as ``cancel`` does, for synchronous programs (not available yet)."""
        raise unfinished("Run.cancel_sync")

    def send_sync(self, event: str, payload: Any = None) -> None:
        """Do as ``send`` does, for synchronous programs (not available yet)."""
        raise unfinished("Run.send_sync")


def outcome_value(outcome: runtime.Outcome, annotation: Any) -> Any:
    """Return the result of a run that has ended, coerced; raise what stands for one that did not complete."""
    instance_id = str(outcome.id)
    if outcome.state == "completed":
        value = None if outcome.result is None else codec().decode(outcome.result)
        return coerce(value, annotation, path="result")
    if outcome.state == "cancelled":
        msg = f"run {instance_id} was cancelled"
        raise WorkflowCancelled(msg, instance_id=instance_id)
    if outcome.error is None:
        msg = f"run {instance_id} is {outcome.state}; its page /runs/{instance_id} of the web application tells why"
        raise WorkflowFailed(msg, instance_id=instance_id, error=ErrorRecord("", outcome.state))
    raise _failure(instance_id, outcome.error)


def _failure(instance_id: str, encoded: bytes) -> WorkflowFailed:
    original = codec().decode(encoded)
    past = faults.remains(original)
    record = ErrorRecord(
        type=past.qualname if past else faults.qualified(type(original)),
        message=faults.message(original) if past is None or past.message is None else past.message,
        attributes=faults.attributes(original),
        traceback=past.traceback if past else "",
    )
    name = record.type.rpartition(":")[2]
    said = f"{name}: {record.message}" if record.message else name
    failed = WorkflowFailed(
        f"run {instance_id} failed: {said}", instance_id=instance_id, error=record
    )
    if record.traceback:
        failed.add_note(record.traceback.rstrip())
    if not faults.is_stand_in(type(original)):
        failed.__cause__ = original
    return failed
