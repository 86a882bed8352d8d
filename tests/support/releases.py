"""What changed and when, or a CPython in; an environment with the wheels of a commit, beside today's, out."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".dev" / "releases"
_COMPLETE = "complete"
_SCHEMA = "packages/waymark-schema/src/waymark_schema"
_SDK = "packages/waymark-sdk/src/waymark"
CHANGES: dict[str, tuple[str, ...]] = {
    "migration": ("--diff-filter=A", "--", f"{_SCHEMA}/migrations"),
    "program": ("-G^(FORMAT|SEMANTICS) = ", "--", f"{_SCHEMA}/ir/program.py"),
    "bridge": ("-G^PROTOCOL = ", "--", f"{_SDK}/bridge/protocol.py"),
}
"""What two sides must agree on → how git finds the last change of it."""
UNSOUND = {
    "b89f6e55dd958479e20f2de8bf0354d18c9fdded": "its linker reads what its own programs lack",
}
"""Commits that cannot run a pool by themselves → why; the one before stands in for such a one."""


class NoSuchRelease(Exception):
    """This checkout cannot make that release; the message is the reason to skip."""


@dataclass(frozen=True, slots=True)
class Release:
    """The distributions as built from one commit, installed from their wheels in an environment of their own."""

    commit: str
    bin: Path

    def command(self, name: str) -> Path:
        """Return the path of one of its commands, or of its ``python``."""
        return self.bin / name


TODAY = Release("today", Path(sys.executable).parent)


def before(change: str) -> Release:
    """Return the release right before the last change of that kind; built once per commit.

    Raises:
        NoSuchRelease: the history is not here, or its wheels cannot be built.

    """
    changed = _git("log", "-1", "--format=%H", *CHANGES[change])
    if not changed:
        raise NoSuchRelease(f"no change of the {change} is in this clone's history")
    commit = _git("rev-parse", "--verify", "--quiet", f"{changed}^")
    while commit in UNSOUND:
        commit = _git("rev-parse", "--verify", "--quiet", f"{commit}^")
    if not commit:
        raise NoSuchRelease(f"this clone is shallow: the commit before {changed[:9]} is missing")
    return install(commit)


def under(python: str) -> Release:
    """Return the last commit under another CPython, such as ``3.13``.

    Raises:
        NoSuchRelease: that CPython is not here, or its wheels cannot be built.

    """
    commit = _git("rev-parse", "--verify", "--quiet", "HEAD")
    return install(commit, python=_uv(["python", "find", "--no-project", python], ROOT))


def install(commit: str, *, python: str = sys.executable) -> Release:
    """Build the wheels of a commit and install them with what its lock file names."""
    name = commit[:12]
    if python != sys.executable:
        name += "-" + hashlib.sha256(python.encode()).hexdigest()[:8]
    home = HOME / name
    with _turn(name):
        if not (home / _COMPLETE).exists():
            _build(commit, home, f"--python={python}")
            (home / _COMPLETE).touch()
    return Release(commit, home / "bin")


def _build(commit: str, home: Path, python: str) -> None:
    draft = home.with_suffix(".draft")
    for folder in (draft, home):
        shutil.rmtree(folder, ignore_errors=True)
    source = draft / "source"
    source.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        raise NoSuchRelease(f"git archive {commit[:9]}: {archive.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", source], input=archive.stdout, check=True)
    wheels, wanted = draft / "wheels", draft / "wanted.txt"
    export = ["export", "--frozen", "--no-dev", "--package=waymark-worker", "--no-emit-workspace"]
    # Where an environment stands is part of its scripts: it is made under its last name.
    commands: list[list[str | Path]] = [
        ["build", "--all-packages", "--wheel", f"--out-dir={wheels}", python],
        [*export, "--quiet", f"--output-file={wanted}", python],
        ["venv", python, home],
        ["pip", "install", "--compile-bytecode", f"--python={home}", "-r", wanted],
    ]
    for command in commands:
        _uv(command, source)
    ours = [each for each in wheels.glob("*.whl") if each.name.startswith("waymark_")]
    _uv(["pip", "install", "--compile-bytecode", f"--python={home}", "--no-deps", *ours], source)
    shutil.rmtree(draft)


def _uv(arguments: Sequence[str | Path], source: Path) -> str:
    # What belongs to the environment of the tests must not lead uv there.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VIRTUAL_ENV", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT")
    }
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{ROOT / '.dev' / 'bin'}")
    if uv is None:
        raise NoSuchRelease("uv is not installed here; run ./dev setup")
    done = subprocess.run(
        [uv, *arguments], cwd=source, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = " ".join(str(part) for part in arguments[:2])
        raise NoSuchRelease(f"uv {words} failed: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def _git(*arguments: str) -> str:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        raise NoSuchRelease("this is no clone: its history says what was released before")
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


@contextmanager
def _turn(name: str) -> Iterator[None]:
    HOME.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(HOME / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
