"""The environment and arguments in; a bridge process out, in the foreground or for the SDK that boots it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from datetime import timedelta

from waymark import settings
from waymark.bridge.connecting import host_place, split_address
from waymark.bridge.daemon import LINGER, Daemon, Door
from waymark.bridge.logs import log_to_stderr
from waymark.bridge.singleton import Singleton, holder
from waymark.bridge.store import Store
from waymark.errors import BridgeUnavailable
from waymark_schema.errors import WaymarkError

CANNOT_START = 78
"""Exit status, as sysexits.h has it for a configuration error."""
_log = logging.getLogger("waymark.bridge")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the bridge: the command ``waymark-bridge``."""
    parser = argparse.ArgumentParser(
        prog="waymark-bridge",
        description="Serve the applications of this host; they boot a bridge by themselves otherwise.",
    )
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    try:
        sys.exit(_run(detached=chosen.detached))
    except WaymarkError as error:
        print(f"waymark-bridge: {error}", file=sys.stderr)  # noqa: T201 - its output
        sys.exit(CANNOT_START)


def _run(*, detached: bool) -> int:
    if sys.platform == "win32":
        raise BridgeUnavailable("waymark-bridge does not run on Windows; use WSL or a container")
    if detached:
        _detach()
    chosen = settings.current()
    log_to_stderr(chosen.log_level, form=chosen.log_format, bounded=detached)
    store = Store(settings.database())
    idle_exit = timedelta(seconds=chosen.bridge_idle_exit_s) if detached else None
    if chosen.bridge_addr:
        return asyncio.run(_serve(store, _tcp_doors(chosen), idle_exit, detached=detached))
    place = host_place()
    singleton = Singleton.take(place)
    if singleton is None:
        if not detached:
            raise BridgeUnavailable(
                f"process {holder(place.lock)} already is the bridge of this user and database.\n"
                "See: waymark bridge status. End it with: waymark bridge stop"
            )
        return 0
    try:
        doors = [Door(singleton.listen())]
        return asyncio.run(_serve(store, doors, idle_exit, detached=detached))
    finally:
        singleton.leave()


def _detach() -> None:
    """Let go of what the booter had; it closed its descriptors and gave us a session already."""
    os.chdir("/")
    os.umask(0o077)
    if os.getsid(0) != os.getpid():
        os.setsid()


def _tcp_doors(chosen: settings.Settings) -> list[Door]:
    if chosen.bridge_token is None or not chosen.bridge_token.get_secret_value():
        raise BridgeUnavailable(
            "WAYMARK_BRIDGE_ADDR is set without WAYMARK_BRIDGE_TOKEN; whoever reaches the address could"
            " start runs.\nSet the same secret for the bridge and its clients."
        )
    host, port = split_address(chosen.bridge_addr or "")
    try:
        listening = socket.create_server((host, port), family=_family(host))
    except OSError as error:
        raise BridgeUnavailable(
            f"WAYMARK_BRIDGE_ADDR {host}:{port} cannot be served: {error}"
        ) from error
    return [Door(listening, chosen.bridge_token.get_secret_value())]


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


async def _serve(
    store: Store, doors: Sequence[Door], idle_exit: timedelta | None, *, detached: bool
) -> int:
    # In the foreground a person reads what went wrong: no client has to come and be told.
    daemon = Daemon(store, idle_exit=idle_exit, linger=LINGER if detached else timedelta())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, daemon.stop)
    trouble = await daemon.run(doors)
    if trouble is None:
        return 0
    if not detached:
        raise trouble
    _log.error("%s", trouble)
    return 1


if __name__ == "__main__":
    main()
