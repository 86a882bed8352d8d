"""A size in; a small file system in memory that can be filled to the last block, and emptied, out."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A mounted tmpfs."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> int:
        """Leave no block free; returns how many bytes that took."""
        block = b"\0" * _BLOCK
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        written = 0
        try:
            while True:
                written += os.write(descriptor, block)
        except OSError:
            return written
        finally:
            os.close(descriptor)

    def free(self) -> None:
        """Give back what `fill` took."""
        self._ballast.unlink(missing_ok=True)


def why_no_small_disk() -> str | None:
    """Say why file systems cannot be mounted here; None if they can."""
    if os.geteuid() != 0:
        return "a small disk needs root, to mount one"
    folder = Path(tempfile.mkdtemp(prefix="waymark-disk-"))
    try:
        _mount(folder, 1)
        _unmount(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"a small disk cannot be mounted here: {error}"
    finally:
        folder.rmdir()
    return None


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """Mount one and unmount it again; nothing may use it by then."""
    folder = Path(tempfile.mkdtemp(prefix="waymark-disk-"))
    # Whoever the server runs as must be able to reach it.
    folder.chmod(0o755)
    _mount(folder, megabytes)
    try:
        yield SmallDisk(folder)
    finally:
        _unmount(folder)
        shutil.rmtree(folder)


def _mount(folder: Path, megabytes: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", str(folder)], check=True, capture_output=True)
