"""Settings and a listening socket in, what gunicorn is told out."""

from __future__ import annotations

import socket
from typing import Any

from waymark_web.logs import configuration
from waymark_web.settings import WebSettings

GRACE_SECONDS = 1
"""A page takes milliseconds; what lasts longer are idle connections of open browsers."""


def options(settings: WebSettings, listener: socket.socket) -> dict[str, Any]:
    """Everything that differs from gunicorn's defaults, and why."""
    return {
        "bind": [f"fd://{listener.fileno()}"],
        "worker_class": "asgi",
        # All that takes long happens in the database: one process serves many people.
        "workers": 1,
        "graceful_timeout": GRACE_SECONDS,
        "keepalive": 5,
        # A worker that answers nobody for this long is replaced; a page may hold many large values.
        "timeout": 60,
        # Its control socket would be one more thing to guard, and a file in a read-only home.
        "control_socket_disable": True,
        "proc_name": "waymark-web",
        "logconfig_dict": configuration(level=settings.log_level, form=settings.log_format),
    }
