"""Pools whose wall clocks are wrong (F8): one is an hour ahead, one an hour behind.

Debian's libfaketime stands between the processes of a pool and the C library; monotonic clocks stay true.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.chaos.fault import Fault, Setting

_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


def _library() -> Path | None:
    found = [path for place in _PLACES for path in sorted(Path("/").glob(place[1:]))]
    return found[0] if found else None


class WrongClocks(Fault):
    """The first pool lives an hour ahead, the second one behind, others in time."""

    name = "F8"
    title = "pool clocks ±1 h"

    @classmethod
    def missing(cls) -> str | None:
        return None if _library() else "install Debian's package faketime"

    def prepare(self, setting: Setting, chance: Random) -> None:
        for plan, shift in zip(setting.pools, ("+3600", "-3600"), strict=False):
            plan.variables |= {
                "LD_PRELOAD": str(_library()),
                "FAKETIME": shift,
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
                # Nothing in /dev/shm: a killed process would leave it there.
                "FAKETIME_DISABLE_SHM": "1",
            }
