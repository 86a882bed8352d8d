"""What an attempt prints and logs in, lines of its run's log out; where it went before, it still goes."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from waymark.attempts import running_attempt

if TYPE_CHECKING:
    from collections.abc import Callable


class Tee:
    """A text stream that also writes to the log of the run whose attempt writes to it."""

    def __init__(self, stream: TextIO, level: str) -> None:
        self._stream = stream
        self._level = level

    def write(self, text: str) -> int:
        """Write on, and keep what an attempt wrote itself. That it goes nowhere else is no failure of the attempt."""
        attempt = running_attempt.get()
        try:
            self._stream.write(text)
        except OSError:
            if attempt is None:
                raise
        # A log record is kept as a record; its text must not come a second time through a stream.
        if attempt is not None and sys._getframe(1).f_globals.get("__name__") != "logging":  # noqa: SLF001 - the documented way to see one's caller
            attempt.log.write(self._level, text)
        return len(text)

    def flush(self) -> None:
        """Flush, if anybody takes it."""
        try:
            self._stream.flush()
        except OSError:
            if running_attempt.get() is None:
                raise

    def writelines(self, lines: list[str]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def capture() -> None:
    """Begin to keep what attempts of this process print and log.

    Handlers, levels and formats stay as the user set them: records are seen where they are made. Each
    gets ``waymark_run``, ``waymark_call`` and ``waymark_attempt``, which a format may name.
    """
    sys.stdout = cast("TextIO", Tee(sys.stdout, "stdout"))  # as a stream it does what streams do
    sys.stderr = cast("TextIO", Tee(sys.stderr, "stderr"))
    logging.setLogRecordFactory(noting(logging.getLogRecordFactory()))


def noting(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """Wrap a factory of log records: what an attempt logs is kept in the log of its run as well."""

    def noted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        attempt = running_attempt.get()
        if attempt is None:
            record.waymark_run = record.waymark_call = record.waymark_attempt = "-"
            return record
        record.waymark_run = attempt.instance_id
        record.waymark_call, record.waymark_attempt = attempt.call_id, attempt.attempt
        attempt.log.add(record.levelname.lower(), _text(record))
        return record

    return noted


def _text(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001 - a wrong format string must not end the attempt
        text = f"{record.msg} (its arguments {record.args!r} do not fit: {error})"
    if record.exc_info and record.exc_info[0] is not None:
        text += f"\n{record.exc_info[0].__name__}: {record.exc_info[1]}"
    return text
