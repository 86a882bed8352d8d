"""A database behind a proxy in; pools that reach it only through that out: `proxied`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.worker.conftest import Farm, _farm, bare_farm, farm, lone_farm
from tests.support.pg_proxy import PgProxy

__all__ = ["bare_farm", "farm", "lone_farm"]


@dataclass
class Proxied:
    """Pools that talk to their database through a proxy; the test itself talks to it directly."""

    farm: Farm
    proxy: PgProxy


@pytest.fixture
def proxied(database_url: str, tmp_path: Path) -> Iterator[Proxied]:
    """Pools behind a proxy, on a migrated database of the shared server."""
    with PgProxy(database_url) as proxy:
        for farm in _farm(database_url, tmp_path):
            farm.variables["WAYMARK_DATABASE_URL"] = proxy.url
            yield Proxied(farm, proxy)
