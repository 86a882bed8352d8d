"""What can go wrong with the private Postgres, in: the facts; out: an error that says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from waymark_schema.errors import WaymarkError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class EmbeddedPostgresError(WaymarkError):
    """The private Postgres cannot be used; every subclass is one decision a caller can make."""


class BinariesMissing(EmbeddedPostgresError):
    """No usable Postgres binaries were found."""


class HomeUnusable(EmbeddedPostgresError):
    """The directory that should hold the private Postgres cannot be created or written."""

    def __init__(self, path: Path, cause: OSError) -> None:
        self.path = path
        super().__init__(
            f"the private Postgres cannot keep its files in {str(path)!r}: {cause}. "
            "Expected a writable directory; choose another one or set WAYMARK_DATABASE_URL "
            "to use a Postgres of your own."
        )


class DiskFull(EmbeddedPostgresError):
    """The file system of the private Postgres has no space left."""

    def __init__(self, path: Path, excerpt: str) -> None:
        self.path = path
        super().__init__(
            f"the private Postgres ran out of disk space in {str(path)!r} (it needs about 100 MB). "
            f"Free some space there and start again; nothing that was committed is lost.\n{excerpt}"
        )


class DataDirectoryBroken(EmbeddedPostgresError):
    """The data directory exists and is not one that Postgres finished making."""

    def __init__(self, path: Path, found: str) -> None:
        self.path = path
        super().__init__(
            f"{str(path)!r} is not a Postgres data directory: {found}. "
            "Expected a directory with a PG_VERSION file, or none at all. "
            f"Move {str(path)!r} away and start again to get a new, empty database."
        )


class DataDirectoryVersionMismatch(EmbeddedPostgresError):
    """The data directory was made by another major version."""

    def __init__(self, path: Path, *, found: int, expected: int, binaries: Path) -> None:
        self.path = path
        self.found = found
        self.expected = expected
        super().__init__(
            f"the data in {str(path)!r} was made by PostgreSQL {found}, but the binaries in "
            f"{str(binaries)!r} are PostgreSQL {expected}. Set WAYMARK_PG_BIN to the bin directory "
            f"of a PostgreSQL {found} to keep the data, or move {str(path)!r} away to start with "
            "an empty database."
        )


class ServerAlreadyRunning(EmbeddedPostgresError):
    """Another process owns a live server on the same data directory."""

    def __init__(self, path: Path, pid: int) -> None:
        self.path = path
        self.pid = pid
        super().__init__(
            f"a Postgres is already running on {str(path)!r} (process {pid}). One owner at a time: "
            "stop the command that started it, or run this one from another directory."
        )


class PortBusy(EmbeddedPostgresError):
    """Something else listens on the TCP port that was asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"port {port} on 127.0.0.1 is taken by another program. "
            "Stop that program or choose another port (0 picks a free one)."
        )


class NoUnprivilegedIdentity(EmbeddedPostgresError):
    """Postgres refuses to run as this user and no other identity is to be had."""

    def __init__(self, uid: int, reasons: Sequence[str]) -> None:
        self.uid = uid
        self.reasons = tuple(reasons)
        tried = "\n".join(f"  - {reason}" for reason in reasons)
        super().__init__(
            f"Postgres cannot run as uid {uid} here, and no other identity works. Tried:\n{tried}\n"
            "Run as an ordinary user with an entry in the password file, allow user namespaces, or "
            "set WAYMARK_DATABASE_URL to use a Postgres of your own."
        )


class SocketDirectoryUnusable(EmbeddedPostgresError):
    """No directory can hold the unix socket."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        tried = "\n".join(f"  - {reason}" for reason in reasons)
        super().__init__(
            f"no directory can hold the unix socket of the private Postgres. Tried:\n{tried}\n"
            "Set WAYMARK_RUNTIME_DIR to a short, writable directory that only you own."
        )


class ServerFailed(EmbeddedPostgresError):
    """The server (or initdb) ended, or was not ready in time."""

    def __init__(self, what: str, *, log: Path, excerpt: str) -> None:
        self.log = log
        self.excerpt = excerpt
        super().__init__(f"{what}. Its whole log is {str(log)!r}; the end of it:\n{excerpt}")
