"""The process's environment in, validated settings out; what cannot be used is named with what is allowed."""

from __future__ import annotations

import difflib
import logging
import os
import re
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from waymark_schema.errors import SettingError

PREFIX = "WAYMARK_"
KNOWN_VARIABLES = frozenset(
    PREFIX + name
    for name in """
    DATABASE_URL USER_MODULE WORKER_COUNT CONCURRENT_PER_WORKER MAX_CONCURRENT_INSTANCES EXECUTOR_SHARDS
    MAX_ACTION_LIFECYCLE WEBAPP_ENABLED WEBAPP_ADDR WEBAPP_AUTH WEBAPP_TRUSTED_PROXIES WEBAPP_TOKEN
    WEBAPP_READ_ONLY POLL_INTERVAL_MS LISTEN LOCK_TTL_MS LOCK_HEARTBEAT_MS
    EXPIRED_LOCK_RECLAIMER_INTERVAL_MS EXPIRED_LOCK_RECLAIMER_BATCH_SIZE EVICT_SLEEP_THRESHOLD_MS
    PERSIST_INTERVAL_MS SCHEDULER_POLL_INTERVAL_MS SCHEDULER_BATCH_SIZE
    GARBAGE_COLLECTOR_RETENTION_HOURS GARBAGE_COLLECTOR_INTERVAL_MS GARBAGE_COLLECTOR_BATCH_SIZE
    RUNNER_PROFILE_INTERVAL_MS SHUTDOWN_GRACE_MS BRIDGE_ADDR BRIDGE_TOKEN BRIDGE_MODE BOOT_COMMAND
    BRIDGE_IDLE_EXIT_S BRIDGE_IN_MEMORY SKIP_WAIT_FOR_INSTANCE LOG_LEVEL LOG_FORMAT METRICS_ADDR OTEL
    MAX_VALUE_BYTES SCHEMA AUTO_MIGRATE DATABASE_WAIT_S DATABASE_POOL_SIZE STATEMENT_TIMEOUT_MS
    RUNTIME_DIR STEP_BUDGET MAX_SNAPSHOT_BYTES CRASH_LIMIT PG_BIN WORKER_TOKEN
    WORKER_WATCH_FD MAX_WORKER_MEMORY_BYTES WORKER_HANG_MS
    TEST_DATABASE_URL TEST_PG_BIN FAILPOINT
    """.split()
)
# Waymark and its tests set these for themselves: nobody who mistypes a name means one of them.
FOR_PEOPLE = KNOWN_VARIABLES - {
    "WAYMARK_WORKER_TOKEN",
    "WAYMARK_WORKER_WATCH_FD",
    "WAYMARK_FAILPOINT",
    "WAYMARK_TEST_DATABASE_URL",
    "WAYMARK_TEST_PG_BIN",
}
UNFINISHED_VARIABLES = frozenset(
    PREFIX + name
    for name in """
    WEBAPP_TRUSTED_PROXIES WEBAPP_READ_ONLY METRICS_ADDR OTEL SCHEDULER_POLL_INTERVAL_MS SCHEDULER_BATCH_SIZE
    """.split()
)
"""Names of what is to come: set today, they have no effect."""
_LOGINS = ("WAYMARK_WEBAPP_AUTH", "WAYMARK_WEBAPP_TOKEN")
# Read by the project's own tests, whose processes inherit them.
_OF_TESTS = f"{PREFIX}TEST_"
_SECRET = re.compile(r"_URL$|_TOKEN$|_AUTH$")
# What Kubernetes adds to every container for a service that happens to be called "waymark".
_SERVICE_LINK = re.compile(
    r"^WAYMARK_(\w+_)?(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)\w*)?)$"
)
_told: set[str] = set()
_log = logging.getLogger("waymark")

S = TypeVar("S", bound=BaseSettings)


def load(settings: type[S]) -> S:
    """Read ``settings`` from the environment; an empty variable counts as unset.

    A field's ``description`` says what is allowed, unit included: it becomes part of the message. A
    ``WAYMARK_*`` variable that nobody reads is warned of once per process, with the nearest known name.

    Raises:
        SettingError: a value cannot be used, or a required variable is missing.

    """
    warn_of_unknown()
    try:
        return settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        raise _setting_error(settings, field, first["msg"]) from None


def warn_of_unknown() -> None:
    """Warn of each ``WAYMARK_*`` variable that nothing reads, once per process."""
    for name in sorted(_unread() - _told):
        _told.add(name)
        if name in UNFINISHED_VARIABLES:
            _log.warning("%s is set, but has no effect in this version of Waymark", name)
            continue
        near = difflib.get_close_matches(name, sorted(FOR_PEOPLE), n=1, cutoff=0.7)
        advice = f"did you mean {near[0]}?" if near else "no variable of a similar name exists."
        _log.warning("%s is set, but Waymark reads no variable of that name; %s", name, advice)


def already_warned() -> None:
    """Say that this process's parent has warned of what is in the environment now."""
    _told.update(_unread())


def refuse_login() -> None:
    """Raise ``SettingError`` when a login is asked for: without one, whoever sets it would be deceived."""
    for name in _LOGINS:
        if os.environ.get(name):
            msg = (
                f"{name} is set, but the web application has no login yet: whoever reaches its port sees every run.\n"
                "Unset it, and keep the port on a private network."
            )
            raise SettingError(name, msg)


def _unread() -> set[str]:
    unfinished = {name for name in UNFINISHED_VARIABLES if os.environ.get(name)}
    return unknown_variables(list(os.environ)) | unfinished


def unknown_variables(names: list[str]) -> set[str]:
    """Of these variable names, the ones with our prefix that we do not read.

    >>> unknown_variables(["WAYMARK_WORKERS", "WAYMARK_SCHEMA", "WAYMARK_SERVICE_HOST", "HOME"])
    {'WAYMARK_WORKERS'}
    """
    return {
        name
        for name in names
        if name.startswith(PREFIX)
        and name not in KNOWN_VARIABLES
        and not name.startswith(_OF_TESTS)
        and not _SERVICE_LINK.match(name)
    }


def _setting_error(settings: type[BaseSettings], field: str, problem: str) -> SettingError:
    by_variable = {
        str(declared.validation_alias or PREFIX + name.upper()): declared
        for name, declared in settings.model_fields.items()
    }
    variable = field if field in by_variable else PREFIX + field.upper()
    declared = by_variable.get(variable)
    allowed = declared.description if declared and declared.description else problem
    value = os.environ.get(variable)
    if not value:
        return SettingError(variable, f"{variable} is not set; expected {allowed}")
    shown = "set to something that cannot be used" if _SECRET.search(variable) else repr(value)
    return SettingError(variable, f"{variable} is {shown}; expected {allowed}")
