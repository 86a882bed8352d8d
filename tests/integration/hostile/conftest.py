"""A migrated database in; pools on it out: ``farm``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.worker.conftest import Farm, _farm


@pytest.fixture
def farm(database_url: str, tmp_path: Path) -> Iterator[Farm]:
    """Pools with one worker each."""
    for made in _farm(database_url, tmp_path):
        made.variables["WAYMARK_WORKER_COUNT"] = "1"
        yield made
