"""The environment of a pool in, one validated value out."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

WEB_PORT = 24119
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DISPATCH_MARGIN_MS = 3_000
"""Nothing is dispatched in the last moments of a lease that is not renewed."""
LEAST_HEARTBEAT_MS = 100
LEAST_HANG_MS = 1_500


def _whole(low: int, high: int, *, default: int | None, unit: str = "") -> Any:
    """A setting that is a whole number within bounds, which its error message repeats."""
    of = f" of {unit}" if unit else ""
    return Field(
        default=default, ge=low, le=high, description=f"a whole number{of} from {low} to {high}"
    )


def _milliseconds(low: int, high: int, *, default: int) -> Any:
    return _whole(low, high, default=default, unit="milliseconds")


class PoolSettings(BaseSettings):
    """Every variable that ``waymark-start-workers`` reads; names are upper-cased behind ``WAYMARK_``."""

    model_config = SettingsConfigDict(env_prefix="WAYMARK_", env_ignore_empty=True, frozen=True)

    user_module: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="module names, separated by commas, such as yourapp.workflows"
    )
    worker_count: int | None = _whole(1, 1_024, default=None)
    concurrent_per_worker: int = _whole(1, 10_000, default=10)
    max_concurrent_instances: int = _whole(1, 1_000_000, default=500)
    executor_shards: int | None = _whole(1, 256, default=None)
    max_action_lifecycle: int | None = _whole(1, 1_000_000_000, default=None)
    webapp_enabled: bool = Field(default=False, description="true or false")
    webapp_addr: str = Field(
        default=f"0.0.0.0:{WEB_PORT}", description=f"HOST:PORT, such as 0.0.0.0:{WEB_PORT}"
    )
    poll_interval_ms: int = _milliseconds(5, 60_000, default=100)
    lock_ttl_ms: int = _milliseconds(4_000, 3_600_000, default=15_000)
    lock_heartbeat_ms: int = Field(
        default=0,
        validate_default=True,
        description=(
            "a whole number of milliseconds from 100 to half of what WAYMARK_LOCK_TTL_MS "
            f"leaves after {DISPATCH_MARGIN_MS}"
        ),
    )
    expired_lock_reclaimer_interval_ms: int = _milliseconds(50, 600_000, default=1_000)
    expired_lock_reclaimer_batch_size: int = _whole(1, 10_000, default=1_000)
    evict_sleep_threshold_ms: int = _milliseconds(0, 86_400_000, default=10_000)
    persist_interval_ms: int = _milliseconds(0, 60_000, default=0)
    garbage_collector_retention_hours: float = Field(
        default=24.0, ge=0, le=1_000_000, description="a number of hours, 0 or more"
    )
    garbage_collector_interval_ms: int = _milliseconds(100, 86_400_000, default=300_000)
    garbage_collector_batch_size: int = _whole(1, 10_000, default=100)
    runner_profile_interval_ms: int = _milliseconds(100, 3_600_000, default=5_000)
    shutdown_grace_ms: int = _milliseconds(0, 86_400_000, default=10_000)
    log_level: Annotated[str, AfterValidator(str.upper)] = Field(
        default="INFO", description=f"one of {', '.join(LEVELS)}"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="text or json")
    max_value_bytes: int = _whole(1_024, 48 * 1024 * 1024, default=16 * 1024 * 1024, unit="bytes")
    step_budget: int = _whole(1_000, 10_000_000_000, default=10_000_000, unit="units of work")
    max_snapshot_bytes: int = _whole(
        4_096, 512 * 1024 * 1024, default=64 * 1024 * 1024, unit="bytes"
    )
    max_worker_memory_bytes: int | None = _whole(
        16 * 1024 * 1024, 1 << 50, default=None, unit="bytes"
    )
    worker_hang_ms: int = Field(
        default=300_000,
        le=86_400_000,
        description=(
            f"0, or a whole number of milliseconds from {LEAST_HANG_MS} to 86400000: workers say once a second"
            " that they move"
        ),
    )
    crash_limit: int = _whole(1, 1_000, default=3)

    @field_validator("lock_heartbeat_ms")
    @classmethod
    def _often_enough(cls, value: int, found: ValidationInfo) -> int:
        """Two beats must fit between a confirmed one and the moment at which dispatch stops."""
        ttl: int = found.data.get("lock_ttl_ms", 15_000)
        most = (ttl - DISPATCH_MARGIN_MS) // 2
        if value == 0:
            return min(5_000, most)
        if not LEAST_HEARTBEAT_MS <= value <= most:
            msg = f"expected {LEAST_HEARTBEAT_MS} to {most}"
            raise ValueError(msg)
        return value

    @field_validator("worker_hang_ms")
    @classmethod
    def _longer_than_a_tick(cls, value: int) -> int:
        if value != 0 and value < LEAST_HANG_MS:
            msg = f"expected 0, or {LEAST_HANG_MS} and more"
            raise ValueError(msg)
        return value

    @field_validator("user_module", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value not in LEVELS:
            msg = f"expected one of {', '.join(LEVELS)}"
            raise ValueError(msg)
        return value

    @property
    def lease_ttl(self) -> timedelta:
        """How long a lease lives without a heartbeat."""
        return timedelta(milliseconds=self.lock_ttl_ms)

    @property
    def retention(self) -> timedelta:
        """How long a finished instance is kept."""
        return timedelta(hours=self.garbage_collector_retention_hours)

    @property
    def worker_hang_s(self) -> float | None:
        """Seconds without a sign of life after which a worker is killed; None: never."""
        return self.worker_hang_ms / 1000 or None

    @property
    def shutdown_grace_s(self) -> float:
        """Seconds that a drain may take."""
        return self.shutdown_grace_ms / 1000


def available_cpus() -> tuple[int, str]:
    """How many processors this process may use, and what bounds them: host, affinity or cgroup quota."""
    host = os.cpu_count() or 1
    chosen, why = host, "host CPU count"
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
        if allowed < chosen:
            chosen, why = allowed, "CPU affinity"
    quota = _cgroup_quota()
    if quota is not None and quota < chosen:
        chosen, why = quota, "cgroup CPU quota"
    return max(1, chosen), why


def _cgroup_quota() -> int | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    if quota == "max":
        return None
    return max(1, -(-int(quota) // int(period)))
