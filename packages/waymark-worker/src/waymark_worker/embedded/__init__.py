"""A private Postgres for development, tests and the demo: nothing installed, nothing left behind."""

from __future__ import annotations

from waymark_worker.embedded.binaries import Binaries, binaries_in, find_binaries
from waymark_worker.embedded.errors import (
    BinariesMissing,
    DataDirectoryBroken,
    DataDirectoryVersionMismatch,
    DiskFull,
    EmbeddedPostgresError,
    HomeUnusable,
    NoUnprivilegedIdentity,
    PortBusy,
    ServerAlreadyRunning,
    ServerFailed,
    SocketDirectoryUnusable,
)
from waymark_worker.embedded.server import EmbeddedServer
from waymark_worker.embedded.source import DatabaseSource, database_for

__all__ = [
    "Binaries",
    "BinariesMissing",
    "DataDirectoryBroken",
    "DataDirectoryVersionMismatch",
    "DatabaseSource",
    "DiskFull",
    "EmbeddedPostgresError",
    "EmbeddedServer",
    "HomeUnusable",
    "NoUnprivilegedIdentity",
    "PortBusy",
    "ServerAlreadyRunning",
    "ServerFailed",
    "SocketDirectoryUnusable",
    "binaries_in",
    "database_for",
    "find_binaries",
]
