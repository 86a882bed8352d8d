"""Who we are in, who Postgres shall run as out: it refuses root and, in initdb, users without an entry."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from waymark_worker.embedded import launch
from waymark_worker.embedded.errors import NoUnprivilegedIdentity

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAUNCH = Path(launch.__file__)
_NOBODY_NAMES = ("nobody", "daemon")


class Guard(Enum):
    """How the server learns that its owner is gone."""

    SIGNAL = "signal"
    WATCHDOG = "watchdog"

    @classmethod
    def of_this_system(cls) -> Guard:
        return cls.SIGNAL if sys.platform == "linux" else cls.WATCHDOG


class IdentityKind(Enum):
    """The ways to run Postgres, in order of preference."""

    SAME = "same"
    NAMESPACE = "namespace"
    NOBODY = "nobody"
    NOBODY_WITH_FILE_ACCESS = "nobody-with-file-access"


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and group that Postgres sees itself as, and how it gets there."""

    kind: IdentityKind
    uid: int
    gid: int

    @property
    def owner(self) -> tuple[int, int]:
        """Whom its files belong to, seen from here."""
        if self.kind in {IdentityKind.NOBODY, IdentityKind.NOBODY_WITH_FILE_ACCESS}:
            return self.uid, self.gid
        return os.geteuid(), os.getegid()

    def command(
        self,
        program: Sequence[str],
        *,
        guard: Guard,
        reach: Sequence[Path] = (),
        at_owners_end: signal.Signals = signal.SIGQUIT,
    ) -> list[str]:
        """Return the command line that becomes `program` with this identity, bound to this process.

        It gets `at_owners_end` when the thread that starts it, or this process, is gone. Postgres takes
        SIGQUIT for an immediate shutdown, which is safe for everything that was committed.
        """
        return [
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCH),
            f"--owner={os.getpid()}",
            f"--guard={guard.value}",
            f"--signal={int(at_owners_end)}",
            f"--identity={self.kind.value}",
            f"--uid={self.uid}",
            f"--gid={self.gid}",
            *(f"--reach={path}" for path in reach),
            "--",
            *program,
        ]


def own_identity() -> Identity:
    """Return who we are: for children that need no other identity, only an owner."""
    return Identity(IdentityKind.SAME, os.geteuid(), os.getegid())


def choose_identity(postgres: Path, home: Path) -> Identity:
    """Return the first identity that can run `postgres` and reach `home`, tried for real.

    Raises:
        NoUnprivilegedIdentity: none can.

    """
    if os.geteuid() != 0 and _has_entry(os.geteuid()):
        return own_identity()
    reasons: list[str] = []
    for identity in possible_identities():
        reason = why_not(identity, postgres, home)
        if reason is None:
            return identity
        reasons.append(f"{identity.kind.value}: {reason}")
    raise NoUnprivilegedIdentity(os.geteuid(), reasons or ["no user but root in the password file"])


def possible_identities() -> list[Identity]:
    """Return what may be tried when our own identity will not do."""
    entry = _unprivileged_entry()
    if entry is None:
        return []
    kinds = [IdentityKind.NAMESPACE] if sys.platform == "linux" else []
    if os.geteuid() == 0:
        kinds.append(IdentityKind.NOBODY)
        if sys.platform == "linux":
            kinds.append(IdentityKind.NOBODY_WITH_FILE_ACCESS)
    return [Identity(kind, entry.pw_uid, entry.pw_gid) for kind in kinds]


def why_not(identity: Identity, postgres: Path, home: Path) -> str | None:
    """Try an identity; return None when it works, else the reason."""
    guard = Guard.of_this_system()
    tried = subprocess.run(
        identity.command([str(postgres), "--version"], guard=guard, reach=[home]),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if tried.returncode == 0:
        return None
    return tried.stderr.strip() or f"exit status {tried.returncode}"


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _unprivileged_entry() -> pwd.struct_passwd | None:
    for name in _NOBODY_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        # macOS gives nobody the id -2, which no file can be given to by every tool.
        if entry.pw_uid > 0:
            return entry
    return next((entry for entry in pwd.getpwall() if entry.pw_uid > 0), None)
