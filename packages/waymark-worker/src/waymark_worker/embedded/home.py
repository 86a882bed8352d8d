"""A directory in; the places below it where a private Postgres keeps its files out."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import socket
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from waymark_worker.embedded.errors import (
    DataDirectoryBroken,
    DataDirectoryVersionMismatch,
    HomeUnusable,
    SocketDirectoryUnusable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from waymark_worker.embedded.binaries import Binaries

# sun_path holds 104 bytes with its terminator on macOS and the BSDs, 108 on Linux.
_LONGEST_SOCKET_PATH = 103
_LONGEST_SOCKET_NAME = ".s.PGSQL.65535"
_LONGEST_LOG = 4 * 1024 * 1024
_RUNTIME_VARIABLES = ("WAYMARK_RUNTIME_DIR", "XDG_RUNTIME_DIR", "TMPDIR")
_RUNTIME_DIRECTORIES = ("/tmp", "/dev/shm")  # noqa: S108 - a private directory is made below


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of one private Postgres, `.waymark` by convention."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "postgres"

    @property
    def unfinished(self) -> Path:
        """Where initdb works; renamed to `data` once it has finished, so half of it is never taken for all."""
        return self.root / "postgres.unfinished"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def password_file(self) -> Path:
        return self.root / "postgres.password"

    def prepare(self) -> None:
        """Create the directory, let it ignore itself, and keep the log from growing for ever.

        Raises:
            HomeUnusable: it cannot be written.

        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
            if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG:
                self.log.replace(self.log.with_suffix(".log.1"))
            self.log.touch(mode=0o600)
        except OSError as error:
            raise HomeUnusable(self.root, error) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time create or start the server; held for the start only."""
        try:
            descriptor = os.open(self.root / "postgres.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise HomeUnusable(self.root, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def initialized(self, binaries: Binaries) -> bool:
        """Say whether `data` is complete and of the right major version.

        Raises:
            DataDirectoryBroken: something else is there.
            DataDirectoryVersionMismatch: another major version made it.

        """
        if not self.data.exists():
            return False
        version = self.data / "PG_VERSION"
        if not version.is_file():
            if self.data.is_dir() and not any(self.data.iterdir()):
                self.data.rmdir()
                return False
            raise DataDirectoryBroken(self.data, "it has no PG_VERSION")
        text = version.read_text(encoding="utf-8", errors="replace").strip()
        if not text.isdecimal():
            raise DataDirectoryBroken(self.data, f"its PG_VERSION says {text!r}")
        if int(text) != binaries.major:
            raise DataDirectoryVersionMismatch(
                self.data, found=int(text), expected=binaries.major, binaries=binaries.directory
            )
        return True

    def begin(self, owner: tuple[int, int]) -> None:
        """Make the empty directory for initdb and the password that it reads."""
        shutil.rmtree(self.unfinished, ignore_errors=True)
        self.unfinished.mkdir(mode=0o700)
        descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
        give(self.unfinished, owner)
        give(self.password_file, owner)

    def finish(self) -> None:
        """Turn what initdb made into the data directory, in one step."""
        self.unfinished.rename(self.data)
        directory = os.open(self.root, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @property
    def password(self) -> str:
        """The superuser's password for connections over 127.0.0.1."""
        return self.password_file.read_text(encoding="ascii").strip()

    def log_size(self) -> int:
        return self.log.stat().st_size

    def log_since(self, offset: int, lines: int = 12) -> str:
        """Return the last lines that were logged after `offset`."""
        with self.log.open("rb") as file:
            file.seek(offset)
            text = file.read().decode(errors="replace")
        return "\n".join(text.strip().split("\n")[-lines:])


def give(path: Path, owner: tuple[int, int]) -> None:
    """Hand a path, and all below it, to another user; does nothing when it is theirs already."""
    if path.lstat().st_uid == owner[0]:
        return
    os.chown(path, *owner, follow_symlinks=False)
    if path.is_dir() and not path.is_symlink():
        for directory, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(Path(directory, name), *owner, follow_symlinks=False)


def socket_directory(root: Path, owner: tuple[int, int], environment: Mapping[str, str]) -> Path:
    """Return a private directory whose path is short enough for a unix socket.

    Raises:
        SocketDirectoryUnusable: no candidate is.

    """
    key = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:12]
    places = [environment[name] for name in _RUNTIME_VARIABLES if environment.get(name)]
    candidates = [root.resolve() / "socket"]
    candidates += [Path(place) / f"waymark-pg-{key}" for place in (*places, *_RUNTIME_DIRECTORIES)]
    reasons: list[str] = []
    for candidate in candidates:
        reason = _why_unusable(candidate, owner)
        if reason is None:
            return candidate
        reasons.append(f"{str(candidate)!r}: {reason}")
    raise SocketDirectoryUnusable(reasons)


def _why_unusable(directory: Path, owner: tuple[int, int]) -> str | None:
    length = len(os.fsencode(directory / _LONGEST_SOCKET_NAME))
    if length > _LONGEST_SOCKET_PATH:
        return f"the path of a socket in it would have {length} bytes, at most {_LONGEST_SOCKET_PATH} fit"
    if not directory.is_absolute():
        return "it is not an absolute path"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return "it is a link or a file"
        if found.st_uid not in {os.geteuid(), owner[0]}:
            return f"it belongs to uid {found.st_uid}"
        directory.chmod(0o700)
        _try_socket(directory)
        give(directory, owner)
    except OSError as error:
        return str(error)
    return None


def _try_socket(directory: Path) -> None:
    # Some shared folders of virtual machines accept files and refuse sockets.
    probe = directory / f".probe-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            listener.bind(str(probe))
        finally:
            probe.unlink(missing_ok=True)
