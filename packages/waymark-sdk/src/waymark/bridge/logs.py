"""Log records in; lines on stderr out, never more than a bounded file of them."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Literal

LIMIT_BYTES = 1 << 20


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said)


class _BoundedLines(logging.StreamHandler):  # type: ignore[type-arg] # generic only in the stubs
    """Starts its file over when it is full: stderr is opened for appending, so nothing leaves a hole."""

    def emit(self, record: logging.LogRecord) -> None:
        descriptor = sys.stderr.fileno()
        if os.fstat(descriptor).st_size > LIMIT_BYTES:
            os.ftruncate(descriptor, 0)
        super().emit(record)


def log_to_stderr(level: str, *, form: Literal["text", "json"], bounded: bool) -> None:
    """Send the bridge's log records to stderr, which is a file of ours when ``bounded``."""
    lines: logging.Handler = _BoundedLines() if bounded else logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    lines.setFormatter(_JsonLines() if form == "json" else text)
    logging.basicConfig(level=level, handlers=[lines], force=True)
