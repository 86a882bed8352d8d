"""The web application as a child of the pool: an address in, a gunicorn process out."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import socket
import sys

from waymark_schema.errors import SettingError, WaymarkError
from waymark_worker.clock import pause
from waymark_worker.pool.process import ChildProcess, exit_text, start_process
from waymark_worker.settings import WEB_PORT
from waymark_worker.telemetry import log

VARIABLE = "WAYMARK_WEBAPP_ADDR"
MAX_PORT = 65_535
MAX_RESTART_SECONDS = 10.0
STABLE_SECONDS = 30.0
END_SECONDS = 5.0
"""For the server to end when it is asked to."""


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


def require_address(address: str) -> None:
    """Raise SettingError when nobody could listen on ``address``: it is none, or somebody listens there."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= MAX_PORT:
        raise SettingError(
            VARIABLE,
            f"{VARIABLE} is {address!r}; expected HOST:PORT with a port from 1 to {MAX_PORT}, "
            f"such as 0.0.0.0:{WEB_PORT}.",
        )
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[0][4])
    except OSError as error:
        raise SettingError(
            VARIABLE,
            f"the web application cannot listen on {VARIABLE}={address}: {error.strerror or error}.\n"
            "Stop what uses that port, or choose another: "
            f"WAYMARK_WEBAPP_ADDR={host}:{int(port) % MAX_PORT + 1}",
        ) from error


async def serve_until_cancelled() -> None:
    """Keep the web server running, whatever ends it; it ends when this is cancelled."""
    loop, deaths = asyncio.get_running_loop(), 0
    while True:
        started_at = loop.time()
        try:
            await _serve_once()
        except OSError as error:
            # It was no reason for the pool to end that the web did; so it is none that it cannot begin.
            log.error("web.not_started", error=str(error))
        deaths = 0 if loop.time() - started_at > STABLE_SECONDS else deaths + 1
        await pause(min(MAX_RESTART_SECONDS, 0.5 * 2 ** min(deaths, 10)))


async def _serve_once() -> None:
    process = await _start()
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise
    log.warning("web.died", exit=exit_text(code))


async def _start() -> ChildProcess:
    """Start the web server; it reads its address from ``WAYMARK_WEBAPP_ADDR`` and ends on SIGTERM."""
    return await start_process(sys.executable, "-m", "waymark_web")


async def _end(process: ChildProcess) -> None:
    process.send(signal.SIGTERM)
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.send(signal.SIGKILL)
        await process.wait()
