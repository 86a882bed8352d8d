"""A database in; an environment in which runs are started through a bridge of the test's own out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bridges import Bridges, bridges_of_test, forget_settings

HERE = Path(__file__).parent


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These runs go to real bridges and a real database."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.waymark_real)
