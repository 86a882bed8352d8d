"""A listening socket and settings in; a gunicorn that serves until it is told to end out."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # it has no types

from waymark_web.asgi import build
from waymark_web.gunicorn_conf import options
from waymark_web.settings import WebSettings


class Server(BaseApplication):  # type: ignore[misc] # as above
    """Gunicorn without its command line and its configuration file."""

    def __init__(
        self, settings: WebSettings, listener: socket.socket, ready: Callable[[], None]
    ) -> None:
        self._options = {
            **options(settings, listener),
            "post_worker_init": lambda _worker: ready(),
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn our options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application, in the worker, after the fork."""
        return build()
