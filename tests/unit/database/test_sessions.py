"""Addresses in; what every connection is opened with, and what the kernel keeps of that for its socket, out."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from waymark_schema.database import pools, sessions
from waymark_schema.database.settings import DatabaseSettings, from_environment
from waymark_schema.errors import DatabaseUnreachable

KEEPALIVES = {
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""As docs/reference/connections.md promises: a peer that vanished is missed after 20 s."""


def _settings(address: str, **variables: str) -> DatabaseSettings:
    return from_environment({"WAYMARK_DATABASE_URL": address, **variables})


@pytest.fixture
def listening() -> Iterator[str]:
    """An address of this machine where somebody listens who never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"postgresql://app@127.0.0.1:{server.getsockname()[1]}/app?sslmode=disable"


def _kept_by_the_kernel(address: str) -> dict[str, int]:
    """The options of the socket that libpq connects to this address."""
    parameters = sessions.connect_parameters(_settings(address), "test")
    started = psycopg.pq.PGconn.connect_start(make_conninfo(**parameters).encode())
    try:
        assert started.status != psycopg.pq.ConnStatus.BAD, started.error_message
        with socket.socket(fileno=os.dup(started.socket)) as ours:
            return {
                "keepalives": ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                "keepalives_idle": ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                "keepalives_interval": ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                "keepalives_count": ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                "tcp_user_timeout": ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
            }
    finally:
        started.finish()


def test_the_kernel_asks_after_a_silent_peer_and_gives_it_up(listening: str) -> None:
    assert _kept_by_the_kernel(listening) == {name: int(n) for name, n in KEEPALIVES.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keepalives", 0),
        ("keepalives_idle", 77),
        ("keepalives_interval", 9),
        ("keepalives_count", 8),
        ("tcp_user_timeout", 45_000),
    ],
)
def test_what_the_address_says_of_it_wins_and_nothing_else_changes(
    listening: str, name: str, value: int
) -> None:
    found = _kept_by_the_kernel(f"{listening}&{name}={value}")
    assert found[name] == value
    if name != "keepalives":  # without them the kernel is told nothing of the rest
        ours = {key: int(each) for key, each in KEEPALIVES.items()}
        assert found == {**ours, name: value}


class _Connecting:
    """Stands for the driver; nobody answers, and what it was asked for is remembered."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.done = asyncio.Event()

    def connect(self, _conninfo: str = "", **given: Any) -> Any:
        self.asked.append(given)
        raise psycopg.OperationalError("nobody is there")

    async def connect_async(self, _conninfo: str = "", **given: Any) -> Any:
        self.done.set()
        return self.connect(**given)


async def _one(settings: DatabaseSettings, _driver: _Connecting) -> None:
    await sessions.open_session(settings, application="test")


async def _blocking(settings: DatabaseSettings, _driver: _Connecting) -> None:
    sessions.open_session_sync(settings, application="test")


async def _many(settings: DatabaseSettings, driver: _Connecting) -> None:
    async with pools.open_pool(settings, application="test", size=2):
        await driver.done.wait()
    raise DatabaseUnreachable("nobody is there", target=settings.target)


async def _probing(settings: DatabaseSettings, _driver: _Connecting) -> None:
    await pools.has_session_features(settings, application="test")


async def _waiting(settings: DatabaseSettings, _driver: _Connecting) -> None:
    await pools.wait_for_database(settings, application="test")


@pytest.mark.parametrize("opening", [_one, _blocking, _many, _probing, _waiting])
@pytest.mark.parametrize("chosen", [{}, {"keepalives_idle": "77", "tcp_user_timeout": "0"}])
async def test_every_way_to_connect_says_so(
    monkeypatch: pytest.MonkeyPatch,
    opening: Callable[[DatabaseSettings, _Connecting], Awaitable[None]],
    chosen: dict[str, str],
) -> None:
    driver = _Connecting()
    monkeypatch.setattr(psycopg, "connect", driver.connect)
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", driver.connect_async)
    if opening is _many:
        monkeypatch.setattr(pools, "open_session", _first)
    address = "postgresql://app@db/app?" + "&".join(f"{key}={chosen[key]}" for key in chosen)
    with pytest.raises(DatabaseUnreachable):
        await opening(_settings(address, WAYMARK_DATABASE_WAIT_S="0"), driver)
    assert driver.asked
    for given in driver.asked:
        assert {key: given.get(key) for key in KEEPALIVES} == {**KEEPALIVES, **chosen}


async def _first(*_given: Any, **_named: Any) -> Any:
    """The session that a pool opens and closes before its own."""

    async def close() -> None:
        return

    return SimpleNamespace(connection=SimpleNamespace(close=close))
