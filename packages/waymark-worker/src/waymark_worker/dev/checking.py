"""Names of modules in; what a fresh interpreter makes of them, as `waymark check` says it, out."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, PathFinder
from pathlib import Path

import msgspec

from waymark_worker.embedded.identity import Guard, own_identity

WAYMARK = (sys.executable, "-c", "from waymark_schema.cli import main; main()")
"""The `waymark` command of this environment, wherever its script may be."""

NOT_IMPORTED = "WM190"
NOTHING_DEFINED = "WM191"


class Problem(msgspec.Struct, frozen=True):
    """One finding of `waymark check --format json`."""

    code: str
    severity: str
    message: str
    instead: str
    file: str
    line: int
    column: int
    excerpt: str

    def __str__(self) -> str:
        kind = "" if self.severity == "error" else "warning: "
        lines = [f"{self.file}:{self.line}:{self.column}: {self.code} {kind}{self.message}"]
        lines += self.excerpt.splitlines()
        if self.instead:
            lines.append(f"  instead: {self.instead}")
        return "\n".join(lines)


class _Report(msgspec.Struct, frozen=True):
    workflows: list[str]
    findings: list[Problem]
    files: list[str]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    workflows: tuple[str, ...]
    problems: tuple[Problem, ...]
    files: frozenset[Path]
    """What importing the modules loaded, installed packages left out."""
    crash: str = ""
    """What the check printed when it could not report at all."""

    @property
    def sound(self) -> bool:
        """Whether workers can run this."""
        return not self.crash and all(one.severity != "error" for one in self.problems)

    @property
    def nothing_there(self) -> str:
        """Why a module of that name does not even exist, else empty: no save mends a name on a command line."""
        missing = (
            str(one)
            for one in self.problems
            if one.code == NOT_IMPORTED and "no module named" in one.message
        )
        return self.crash or "\n\n".join(missing)


async def check(modules: Sequence[str], environment: Mapping[str, str]) -> Checked:
    """Import the modules and compile their workflows in a process of their own."""
    command = own_identity().command(
        [*WAYMARK, "check", "--format", "json", *modules],
        guard=Guard.of_this_system(),
        at_owners_end=signal.SIGKILL,
    )
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    try:
        report = msgspec.json.decode(out, type=_Report)
    except msgspec.MsgspecError:
        said = err.decode(errors="replace").strip().rpartition("Error: ")[2]
        return Checked((), (), frozenset(), said or f"it ended with status {process.returncode}")
    files = frozenset(Path(name) for name in report.files)
    # Actions alone are enough for a pool, which says so itself where there is nothing at all.
    problems = tuple(one for one in report.findings if one.code != NOTHING_DEFINED)
    return Checked(tuple(report.workflows), problems, files)


def first_missing(modules: Sequence[str]) -> str | None:
    """The first of some names under which nothing is found in the current directory or where Python looks."""
    return next((module for module in modules if not _is_there(module)), None)


def _is_there(module: str) -> bool:
    """Look for a module without importing the packages around it."""
    paths: Sequence[str] = ["", *sys.path]
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        found = sys.modules[name].__spec__ if name in sys.modules else None
        found = found or PathFinder.find_spec(name, paths) or BuiltinImporter.find_spec(name)
        if found is None:
            return False
        paths = list(found.submodule_search_locations or ())
    return True


def digest(path: Path) -> bytes | None:
    """What tells one content of a file from another; None when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None
