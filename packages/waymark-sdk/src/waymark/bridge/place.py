"""A database's identity in; the directory, socket, lock and log of its bridge on this host out."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from waymark.bridge.protocol import PROTOCOL
from waymark.errors import BridgeUnavailable

LONGEST_PATH = 103
"""macOS takes 104 bytes for a socket's path, a closing NUL among them."""
_KEY_DIGITS = 16
_PRIVATE = 0o700
_OTHERS = 0o077
_log = logging.getLogger("waymark.bridge")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one bridge is met: one per host, user, protocol version and database."""

    directory: Path
    key: str

    @property
    def socket(self) -> Path:
        """The unix socket it serves."""
        return self.directory / f"{self.key}.sock"

    @property
    def lock(self) -> Path:
        """Locked by the bridge as long as it lives; holds its pid."""
        return self.directory / f"{self.key}.lock"

    @property
    def boot_lock(self) -> Path:
        """Locked by the client that boots a bridge, so that not all of a host's workers do."""
        return self.directory / f"{self.key}.boot"

    @property
    def log(self) -> Path:
        """What it wrote to its stderr."""
        return self.directory / f"{self.key}.log"


def key_of(identity: Sequence[str]) -> str:
    """Name the bridge of a database; the protocol's number is part of it.

    >>> key_of(["db", "5432", "app", "app", "waymark"]) == key_of(["db", "5432", "app", "app", "other"])
    False
    """
    spelled = "\0".join([str(PROTOCOL), *identity])
    return f"b{PROTOCOL}-{hashlib.sha256(spelled.encode()).hexdigest()[:_KEY_DIGITS]}"


def place_of(
    identity: Sequence[str], *, runtime_dir: str | None, alternatives: Sequence[str | None]
) -> Place:
    """Choose the first directory that is writable and short enough, and make our own inside it.

    Raises:
        BridgeUnavailable: what stands under that name is a link, or somebody else's; or no directory
            can be used.

    """
    key = key_of(identity)
    tried: list[str] = []
    for base in _distinct([runtime_dir, *alternatives]):
        why_not = _unfit(base, key)
        if why_not is None:
            return Place(private_directory(Path(base) / _directory_name()), key)
        tried.append(f"{base} {why_not}")
        if base == runtime_dir:
            _log.warning("WAYMARK_RUNTIME_DIR %s %s; another directory is used", base, why_not)
    msg = (
        "the bridge needs a directory for its socket, and none can be used: "
        f"{'; '.join(tried) or 'none is known'}.\n"
        "Set WAYMARK_RUNTIME_DIR to a directory that this user may write to."
    )
    raise BridgeUnavailable(msg)


def private_directory(path: Path) -> Path:
    """Make a directory that only we can enter, or check that the one that stands there is such.

    Raises:
        BridgeUnavailable: it is a link, not a directory, or belongs to somebody else.

    """
    try:
        path.mkdir(mode=_PRIVATE)
    except FileExistsError:
        pass
    except OSError as error:
        msg = f"the bridge's directory {path} cannot be made: {error.strerror}.\n{_ADVICE}"
        raise BridgeUnavailable(msg) from error
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise _refused(path, "is a symbolic link")
    if not stat.S_ISDIR(found.st_mode):
        raise _refused(path, "is not a directory")
    if found.st_uid != os.geteuid():
        raise _refused(path, f"belongs to user {found.st_uid}")
    if found.st_mode & _OTHERS:
        _close_to_others(path)
    return path


_ADVICE: Final = "Remove it, or set WAYMARK_RUNTIME_DIR to a directory of your own."


def _refused(path: Path, what: str) -> BridgeUnavailable:
    return BridgeUnavailable(
        f"{path} {what}; expected a directory of user {os.geteuid()}, who alone may reach the bridge.\n"
        f"{_ADVICE}"
    )


def _close_to_others(path: Path) -> None:
    # By descriptor: between the look and the change nobody can put a link in its place.
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise _refused(path, "belongs to somebody else")
        os.fchmod(descriptor, _PRIVATE)
    finally:
        os.close(descriptor)


def _directory_name() -> str:
    return f"waymark-{os.geteuid()}"


def _unfit(base: str, key: str) -> str | None:
    longest = Path(base) / _directory_name() / f"{key}.sock"
    if not Path(base).is_absolute():
        return "is not an absolute path"
    if len(os.fsencode(longest)) > LONGEST_PATH:
        return f"makes a socket path of more than {LONGEST_PATH} bytes"
    if not Path(base).is_dir():
        return "is not a directory"
    return _unwritable(base)


def _unwritable(base: str) -> str | None:
    ours = Path(base) / _directory_name()
    try:
        # A try tells more than permission bits: read-only mounts, quotas, full disks, name spaces.
        with tempfile.TemporaryFile(dir=ours if ours.is_dir() and not ours.is_symlink() else base):
            return None
    except PermissionError:
        # Ours, or what a stranger put there: told apart, with a message, when it is opened.
        return None if ours.is_symlink() or ours.exists() else "is not writable"
    except OSError as error:
        return f"is not writable ({error.strerror})"


def _distinct(bases: Sequence[str | None]) -> list[str]:
    return list(dict.fromkeys(base for base in bases if base))
