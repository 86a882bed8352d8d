"""Runs as bytes in; their ids, and later their results as bytes, out: for processes that do not know the workflow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from waymark.blocking import run_blocking
from waymark.coercion import codec
from waymark.errors import WorkflowCancelled
from waymark.payloads import stored_payload
from waymark.requests import Outcome, StartRequest, unpack
from waymark_schema.ids import parse_instance_id

__all__ = [
    "run_instance",
    "run_instance_sync",
    "run_instances_batch",
    "run_instances_batch_sync",
    "wait_for_instance",
    "wait_for_instance_sync",
]


class Serving(Protocol):
    """What of a runtime is needed here."""

    async def start_many(self, requests: Sequence[StartRequest]) -> list[UUID]: ...
    async def wait(self, instance_id: UUID, *, timeout: float | None = None) -> Outcome: ...  # noqa: ASYNC109 - as Runtime


class _Slot:
    """Who serves: told by ``waymark.runtime``, which is built upon this package."""

    __slots__ = ("current",)

    def __init__(self) -> None:
        self.current: Callable[[], Serving] | None = None

    def serving(self) -> Serving:
        assert self.current is not None, "waymark.runtime is imported with waymark"
        return self.current()


_slot = _Slot()


def serve_from(current: Callable[[], Serving]) -> None:
    """Learn who serves the runs of this process."""
    _slot.current = current


async def run_instance(payload: bytes) -> str:
    """Queue the run that ``W.call(…).payload`` describes; return its id.

    This process need not know the workflow: its program is in the payload. The same payload starts one
    run, however often it is sent.

    >>> async def main() -> None:
    ...     run_id = await bridge.run_instance(Greet.call("you").payload)

    Raises:
        TypeError, ValueError: the payload is something else.
        BridgeUnavailable: the bridge could not be booted.

    """
    return (await run_instances_batch([payload]))[0]


async def run_instances_batch(payloads: Sequence[bytes]) -> list[str]:
    """Queue many runs in one transaction; return their ids in the same order.

    >>> async def main() -> None:
    ...     ids = await bridge.run_instances_batch([Greet.call(name).payload for name in ("a", "b")])

    Raises what ``run_instance`` raises; nothing is queued then.
    """
    requests = [_request(payload) for payload in payloads]
    return [str(instance_id) for instance_id in await _slot.serving().start_many(requests)]


async def wait_for_instance(instance_id: str | UUID, poll_interval_secs: float = 1.0) -> bytes:
    """Wait until a run has ended; return how, for ``deserialize_result_payload``.

    ``poll_interval_secs`` is part of the original interface: the bridge is told of the end as it happens,
    and nothing is polled.

    >>> async def main() -> None:
    ...     outcome = deserialize_result_payload(await bridge.wait_for_instance(run_id))
    ...     assert outcome.error is None

    Raises:
        ValueError: the id is no UUID, or the interval is not above zero.
        WorkflowCancelled: the run was cancelled.
        InstanceNotFound: there is no such run, or no longer.
        BridgeUnavailable: the bridge could not be booted.

    """
    if not poll_interval_secs > 0:
        msg = f"poll_interval_secs is {poll_interval_secs!r}; expected seconds, more than zero"
        raise ValueError(msg)
    given = instance_id if isinstance(instance_id, UUID) else parse_instance_id(instance_id)
    outcome = await _slot.serving().wait(given)
    if outcome.state == "cancelled":
        msg = f"run {outcome.id} was cancelled"
        raise WorkflowCancelled(msg, instance_id=str(outcome.id))
    if outcome.error is not None:
        return stored_payload(outcome.error, failed=True)
    result = codec().encode(None) if outcome.result is None else outcome.result
    return stored_payload(result, failed=False)


def run_instance_sync(payload: bytes) -> str:
    """Do as ``run_instance`` does, for synchronous programs."""
    return run_blocking(run_instance(payload), instead="run_instance()")


def run_instances_batch_sync(payloads: Sequence[bytes]) -> list[str]:
    """Do as ``run_instances_batch`` does, for synchronous programs."""
    return run_blocking(run_instances_batch(payloads), instead="run_instances_batch()")


def wait_for_instance_sync(instance_id: str | UUID, poll_interval_secs: float = 1.0) -> bytes:
    """Do as ``wait_for_instance`` does, for synchronous programs."""
    return run_blocking(
        wait_for_instance(instance_id, poll_interval_secs), instead="wait_for_instance()"
    )


def _request(payload: object) -> StartRequest:
    if not isinstance(payload, bytes):
        msg = f"a serialised run is {payload!r:.100}; expected bytes: W.call(…).payload"
        raise TypeError(msg)
    return unpack(payload)
