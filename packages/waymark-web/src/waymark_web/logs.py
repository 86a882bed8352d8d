"""A level and a form in; the logging configuration of the server's processes out."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any


class JsonLines(logging.Formatter):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """Write time, level, logger and text, and the traceback if there is one."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configuration(*, level: str, form: str) -> dict[str, Any]:
    """What ``logging.config.dictConfig`` takes; the server's own chatter begins at WARNING."""
    quiet = level if level in {"DEBUG", "ERROR", "CRITICAL"} else "WARNING"
    own = {"handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "format": "%(asctime)s %(levelname)-7s %(name)s %(message)s",
                "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            },
            "json": {"()": "waymark_web.logs.JsonLines"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "stream": "ext://sys.stderr",
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "waymark": {**own, "level": level},
            "gunicorn.error": {**own, "level": quiet},
            "gunicorn.access": {**own, "level": "CRITICAL"},
            # A pool that retries while the server is away says so once a second; our pages say it better.
            "psycopg.pool": {**own, "level": "ERROR"},
            "falcon": {**own, "level": quiet},
        },
    }
