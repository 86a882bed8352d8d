"""A database behind a proxy in; pools that reach it only through that out: `proxied`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.postgres import PostgresServer
from tests.integration.worker.conftest import Farm, _farm
from tests.support.pg_proxy import PgProxy

_SMALL = {
    "WAYMARK_USER_MODULE": "tests.integration.trouble.trouble_jobs",
    "WAYMARK_WORKER_COUNT": "1",
}


def farm_on(url: str, folder: Path) -> Iterator[Farm]:
    """Pools that start soon."""
    for farm in _farm(url, folder):
        farm.variables.update(_SMALL)
        yield farm


@pytest.fixture
def farm(database_url: str, tmp_path: Path) -> Iterator[Farm]:
    """Pools on a migrated database of the shared server."""
    yield from farm_on(database_url, tmp_path)


@pytest.fixture
def lone_farm(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Farm]:
    """Pools on a server of the test's own."""
    yield from farm_on(postgres_server.database_url, tmp_path)


@dataclass
class Proxied:
    """Pools that talk to their database through a proxy; the test itself talks to it directly."""

    farm: Farm
    proxy: PgProxy


@pytest.fixture
def proxied(database_url: str, tmp_path: Path) -> Iterator[Proxied]:
    """Pools behind a proxy, on a migrated database of the shared server."""
    with PgProxy(database_url) as proxy:
        for farm in farm_on(database_url, tmp_path):
            farm.variables["WAYMARK_DATABASE_URL"] = proxy.url
            yield Proxied(farm, proxy)
