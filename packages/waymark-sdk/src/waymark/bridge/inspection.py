"""The environment in; how its bridge is doing out, or that it was ended: nothing is ever booted for it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from pathlib import Path
from typing import Final

from waymark import settings
from waymark.bridge.connecting import HostBridge, Opened, Sidecar, connect_unix, endpoint
from waymark.bridge.link import LinkLost
from waymark.bridge.pauses import growing, pause
from waymark.bridge.peers import peer_pid
from waymark.bridge.place import Place
from waymark.bridge.protocol import Inspect, Inspected, Stop
from waymark.errors import BridgeUnavailable

END_SECONDS: Final = 10.0


async def inspect() -> Inspected | None:
    """Ask the bridge how it is; None when none runs."""
    opened = await _opened()
    if opened is None:
        return None
    try:
        answer = await opened.link.ask(Inspect)
    except LinkLost:
        return None
    finally:
        opened.link.close()
    return answer if isinstance(answer, Inspected) else None


async def stop() -> int | None:
    """End the bridge and return its pid once it is gone; None when none runs.

    One that no longer answers is killed: what it was asked and did not do is asked again by the clients.
    """
    try:
        opened = await _opened()
    except BridgeUnavailable:
        return await _kill()
    if opened is None:
        return None
    try:
        await opened.link.ask(Stop)
    except LinkLost:
        pass  # it ended just now, which is what was wanted
    finally:
        opened.link.close()
    await _gone()
    return opened.welcome.pid


async def _opened() -> Opened | None:
    way = endpoint()
    if isinstance(way, HostBridge):
        return await way.connect()
    if isinstance(way, Sidecar):
        return await way.open()
    msg = "WAYMARK_BRIDGE_MODE is 'inprocess': each process has a bridge of its own, which ends with it"
    raise BridgeUnavailable(msg)


async def _kill() -> int | None:
    way = endpoint()
    if not isinstance(way, HostBridge):
        msg = f"the bridge at {settings.current().bridge_addr} does not answer; end its process on its own host"
        raise BridgeUnavailable(msg)
    connected = connect_unix(str(way.place.socket))
    if connected is None:
        return None
    # Asked of the kernel: the pid in the lock file may be one of another container.
    with connected:
        pid = peer_pid(connected)
    if pid is None:
        msg = f"the bridge at {way.place.socket} does not answer; end its process, named in {way.place.lock}"
        raise BridgeUnavailable(msg)
    os.kill(pid, signal.SIGKILL)
    await _gone()
    return pid


async def _gone() -> None:
    """Wait until the lock is free: the next client may boot another then."""
    way = endpoint()
    if not isinstance(way, HostBridge):
        return
    try:
        async with asyncio.timeout(END_SECONDS):
            for seconds in growing(longest=0.1):
                if _is_free(way.place):
                    return
                await pause(seconds)
    except TimeoutError:
        msg = f"the bridge was told to end {END_SECONDS:g} s ago and still runs; its log: {way.place.log}"
        raise BridgeUnavailable(msg) from None


def _is_free(place: Place) -> bool:
    try:
        descriptor = os.open(Path(place.lock), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
