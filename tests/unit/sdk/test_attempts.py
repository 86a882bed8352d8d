"""Attempts in; what an action can read of them and log to them out."""

import io
import sys
import threading
import uuid
from typing import TextIO, cast

import pytest

from waymark.attempts import (
    MAX_CHARACTERS,
    MAX_LINES,
    ActionAttempt,
    RunLog,
    current_action,
    running_attempt,
)
from waymark.executor.output import Tee

INSTANCE = uuid.UUID("0190b7a0-0000-7000-8000-000000000001")


def texts(log: RunLog) -> list[tuple[str, str]]:
    return [(level, text) for level, text, _ in log.lines()]


def test_outside_of_an_attempt_there_is_no_current_action() -> None:
    with pytest.raises(RuntimeError, match="outside of an action"):
        current_action()


def test_the_idempotency_key_is_the_same_for_every_attempt() -> None:
    keys = {ActionAttempt(INSTANCE.bytes, 3, n).idempotency_key for n in (1, 2)}
    assert keys == {f"{INSTANCE}:3"}


def test_the_current_action_is_the_one_of_the_context() -> None:
    attempt = ActionAttempt(INSTANCE.bytes, 3, 2, deadline_at=86400.0)
    token = running_attempt.set(attempt)
    try:
        assert current_action() is attempt
        assert current_action().instance_id == str(INSTANCE)
        assert str(current_action().deadline) == "1970-01-02 00:00:00+00:00"
    finally:
        running_attempt.reset(token)


def test_a_heartbeat_ends_an_attempt_that_nobody_waits_for() -> None:
    attempt = ActionAttempt(INSTANCE.bytes, 3, 1)
    attempt.heartbeat("10 %")
    attempt.heartbeat("10 %")
    assert texts(attempt.log) == [("progress", "10 %")]
    attempt.cancelled = True
    with pytest.raises(TimeoutError, match="no longer waited for"):
        attempt.heartbeat()


class Deaf(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(text)

    def flush(self) -> None:
        raise BrokenPipeError


def test_that_nobody_takes_what_an_attempt_prints_is_no_failure_of_it() -> None:
    attempt, stream = ActionAttempt(INSTANCE.bytes, 3, 1), Tee(Deaf(), "stdout")
    token = running_attempt.set(attempt)
    try:
        print("said", file=cast("TextIO", stream), flush=True)
    finally:
        running_attempt.reset(token)
    assert texts(attempt.log) == [("stdout", "said")]
    for write in (lambda: stream.write("by nobody"), stream.flush):
        with pytest.raises(BrokenPipeError):
            write()


def test_streams_become_lines_and_the_last_one_needs_no_newline() -> None:
    log = RunLog()
    for piece in ("a", "b\nc", "\n\nd"):
        log.write("stdout", piece)
    log.write("stderr", "x")
    assert texts(log) == [
        ("stdout", "ab"),
        ("stdout", "c"),
        ("stdout", ""),
        ("stdout", "d"),
        ("stderr", "x"),
    ]


def test_threads_of_one_attempt_lose_nothing_of_each_other() -> None:
    log, words = RunLog(), 20
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            written = [threading.Thread(target=_writes, args=(log, words)) for _ in range(4)]
            for thread in written:
                thread.start()
            for thread in written:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    kept = "".join(text for _, text, _ in log.lines())
    assert len(kept) == 20 * 4 * words * 2


def _writes(log: RunLog, words: int) -> None:
    for _ in range(words):
        log.write("stdout", "ab")


def test_a_log_is_bounded_in_lines_and_characters() -> None:
    log = RunLog()
    for i in range(MAX_LINES + 10):
        log.info("line %d", i)
    lines = texts(log)
    assert len(lines) == MAX_LINES + 1
    assert lines[-1][1].startswith("10 more lines were left out")
    long = RunLog()
    long.write("stdout", "x" * (3 * MAX_CHARACTERS))
    assert sum(len(text) for _, text in texts(long)) <= MAX_CHARACTERS + 200
