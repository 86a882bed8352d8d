"""A WSGI application that starts a run when it is loaded, and one for each request."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from tests.integration.bridge.greetings import Counting

Counting.start_sync(0)


def application(
    environ: dict[str, object], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    Counting.start_sync(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
