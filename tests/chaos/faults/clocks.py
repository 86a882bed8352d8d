"""Pools whose wall clocks are wrong (F8): one is an hour ahead, one an hour behind.

A small library stands between the processes of a pool and the C library. Debian's libfaketime would do, but it
also stands in front of sleeps, and Python's then fail with EINVAL.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from random import Random

from tests.chaos.fault import Fault, Setting

_SOURCE = Path(__file__).with_name("shifted_clock.c")
HOUR = 3600


def shifted(folder: Path, seconds: int) -> dict[str, str]:
    """Variables under which a process and its children live so far ahead."""
    library = folder / "shifted_clock.so"
    if not library.exists():
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl"]
        subprocess.run(command, check=True)
    return {"LD_PRELOAD": str(library), "PYTEST_WAYMARK_CLOCK_SHIFT": str(seconds)}


class WrongClocks(Fault):
    """The first pool lives an hour ahead, the second one behind, others in time."""

    name = "F8"
    title = "pool clocks ±1 h"

    def __init__(self) -> None:
        self._folder: Path | None = None

    @classmethod
    def missing(cls) -> str | None:
        return None if shutil.which("cc") else "install a C compiler (Debian's package gcc)"

    def prepare(self, setting: Setting, chance: Random) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="waymark-chaos-clock-"))
        for plan, shift in zip(setting.pools, (HOUR, -HOUR), strict=False):
            plan.variables.update(shifted(self._folder, shift))

    def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)
