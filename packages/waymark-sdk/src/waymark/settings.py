"""The environment in, the SDK's settings out; no other module of the SDK reads it."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from waymark_schema.database.settings import DatabaseSettings, from_environment
from waymark_schema.database.statement import checked_schema
from waymark_schema.environment import load


class Settings(BaseSettings):
    """What the SDK, the bridge and the executor take from the environment; units are in the names."""

    model_config = SettingsConfigDict(
        env_prefix="WAYMARK_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = Field(
        None, description="a Postgres URL such as postgresql://user:password@host:5432/database"
    )
    # The alias keeps pydantic's own `schema` attribute out of the way.
    schema_name: Annotated[str, AfterValidator(checked_schema)] = Field(
        "waymark",
        validation_alias="WAYMARK_SCHEMA",
        description=(
            "the name of a Postgres schema: lower-case letters, digits and underscores, 40 at most,"
            " not starting with a digit or pg_, and not public"
        ),
    )
    user_module: str = Field("", description="module names, separated by commas")

    bridge_addr: str | None = Field(
        None, description="host:port of a bridge that runs beside this process"
    )
    bridge_token: SecretStr | None = Field(None, description="the secret that the bridge asks for")
    bridge_mode: Literal["daemon", "inprocess"] = Field(
        "daemon", description="'daemon' (one bridge per host) or 'inprocess' (one per process)"
    )
    boot_command: str | None = Field(None, description="the command that starts a bridge")
    bridge_idle_exit_s: float = Field(
        300.0, gt=0, description="seconds without a connected client, above 0"
    )
    bridge_in_memory: bool = Field(False, description="true or false")  # noqa: FBT003 - pydantic's default
    skip_wait_for_instance: bool = Field(False, description="true or false")  # noqa: FBT003 - pydantic's default
    runtime_dir: str | None = Field(None, description="a directory that this user may write to")

    database_wait_s: float = Field(30.0, ge=0, description="seconds, 0 or more")
    database_pool_size: int | None = Field(
        None, ge=2, le=1000, description="a number of connections, 2 to 1000"
    )
    statement_timeout_ms: int = Field(
        30_000, ge=100, description="a whole number of milliseconds, 100 or more"
    )
    auto_migrate: bool = Field(True, description="true or false")  # noqa: FBT003 - pydantic's default

    max_value_bytes: int = Field(
        16_777_216,
        ge=1024,
        le=48 * 1024 * 1024,
        description="a whole number of bytes, 1024 to 50331648",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", description="one of DEBUG, INFO, WARNING, ERROR, CRITICAL"
    )
    log_format: Literal["text", "json"] = Field("text", description="'text' or 'json'")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules of ``WAYMARK_USER_MODULE``, in order."""
        return tuple(name.strip() for name in self.user_module.split(",") if name.strip())


@lru_cache(maxsize=1)
def current() -> Settings:
    """Return this process's settings, read at the first call; raises ``SettingError``.

    A test that changes the environment calls ``current.cache_clear()``.
    """
    return load(Settings)


def database() -> DatabaseSettings:
    """Return which database this process is to use; raises ``SettingError`` naming variable and value."""
    return from_environment(os.environ)


def database_defaults() -> tuple[str, ...]:
    """Return what libpq would fill into an incomplete address, so that two hosts are never taken for one."""
    return tuple(f"{name}={os.environ[name]}" for name in _LIBPQ_DEFAULTS if os.environ.get(name))


_LIBPQ_DEFAULTS = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")


def runtime_directories() -> tuple[str | None, ...]:
    """Return where a socket may live if ``WAYMARK_RUNTIME_DIR`` is unset or of no use, the best first."""
    return (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp", "/dev/shm")  # noqa: S108 - our directory in it is private and checked


def environment_for_child() -> dict[str, str]:
    """Return the environment for a process that starts in another directory: module paths made absolute."""
    environment = dict(os.environ)
    if environment.get("PYTHONPATH"):
        places = environment["PYTHONPATH"].split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(place).absolute()) for place in places)
    return environment
