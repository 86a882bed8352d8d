"""A secret of the environment in a module; that no column of any table ever shows it out."""

import base64
import importlib
from collections.abc import Iterator
from types import ModuleType

import pytest

from tests.integration.worker.conftest import Farm
from tests.support.processes import wait_until
from waymark_schema.kinds import InstanceState, JournalKind

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

VARIABLE = "PYTEST_WAYMARK_SECRET"
SECRET = "s3cr3t-of-the-environment"
CANARY = "what-the-tables-do-show"
TABLES = "select table_name from information_schema.tables where table_schema = 'waymark'"


@pytest.fixture
def discreet(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, imported with the secret as pools import it."""
    monkeypatch.setenv(VARIABLE, SECRET)
    return importlib.import_module("tests.integration.hostile.discreet")


def forms(text: str) -> list[bytes]:
    """How it might stand in a column."""
    raw = text.encode()
    return [raw, base64.b64encode(raw)[:-4], raw.hex().encode(), text.encode("utf-16-le")]


def cells(farm: Farm) -> Iterator[tuple[str, bytes]]:
    """Every value of every column, with the name of its table."""
    for (table,) in farm.query(TABLES):
        for row in farm.query(f'select * from waymark."{table}"'):
            for value in row:
                yield table, value if isinstance(value, bytes) else str(value).encode()


def showing(farm: Farm, text: str) -> set[str]:
    """Tables that show a text."""
    wanted = forms(text)
    return {table for table, value in cells(farm) if any(form in value for form in wanted)}


def test_a_secret_of_the_environment_never_reaches_the_database(
    farm: Farm, discreet: ModuleType
) -> None:
    assert discreet.TOKEN == SECRET
    flag = farm.folder / "go"
    shown: set[str] = set()

    def look() -> None:
        assert showing(farm, SECRET) == set()
        shown.update(showing(farm, CANARY))

    (run,) = farm.queue(discreet.Discreet, (CANARY, str(flag)))
    look()
    farm.start(
        **{VARIABLE: SECRET},
        WAYMARK_USER_MODULE=discreet.__name__,
        WAYMARK_EVICT_SLEEP_THRESHOLD_MS="200",
    )
    farm.wait_for("select count(*) = 1 from waymark.in_flight")
    look()
    flag.touch()
    wait_until(lambda: farm.state(run) is InstanceState.WAITING)
    look()
    assert farm.finished([run]) == [(CANARY, len(CANARY))]
    look()
    assert shown >= {"instances", "journal", "snapshots"}, "the search finds what is there"
    failed = "select count(*) from waymark.journal where kind = %s"
    assert farm.query(failed, JournalKind.RETRY) == [(1,)]
