"""Options of `unshare` in; the beginning of a command line that has name spaces of its own out."""

from __future__ import annotations

import subprocess

import pytest


def unsharing(*options: str) -> list[str]:
    """Return the beginning of a command line in name spaces of its own; skip where none can be made."""
    beginning = ["unshare", *options]
    probe = subprocess.run([*beginning, "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        pytest.skip(f"no name space can be made here: {probe.stderr.strip()}")
    return beginning
