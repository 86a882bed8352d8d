"""This checkout in; its files, distributions and settings out, for the tests that guard its shape."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# Distribution name → import name.
DISTRIBUTIONS = {
    "waymark-schema": "waymark_schema",
    "waymark-sdk": "waymark",
    "waymark-worker": "waymark_worker",
    "waymark-web": "waymark_web",
}


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return what is in the repository, new files that git does not ignore included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(*folders: str) -> list[Path]:
    """Return the tracked Python files below these folders of the checkout."""
    below = tuple(ROOT / folder for folder in folders)
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py" and any(path.is_relative_to(folder) for folder in below)
    ]


def package_files() -> list[Path]:
    """Return the Python files that ship in the four wheels."""
    return [path for path in python_files("packages") if "src" in path.relative_to(ROOT).parts]


def pyproject(folder: str) -> dict[str, Any]:
    """Return the parsed pyproject.toml of a folder of the checkout."""
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text())


def name_of(path: Path) -> str:
    """Return a path as the checkout calls it, for messages and lists of exceptions."""
    return path.relative_to(ROOT).as_posix()
