"""A connected unix socket in; the user on the other end of it out."""

from __future__ import annotations

import socket
import struct

_UCRED = struct.Struct("3i")
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
_XUCRED = struct.Struct("2I")
_XUCRED_BYTES = 76


def peer_uid(connected: socket.socket) -> int:
    """Return the uid of the process on the other end, as the kernel noted it when it connected."""
    credentials = getattr(socket, "SO_PEERCRED", None)
    if credentials is not None:
        found = connected.getsockopt(socket.SOL_SOCKET, credentials, _UCRED.size)
        return int(_UCRED.unpack(found)[1])
    # The BSDs and macOS: struct xucred begins with its version and the uid.
    found = connected.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
    return int(_XUCRED.unpack_from(found)[1])
