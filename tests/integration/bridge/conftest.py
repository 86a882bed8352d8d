"""A database in; an environment in which runs are started through a bridge of the test's own out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.bridges import Bridges, bridges_of_test, forget_settings


@pytest.fixture
def home() -> Iterator[Bridges]:
    """A runtime directory of the test's own; bridges that run there are killed at its end."""
    with bridges_of_test() as bridges:
        yield bridges


@pytest.fixture
def bridges(home: Bridges, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridges]:
    """This process's environment names a migrated database and that directory."""
    monkeypatch.setenv("WAYMARK_DATABASE_URL", database_url)
    monkeypatch.setenv("WAYMARK_RUNTIME_DIR", str(home.home))
    forget_settings()
    yield home
    forget_settings()
