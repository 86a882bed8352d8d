"""Loggers of CPython that write what those of a workflow do: one line for each record, from INFO upwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


@contextmanager
def logging_to(output: TextIO) -> Iterator[None]:
    """Have every logger but asyncio's write to ``output`` and nowhere else."""

    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        if logger.name.partition(".")[0] != "asyncio":
            output.write(f"{record.levelname} {record.name}: {_message(record)}{_error(record)}\n")

    def is_enabled_for(logger: logging.Logger, level: int) -> bool:
        return level >= logging.INFO

    swapped: list[tuple[Any, str, Any]] = [
        (logging.Logger, "callHandlers", call_handlers),
        (logging.Logger, "isEnabledFor", is_enabled_for),
        (logging, "basicConfig", lambda: None),
    ]
    before = [getattr(owner, name) for owner, name, _ in swapped]
    for owner, name, value in swapped:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name, _), value in zip(swapped, before, strict=True):
            setattr(owner, name, value)


def _message(record: logging.LogRecord) -> str:
    text = ""
    try:
        text = str(record.msg)
        return text % record.args if record.args else text
    except Exception:  # noqa: BLE001 - whatever a text of the program's own raises
        return f"{text} (its arguments do not fit)"


def _error(record: logging.LogRecord) -> str:
    if not record.exc_info:
        return ""
    error = record.exc_info[1]
    if error is None:
        return "\nNoneType: None"
    try:
        told = str(error)
    except Exception:  # noqa: BLE001 - whatever a text of the program's own raises
        told = "<exception str() failed>"
    return f"\n{type(error).__name__}: {told}" if told else f"\n{type(error).__name__}"
