"""The public functions of the original bridge module in; what is built of them, or an error naming it, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark.unfinished import unfinished

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run_instance", "run_instances_batch", "wait_for_instance"]


async def run_instance(payload: Any) -> str:
    """Queue a run from its serialised form; returns its id (not available yet)."""
    raise unfinished("bridge.run_instance")


async def run_instances_batch(payloads: Sequence[Any]) -> list[str]:
    """Queue many runs from their serialised form; returns their ids (not available yet)."""
    raise unfinished("bridge.run_instances_batch")


async def wait_for_instance(instance_id: str, poll_interval_secs: float = 1.0) -> bytes | None:
    """Wait for a run and return its serialised result (not available yet)."""
    raise unfinished("bridge.wait_for_instance")
