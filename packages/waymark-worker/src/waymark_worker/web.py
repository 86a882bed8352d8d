"""The web application as a child of the pool: an address in, a gunicorn process out."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys

from waymark_schema.errors import WaymarkError


class WebMissing(WaymarkError):
    """The web was asked for, but its distribution is not installed."""


def require_web() -> None:
    """Raise WebMissing when ``waymark-web`` is not installed."""
    if importlib.util.find_spec("waymark_web") is None:
        msg = (
            "WAYMARK_WEBAPP_ENABLED is true, but the web application is not installed.\n"
            "Install waymark-web beside waymark-worker, or unset WAYMARK_WEBAPP_ENABLED."
        )
        raise WebMissing(msg)


async def start_web() -> asyncio.subprocess.Process:
    """Start the web server; it reads its address from ``WAYMARK_WEBAPP_ADDR`` and ends on SIGTERM and with us."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "waymark_web",
        "--with-parent",
        str(os.getpid()),
        stdin=asyncio.subprocess.DEVNULL,
    )
