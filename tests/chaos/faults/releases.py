"""Commands of older pools in the environment in; rounds in which they run beside today's, out (F14)."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

from tests.chaos.fault import Fault, Setting

OLDER = "PYTEST_WAYMARK_OLDER_POOLS"
"""Paths of `waymark-start-workers` in environments with older wheels, separated by colons."""


def older_commands() -> list[Path]:
    """Return those that are there."""
    named = os.environ.get(OLDER, "").split(os.pathsep)
    return [Path(name) for name in named if name and Path(name).exists()]


class MixedVersions(Fault):
    """Pools of older releases and of today's on one database."""

    name = "F14"
    title = "mixed versions"

    @classmethod
    def missing(cls) -> str | None:
        if older_commands():
            return None
        return f"{OLDER} names no waymark-start-workers of an older release"

    def prepare(self, setting: Setting, chance: Random) -> None:
        commands = older_commands()
        # At least one pool of today's stays.
        for plan, command in zip(setting.pools[1:], commands, strict=False):
            plan.command = [str(command)]
