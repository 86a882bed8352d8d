"""An address in; a listening socket, or an error that says who is in the way and what to do, out."""

from __future__ import annotations

import errno
import socket
from datetime import timedelta
from time import monotonic, sleep

from waymark_schema.errors import WaymarkError
from waymark_web.settings import LAST_PORT, Address

BACKLOG = 1024
_LOOK_SECONDS = 0.1


class CannotListen(WaymarkError):
    """The address cannot be listened on; `busy` when another process has it."""

    def __init__(self, message: str, *, busy: bool) -> None:
        """Keep the message and whether trying again may help."""
        super().__init__(message)
        self.busy = busy


def listen(address: Address, *, patience: timedelta = timedelta(0)) -> socket.socket:
    """Bind and listen; a busy port is tried again for as long as `patience`.

    Raises CannotListen.
    """
    deadline = monotonic() + patience.total_seconds()
    while True:
        try:
            return _bound(address)
        except CannotListen as error:
            if not error.busy or monotonic() >= deadline:
                raise
            sleep(_LOOK_SECONDS)


def _bound(address: Address) -> socket.socket:
    try:
        found = socket.getaddrinfo(
            address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        msg = (
            f"cannot listen on {address.shown}: the host {address.host!r} is unknown ({error.strerror or error}).\n"
            "Set WAYMARK_WEBAPP_ADDR to an address of this machine, such as 127.0.0.1:24119."
        )
        raise CannotListen(msg, busy=False) from error
    # An empty host is every interface: 0.0.0.0, as the default says.
    family, kind, protocol, _, where = min(
        found, key=lambda one: not address.host and one[0] is not socket.AF_INET
    )
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _explained(address, error) from error
    return listener


def _explained(address: Address, error: OSError) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        other = Address(address.host, address.port % LAST_PORT + 1)
        return CannotListen(
            f"cannot listen on {address.shown}: another process already does.\n"
            f"Stop it, or set WAYMARK_WEBAPP_ADDR to another address, such as {other.shown}.",
            busy=True,
        )
    advice = {
        errno.EACCES: "Ports below 1024 belong to root; set WAYMARK_WEBAPP_ADDR to a higher one.",
        errno.EADDRNOTAVAIL: "This machine has no such address; set WAYMARK_WEBAPP_ADDR to one that it has.",
    }.get(error.errno or 0, "Set WAYMARK_WEBAPP_ADDR to another address.")
    return CannotListen(
        f"cannot listen on {address.shown}: {error.strerror}.\n{advice}", busy=False
    )
