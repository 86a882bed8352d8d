"""Nothing in; a short-lived home for one private Postgres out."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def private_home() -> Iterator[Path]:
    """Return a directory with a path short enough for a socket, that any user may enter."""
    top = Path(tempfile.mkdtemp(prefix="wm-"))
    top.chmod(0o755)
    try:
        yield top / ".waymark"
    finally:
        shutil.rmtree(top)
