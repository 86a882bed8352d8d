"""What a driver's error means: an exception goes in, the decision that a caller takes comes out."""

from enum import Enum
from typing import Final

import psycopg

_LOST_STATES: Final = frozenset({"25006", "57P01", "57P02", "57P03", "57P05"})
_TRANSIENT_STATES: Final = frozenset(
    {
        "40001",
        "40P01",
        "53000",
        "53100",
        "53200",
        "53300",
        "53400",
        "55006",
        "55P03",
        "57014",
        "58000",
        "58030",
    }
)
_FATAL_CLASSES: Final = frozenset({"28", "3D", "3F"})
_FATAL_STATES: Final = frozenset({"42501", "42P01", "42703", "42883", "0A000"})
_REFUSED: Final = "WM001"


class Fault(Enum):
    """One member per decision a caller can make."""

    LOST = "lost"
    """The session is gone or no longer leads to the primary: reconnect, then find out what was kept."""
    TRANSIENT = "transient"
    """The statement did nothing; try it again after a pause, on the same session."""
    REFUSED = "refused"
    """A guard of ours said no: an instance in the batch is not ours."""
    DATA = "data"
    """A value in the batch cannot be stored; bisect it, quarantine the culprit, keep the rest."""
    FATAL = "fatal"
    """Role, schema or server are not what they must be; a person has to look."""


def classify(error: BaseException) -> Fault:
    """Say what an error of the driver means.

    LOST covers a broken connection, a server that restarts, and 25006 (the session leads to a standby);
    TRANSIENT covers serialization failures, deadlocks, timeouts, a full disk and too many clients. An
    error that is not the driver's is FATAL.
    """
    if not isinstance(error, psycopg.Error):
        return Fault.LOST if isinstance(error, OSError) else Fault.FATAL
    state = error.sqlstate
    return _without_state(error) if state is None else _by_state(state)


def _by_state(state: str) -> Fault:
    if state == _REFUSED:
        return Fault.REFUSED
    if state in _LOST_STATES or state[:2] == "08":
        return Fault.LOST
    if state in _TRANSIENT_STATES:
        return Fault.TRANSIENT
    fatal = state in _FATAL_STATES or state[:2] in _FATAL_CLASSES
    return Fault.FATAL if fatal else Fault.DATA


def _without_state(error: psycopg.Error) -> Fault:
    """The client's own errors carry no state: connection trouble, or a value it cannot send."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Fault.LOST
    if isinstance(error, psycopg.DataError | psycopg.ProgrammingError):
        return Fault.DATA
    return Fault.FATAL


_REFUSAL_TEXTS: Final = (
    "password authentication failed",
    "no password supplied",
    "authentication failed",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied for database",
    "is not permitted to log in",
    "certificate",
    "local user with ID",
    "root certificate",
    "server does not support SSL",
    "invalid sslmode value",
)


def refused_for_good(error: psycopg.Error) -> bool:
    """Whether trying to connect again cannot help: wrong password, role, database name or TLS setting.

    libpq reports a failed connection without a state, so its English text is all there is to go by;
    unknown texts count as worth another try.
    """
    if error.sqlstate is not None:
        return classify(error) is Fault.FATAL
    text = str(error)
    return any(known in text for known in _REFUSAL_TEXTS)
