"""A fresh migrated database in; the real web server on it, and a stage to play runs on, out."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.support.engine import Engine, engine_on, settings_of
from tests.support.processes import Processes
from tests.support.staged_runs import Stage, staged
from tests.support.web import FRAGMENT, WebServer, start_web
from waymark_web.app import create_app
from waymark_web.clock import SystemClock
from waymark_web.database import Database


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    async with engine_on(database_url) as made:
        yield made


@pytest.fixture
async def stage(engine: Engine) -> AsyncIterator[Stage]:
    async with engine.owner() as owner:
        yield await staged(engine, owner)


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


@pytest.fixture
def web(processes: Processes, database_url: str) -> Iterator[WebServer]:
    started = start_web(processes, database_url)
    yield started
    if started.process.running:
        started.process.terminate()
