"""A test run in; a server for rounds, and a folder for what they leave, out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.server import ChaosServer
from tests.fixtures.postgres import _skip_where_impossible


@pytest.fixture(scope="module")
def chaos_server() -> Iterator[ChaosServer]:
    """A server of the module's own, which keeps commit timestamps."""
    _skip_where_impossible()
    server = ChaosServer.start_in()
    try:
        yield server
    finally:
        server.close()
