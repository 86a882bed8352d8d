"""What a test needs from the machine in; its path, or a skip that says what to install, out."""

import shutil
from pathlib import Path

import pytest

_INSTALL = "install "


def require_command(*names: str, package: str) -> Path:
    """Return the first of these commands on PATH; skip the test, naming the package, without any."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    pytest.skip(f"{_INSTALL}{package}: none of {', '.join(names)} is on PATH")


def is_installable(reason: str) -> bool:
    """Tell a skip that an installation would cure from one that belongs to the machine."""
    return reason.startswith((_INSTALL, "could not import "))
