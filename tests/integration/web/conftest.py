"""A fresh migrated database in; the application on it, asked without a server around it, out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.engine import settings_of
from tests.support.web import FRAGMENT
from waymark_web.app import create_app
from waymark_web.clock import SystemClock
from waymark_web.database import Database


@dataclass(frozen=True, slots=True)
class Pages:
    """The application itself, without a server around it."""

    client: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def fragment(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=FRAGMENT)

    async def ask(self, method: str, path: str) -> httpx.Response:
        return await self.client.request(method, path)


@pytest.fixture
async def pages(database_url: str) -> AsyncIterator[Pages]:
    database = Database(settings_of(database_url))
    transport = httpx.ASGITransport(create_app(database, SystemClock()))  # type: ignore[arg-type] # falcon has its own names for ASGI's types
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://web") as client:
            yield Pages(client)
    finally:
        await database.close()
