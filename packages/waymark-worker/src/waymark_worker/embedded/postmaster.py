"""A data directory in, what its postmaster.pid says about a running server out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_STATUS_LINE = 7


@dataclass(frozen=True, slots=True)
class PostmasterFile:
    """The two facts of postmaster.pid that matter: who wrote it, and how far that server is."""

    pid: int
    status: str

    @property
    def ready(self) -> bool:
        return self.status == "ready"


def read_postmaster_file(data: Path) -> PostmasterFile | None:
    """Return the facts, or None when there is no file or it is still being written."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n")
        pid = int(lines[0])
    except (FileNotFoundError, ValueError):
        return None
    status = lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else ""
    return PostmasterFile(abs(pid), status)


def running_server(data: Path) -> int | None:
    """Return the process id of the live server on `data`, or None when there is none.

    After a crash the file stays behind, and its process id may meanwhile belong to anything: Postgres
    would refuse to start. So the process must also look like a postmaster of this directory; in doubt
    it counts as one.
    """
    found = read_postmaster_file(data)
    if found is None or not _alive(found.pid):
        return None
    command = _command_line(found.pid)
    return found.pid if command is None or _may_serve(command, data) else None


def _may_serve(command: list[str], data: Path) -> bool:
    program = Path(command[0]).name if command else ""
    if program not in {"postgres", "postmaster"}:
        return False
    if "-D" not in command[:-1]:
        return True
    named = Path(command[command.index("-D") + 1])
    try:
        return named.samefile(data)
    except OSError:
        return str(named) == str(data)


def forget_dead_server(data: Path) -> None:
    """Remove the postmaster.pid of a server that is known to be gone."""
    (data / "postmaster.pid").unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _command_line(pid: int) -> list[str] | None:
    process = Path("/proc", str(pid))
    if Path("/proc/self/cmdline").exists():
        try:
            raw = (process / "cmdline").read_bytes()
        except FileNotFoundError:
            return []
        except OSError:
            return None
        return [part.decode(errors="replace") for part in raw.split(b"\0") if part]
    listing = subprocess.run(
        ["/bin/ps", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return listing.stdout.split() if listing.returncode == 0 else None
