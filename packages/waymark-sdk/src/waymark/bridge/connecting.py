"""The settings of this process in; a link to the bridge that serves it, booted if there is none, out."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from waymark import settings
from waymark.bridge.boot import Booted, BootLock, boot, collect_adopted, tail
from waymark.bridge.link import Link, LinkLost
from waymark.bridge.pauses import growing, pause
from waymark.bridge.peers import peer_uid
from waymark.bridge.place import Place, place_of, private_directory
from waymark.bridge.protocol import PROTOCOL, Hello, Welcome, disagreement
from waymark.bridge.release import version
from waymark.errors import BridgeUnavailable

BOOT_SECONDS: Final = 60.0
"""How long a bridge may take from its start to its first answer: a busy host, a cold disk."""
KILLS: Final = 5
"""So many bridges may be killed while they start."""
SIDECAR_SECONDS: Final = 30.0
HELLO_SECONDS: Final = 15.0
_POLL_LONGEST_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Opened:
    """A link and who is at its other end."""

    link: Link
    welcome: Welcome


class Endpoint(Protocol):
    """One way to a bridge: the host's own, a sidecar's address, or a thread of this process."""

    async def open(self) -> Opened:
        """Return a link that was welcomed; raises ``BridgeUnavailable``, ``SettingError``."""
        ...


@dataclass(frozen=True, slots=True)
class HostBridge:
    """The bridge of this host, user and database: met at its socket, booted if nobody serves it."""

    place: Place
    boot_command: str | None

    async def open(self) -> Opened:
        """Connect, or boot and connect."""
        found = await self.connect()
        if found is not None:
            return found
        # What cleans temporary directories up may have taken it away since the place was chosen.
        private_directory(self.place.directory)
        booting = _Booting(self.place, self.boot_command)
        with closing(BootLock(self.place)) as lock, _within(BOOT_SECONDS, booting.not_in_time):
            async with asyncio.timeout(BOOT_SECONDS):
                for seconds in growing(longest=_POLL_LONGEST_S):
                    holding = lock.taken()
                    found = await self.connect()
                    if found is not None:
                        return found
                    if holding:
                        private_directory(self.place.directory)
                        booting.go_on()
                    await pause(seconds)
        raise AssertionError("pauses never end")

    async def connect(self) -> Opened | None:
        """Connect; None when no bridge runs."""
        connected = connect_unix(str(self.place.socket))
        found = None if connected is None else await _welcomed(connected, token="")
        if found is not None:
            found.link.on_lost = partial(collect_adopted, found.welcome.pid)
        return found


class _Booting:
    """One client's turn at booting: a bridge at a time, until one serves or says why it cannot."""

    __slots__ = ("_booted", "_command", "_killed", "_place")

    def __init__(self, place: Place, boot_command: str | None) -> None:
        self._place = place
        self._command = boot_command
        self._booted: Booted | None = None
        self._killed = 0

    def go_on(self) -> None:
        """Start a bridge unless ours still starts; raises ``BridgeUnavailable`` when it failed."""
        booted = self._booted
        if booted is not None:
            if not booted.ended.is_set():
                return
            said = booted.said()
            if booted.status is not None and booted.status < 0:
                # A signal ended it: that says nothing of the next one, unless it happens again and again.
                self._killed += 1
            # Status 0: another bridge was faster, or is just leaving; no status: somebody else collected it.
            if self._killed > KILLS or (booted.status or 0) > 0 or (booted.status is None and said):
                msg = f"the bridge ended (status {booted.status}) instead of serving {self._place.socket}"
                raise _unavailable(msg, said)
        self._booted = boot(self._place, boot_command=self._command)

    def not_in_time(self) -> BridgeUnavailable:
        """Say that it took too long, with what the bridge said."""
        msg = f"no bridge served {self._place.socket} within {BOOT_SECONDS:g} s"
        return _unavailable(msg, self._booted.said() if self._booted else tail(self._place.log))


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A bridge at a host and port that somebody else runs; never booted from here."""

    address: str
    token: str

    async def open(self) -> Opened:
        """Connect; a container beside this one may still be starting, so a refusal is not believed at once."""
        host, port = split_address(self.address)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SIDECAR_SECONDS
        why: object = ""
        for seconds in growing():
            why = "it hangs up"
            try:
                found = await _welcomed(await _connect_tcp(host, port), token=self.token)
            except OSError as error:
                why, found = error, None
            if found is not None:
                return found
            if loop.time() + seconds > deadline:
                break
            await pause(seconds)
        msg = (
            f"no bridge answers at {self.address} (WAYMARK_BRIDGE_ADDR): {why}.\n"
            "Start one there: WAYMARK_BRIDGE_ADDR=… WAYMARK_BRIDGE_TOKEN=… waymark-bridge"
        )
        raise BridgeUnavailable(msg)


@dataclass(frozen=True, slots=True)
class ThreadBridge:
    """A bridge in a thread of this process: for containers in which no other process may be started."""

    adopt: Callable[[socket.socket], None]

    async def open(self) -> Opened:
        """Connect to the thread, which is started with the first link."""
        ours, theirs = socket.socketpair()
        self.adopt(theirs)
        found = await _welcomed(ours, token="")
        if found is None:
            raise BridgeUnavailable("the bridge in this process ended before it answered")
        return found


def endpoint() -> Endpoint:
    """Return the way to the bridge that the environment asks for; nothing is started yet.

    Raises:
        SettingError: a setting, ``WAYMARK_DATABASE_URL`` above all, is missing or wrong.
        BridgeUnavailable: there is no directory for its socket.

    """
    chosen = settings.current()
    if chosen.bridge_addr:
        token = chosen.bridge_token.get_secret_value() if chosen.bridge_token else ""
        return Sidecar(chosen.bridge_addr, token)
    settings.database()
    if chosen.bridge_mode == "inprocess":
        from waymark.bridge.inprocess import adopt  # noqa: PLC0415 - brings the database driver with it

        return ThreadBridge(adopt)
    return HostBridge(host_place(), chosen.boot_command)


def host_place() -> Place:
    """Return where the bridge of this process's database is met on this host."""
    return place_of(
        (*settings.database().identity, *settings.database_defaults()),
        runtime_dir=settings.current().runtime_dir,
        alternatives=settings.runtime_directories(),
    )


def connect_unix(path: str) -> socket.socket | None:
    """Connect to the socket of this user's bridge; None when nobody serves it right now.

    Raises:
        BridgeUnavailable: somebody else serves it.

    """
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connected.settimeout(0)
        connected.connect(path)
        uid = peer_uid(connected)
    except OSError:
        # Not there, nobody listens, or too many clients are knocking: the caller looks again.
        connected.close()
        return None
    if uid != os.geteuid():
        connected.close()
        msg = (
            f"{path} is served by user {uid}; expected a bridge of user {os.geteuid()}.\n"
            "End that process, or set WAYMARK_RUNTIME_DIR to a directory of your own."
        )
        raise BridgeUnavailable(msg)
    return connected


def split_address(address: str) -> tuple[str, int]:
    """Read ``host:port``, an IPv6 host in brackets; raises ``BridgeUnavailable``.

    >>> split_address("[::1]:24117")
    ('::1', 24117)
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - TCP's
        msg = f"WAYMARK_BRIDGE_ADDR is {address!r}; expected host:port, such as 127.0.0.1:24117"
        raise BridgeUnavailable(msg)
    return host.removeprefix("[").removesuffix("]"), int(port)


async def _connect_tcp(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError | None = None
    for family, kind, protocol, _, address in found:
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(0)
            await loop.sock_connect(connected, address)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connected.close()
            failure = error
        except BaseException:
            connected.close()
            raise
        else:
            return connected
    raise failure or OSError(f"no address is known for {host!r}")


async def _welcomed(connected: socket.socket, *, token: str) -> Opened | None:
    """Exchange hellos; None when the bridge ended meanwhile.

    Raises:
        BridgeUnavailable: it refused us, speaks another protocol, or does not answer.

    """
    link = Link(connected, asyncio.get_running_loop())
    try:
        with _within(HELLO_SECONDS, _silent):
            async with asyncio.timeout(HELLO_SECONDS):
                welcome = await link.greet(Hello(PROTOCOL, version(), os.getpid(), token))
        _check(welcome)
    except LinkLost:
        if link.nonsense:
            msg = f"what answers as the bridge is none: {link.nonsense}"
            raise BridgeUnavailable(msg) from None
        return None
    except BaseException:
        link.close()
        raise
    return Opened(link, welcome)


def _check(welcome: Welcome) -> None:
    different = disagreement(
        ours=PROTOCOL,
        theirs=welcome.protocol,
        we_are=f"this process (waymark-sdk {version()})",
        they_are=f"the bridge (waymark-sdk {welcome.version}, pid {welcome.pid})",
    )
    if different or welcome.refusal:
        raise BridgeUnavailable(different or welcome.refusal)


@contextmanager
def _within(seconds: float, explain: Callable[[], BridgeUnavailable]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        yield
    except TimeoutError:
        if loop.time() - begun < seconds:
            raise  # somebody else's
        raise explain() from None


def _silent() -> BridgeUnavailable:
    return BridgeUnavailable(
        f"the bridge took the connection but did not answer within {HELLO_SECONDS:g} s; is it stopped?\n"
        "End it with: waymark bridge stop. The next start of a run boots another."
    )


def _unavailable(message: str, said: str) -> BridgeUnavailable:
    if said:
        message = f"{message}. Its last lines:\n{said}"
    return BridgeUnavailable(message, stderr=said)
