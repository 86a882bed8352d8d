"""A runloop's claim on life: beats and lease ids go in, queries that keep, watch and fence leases come out."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from waymark_schema.database.statement import Nothing, Query, load
from waymark_schema.ids import LeaseId, PoolId


@dataclass(frozen=True, slots=True)
class NewLease:
    """A lease that was just taken."""

    id: LeaseId
    beat: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Beat:
    """The beat that was written, and the database's clock at that moment."""

    beat: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Whether an advisory lock, or a signal, was had."""

    held: bool


@dataclass(frozen=True, slots=True)
class EndedBackend:
    """A backend that still was there, and whether it could be told to end."""

    pid: int
    held: bool


@dataclass(frozen=True, slots=True)
class WatchedLease:
    """What a reaper sees of another's lease; `lock_free`: its session lock, if it has one, is held by nobody.

    The last three are the same in every row: in how long the first parked run is due, whether there is
    mail, whether anything is owned by a lease that is fenced or gone.
    """

    id: LeaseId
    pool: PoolId
    beat: int
    application: str
    expired: bool
    lock_free: bool
    server_up: timedelta
    due_in: timedelta | None = None
    mail: bool = False
    orphans: bool = False


@dataclass(frozen=True, slots=True)
class LockedLease:
    """The lease is locked by this transaction and may be fenced."""

    beat: int


@dataclass(frozen=True, slots=True)
class LockTimeout:
    """The lock timeout that now holds for the transaction."""

    lock_timeout: str


@dataclass(frozen=True, slots=True)
class RemovedLease:
    """A lease to which nothing referred any more."""

    id: LeaseId


_FILE = load(__package__, "leases.sql")
REGISTER = _FILE.statement("register", NewLease)
HEARTBEAT = _FILE.statement("heartbeat", Beat)
LOCK_SESSION = _FILE.statement("lock_session", Held)
UNLOCK_SESSION = _FILE.statement("unlock_session", Held)
WATCH = _FILE.statement("watch", WatchedLease)
SET_LOCK_TIMEOUT = _FILE.statement("set_lock_timeout", LockTimeout)
TRY_LOCK = _FILE.statement("try_lock", Held)
LOCK_EXPIRED = _FILE.statement("lock_expired", LockedLease)
LOCK_UNBEATEN = _FILE.statement("lock_unbeaten", LockedLease)
MARK_FENCED = _FILE.statement("mark_fenced", Nothing)
LEAVE = _FILE.statement("leave", Beat)
TERMINATE = _FILE.statement("terminate", Held)
TERMINATE_BACKENDS = _FILE.statement("terminate_backends", EndedBackend)
REMOVE = _FILE.statement("remove", RemovedLease)


def lock_class(schema: str) -> int:
    """The first half of the advisory lock keys of one schema: two products can share a database."""
    return zlib.crc32(f"waymark lease {schema}".encode()) & 0x7FFF_FFFF


def lock_key(lease: LeaseId) -> int:
    """The second half of a lease's advisory lock key."""
    return lease & 0x7FFF_FFFF


def register(pool: PoolId, *, application: str, ttl: timedelta, has_lock: bool) -> Query[NewLease]:
    """Take a lease; `application` is the application_name of the sessions that will write under it.

    `has_lock`: `lock_session` follows, so that others may take the lock's end for the pool's.
    """
    return REGISTER.bind(pool=pool, application=application, ttl=ttl, has_lock=has_lock)


def heartbeat(lease: LeaseId, *, ttl: timedelta) -> Query[Beat]:
    """Renew a lease; no row means that it is fenced."""
    return HEARTBEAT.bind(lease=lease, ttl=ttl)


def lock_session(lease: LeaseId, *, schema: str) -> Query[Held]:
    """Hold the lease's advisory lock for as long as the session lives."""
    return LOCK_SESSION.bind(**{"class": lock_class(schema), "key": lock_key(lease)})


def unlock_session(lease: LeaseId, *, schema: str) -> Query[Held]:
    """Give the advisory lock of a lease back that was given up before; the session goes on."""
    return UNLOCK_SESSION.bind(**{"class": lock_class(schema), "key": lock_key(lease)})


def watch(*, schema: str, but: LeaseId | None = None) -> Query[WatchedLease]:
    """Look at every unfenced lease but one's own."""
    return WATCH.bind(**{"class": lock_class(schema), "except": but})


def set_lock_timeout(timeout: timedelta) -> Query[LockTimeout]:
    """Bound lock waits of the current transaction."""
    return SET_LOCK_TIMEOUT.bind(milliseconds=str(timeout // timedelta(milliseconds=1)))


def try_lock(lease: LeaseId, *, schema: str) -> Query[Held]:
    """Try the lease's advisory lock for the current transaction."""
    return TRY_LOCK.bind(**{"class": lock_class(schema), "key": lock_key(lease)})


def lock_expired(lease: LeaseId) -> Query[LockedLease]:
    """Lock a lease whose time is over; no row when it beat meanwhile."""
    return LOCK_EXPIRED.bind(lease=lease)


def lock_unbeaten(lease: LeaseId, *, observed: int) -> Query[LockedLease]:
    """Lock a lease that has not beaten since it was observed."""
    return LOCK_UNBEATEN.bind(lease=lease, observed=observed)


def mark_fenced(lease: LeaseId) -> Query[Nothing]:
    """Fence a lease that this transaction has locked."""
    return MARK_FENCED.bind(lease=lease)


def leave(lease: LeaseId) -> Query[Beat]:
    """Give one's own lease up, once its commit in flight is over; no row when it was fenced already."""
    return LEAVE.bind(lease=lease)


def terminate(application: str) -> Query[Held]:
    """End the sessions of a dead lease by their application name."""
    return TERMINATE.bind(application=application)


def terminate_backends(application: str, pids: Iterable[int]) -> Query[EndedBackend]:
    """End these sessions, if they still are of that application name; repeat until no row comes back."""
    return TERMINATE_BACKENDS.bind(application=application, pid=list(pids))


def remove() -> Query[RemovedLease]:
    """Delete fenced leases to which nothing refers, with their markers and live rows."""
    return REMOVE.bind()
