"""The environment of a pool in, one validated value out."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

WEB_PORT = 24119


class PoolSettings(BaseSettings):
    """Every variable that ``waymark-start-workers`` reads; names are upper-cased behind ``WAYMARK_``."""

    model_config = SettingsConfigDict(env_prefix="WAYMARK_", env_ignore_empty=True, frozen=True)

    user_module: Annotated[tuple[str, ...], NoDecode] = ()
    worker_count: PositiveInt | None = None
    concurrent_per_worker: PositiveInt = 10
    max_concurrent_instances: PositiveInt = 500
    executor_shards: PositiveInt | None = None
    max_action_lifecycle: PositiveInt | None = None
    webapp_enabled: bool = False
    webapp_addr: str = f"0.0.0.0:{WEB_PORT}"
    poll_interval_ms: Annotated[int, Field(ge=5, le=60_000)] = 100
    lock_ttl_ms: Annotated[int, Field(ge=4_000, le=3_600_000)] = 15_000
    lock_heartbeat_ms: Annotated[int, Field(ge=100, le=600_000)] = 5_000
    expired_lock_reclaimer_interval_ms: Annotated[int, Field(ge=50, le=600_000)] = 1_000
    expired_lock_reclaimer_batch_size: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    evict_sleep_threshold_ms: Annotated[int, Field(ge=0)] = 10_000
    persist_interval_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    garbage_collector_retention_hours: Annotated[float, Field(ge=0)] = 24.0
    garbage_collector_interval_ms: Annotated[int, Field(ge=100)] = 300_000
    garbage_collector_batch_size: Annotated[int, Field(ge=1, le=10_000)] = 100
    runner_profile_interval_ms: Annotated[int, Field(ge=100)] = 5_000
    shutdown_grace_ms: Annotated[int, Field(ge=0)] = 10_000
    log_level: Annotated[str, AfterValidator(str.upper)] = "INFO"
    log_format: Literal["text", "json"] = "text"
    max_value_bytes: Annotated[int, Field(ge=1024)] = 16 * 1024 * 1024
    step_budget: PositiveInt = 10_000_000
    max_snapshot_bytes: Annotated[int, Field(ge=4096)] = 64 * 1024 * 1024
    crash_limit: PositiveInt = 3

    @field_validator("user_module", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        allowed = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
        if value not in allowed:
            msg = f"expected one of {', '.join(allowed)}"
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
