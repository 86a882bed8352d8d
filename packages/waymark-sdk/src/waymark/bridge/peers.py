"""A connected unix socket in; the user and the process on the other end of it out."""

from __future__ import annotations

import socket
import struct

_UCRED = struct.Struct("3i")
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
_XUCRED = struct.Struct("2I")
_XUCRED_BYTES = 76


_LINUX = getattr(socket, "SO_PEERCRED", None)


def peer_uid(connected: socket.socket) -> int:
    """Return the uid of the process on the other end, as the kernel noted it when it connected."""
    if _LINUX is not None:
        found = connected.getsockopt(socket.SOL_SOCKET, _LINUX, _UCRED.size)
        return int(_UCRED.unpack(found)[1])
    # The BSDs and macOS: struct xucred begins with its version and the uid.
    found = connected.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
    return int(_XUCRED.unpack_from(found)[1])


def peer_pid(connected: socket.socket) -> int | None:
    """Return the process on the other end as this one would call it; None where that cannot be known."""
    if _LINUX is None:
        return None
    found = connected.getsockopt(socket.SOL_SOCKET, _LINUX, _UCRED.size)
    return int(_UCRED.unpack(found)[0]) or None
