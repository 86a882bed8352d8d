"""A fresh migrated database in; an engine to play pools on out."""

from collections.abc import AsyncIterator

import pytest

from tests.support.engine import Engine, engine_on


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    async with engine_on(database_url) as made:
        yield made
