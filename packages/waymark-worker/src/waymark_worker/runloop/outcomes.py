"""Errors that the pool itself puts into the journal: what happened in, an exception's wire form out."""

from __future__ import annotations

from waymark_schema.errors import WaymarkError
from waymark_schema.failures import ActionTimeout, SerializationError, WorkerCrashed
from waymark_schema.kinds import OutcomeKind
from waymark_schema.tables.settle import JournalRow
from waymark_schema.values import faults
from waymark_schema.values.codec import Codec
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.records import RecordBinding
from waymark_worker.runloop.live import LiveCall
from waymark_worker.vm.entries import CallRaised, CallReturned, Entry

_codec = Codec(RecordBinding())


def timeout_error(action: str, seconds: float, attempt: int) -> bytes:
    """The attempt took longer than its policy allows."""
    return _codec.encode_exception(
        ActionTimeout(f"{_name(action)} did not end within {seconds:g} s (attempt {attempt})")
    )


def crashed_error(call: LiveCall, reason: str) -> bytes:
    """The call killed one worker too many."""
    return _codec.encode_exception(
        WorkerCrashed(
            f"{_name(call.action)} is not tried again: {call.deaths} workers in a row ended that ran it,"
            f" {call.lone_deaths} of them with nothing else; the last time: {reason}"
        )
    )


def ended_pools_error(action: str, deaths: int, *, alone: bool) -> bytes:
    """The pool ended once more, with nothing running in it but this call, or nothing that was new."""
    last = (
        "the last one with nothing else running in it"
        if alone
        else "some of them when nothing else had been started for seconds"
    )
    return _codec.encode_exception(
        WorkerCrashed(
            f"{_name(action)} ended its whole pool: {deaths} pools in a row died before anything of this run was"
            f" committed, {last}; the call is not tried again"
        )
    )


def lost_error(reason: str) -> bytes:
    """The attempt was lost to infrastructure; for people only."""
    return _codec.encode_exception(WaymarkError(f"attempt lost: {reason}"))


def refused_error(action: str, attempt: int, reason: str) -> bytes:
    """The call cannot be offered, or its outcome cannot be told to its owner."""
    return _codec.encode_exception(
        SerializationError(
            f"the database refused attempt {attempt} of {_name(action)} on its way between two pools: {reason}"
        )
    )


def quarantine_error(reason: str) -> bytes:
    """The instance needs a person."""
    return _codec.encode_exception(WaymarkError(reason))


def unusable(
    entry: Entry | None, row: JournalRow | None, error: MalformedValue
) -> tuple[Entry, JournalRow]:
    """What is fed instead of an outcome that the program's types refuse: the reason, as the call's error."""
    if row is None or not isinstance(entry, CallReturned | CallRaised):
        raise error
    payload = _codec.encode_exception(SerializationError(f"the outcome cannot be used: {error}"))
    row = row._replace(outcome=payload, outcome_kind=int(OutcomeKind.ERROR))
    return CallRaised(entry.call, payload), row


def error_names(payload: bytes) -> tuple[str, ...]:
    """Class names that a retry policy may match: the exception's own and its bases', with and without module."""
    try:
        error = _codec.decode(payload)
    except MalformedValue:
        return ()
    if not isinstance(error, BaseException):
        return ()
    past = faults.remains(error)
    names = [past.qualname] if past is not None else []
    names += [*past.bases] if past is not None else faults.base_names(type(error))
    bare = [name.rpartition(":")[2].rpartition(".")[2] for name in names]
    return tuple(dict.fromkeys([*names, *bare]))


def exhausted(payload: bytes, *, attempts: int) -> bytes:
    """The action's own last exception, with a note that tells of the attempts before it."""
    try:
        error = _codec.decode(payload)
    except MalformedValue:
        return payload
    if not isinstance(error, BaseException):
        return payload
    error.add_note(f"retries exhausted: this was attempt {attempts} of {attempts}")
    return _codec.encode_exception(error)


def _name(action: str) -> str:
    return action.rpartition(":")[2]
