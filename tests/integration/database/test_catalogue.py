"""Every statement in; those whose columns are not their row class, or that do not run, out."""

from dataclasses import fields
from typing import Any

import psycopg
import pytest

from tests.support.engine import settings_of
from tests.support.statements import every_statement
from waymark_schema.database.execute import arguments
from waymark_schema.database.sessions import Purpose, open_session_sync
from waymark_schema.database.statement import Statement
from waymark_schema.tables import inbox, instances, pruning, settle

pytestmark = pytest.mark.postgres


def _name(statement: Statement[Any]) -> str:
    return statement.name


def test_every_statement_runs_with_nulls_and_returns_the_columns_of_its_row(
    database_url: str,
) -> None:
    wrong: dict[str, object] = {}
    with psycopg.connect(database_url) as connection:
        for statement in every_statement():
            query = statement.bind(**{name: None for name, _ in statement.parameters})
            cursor = psycopg.RawCursor(connection)
            cursor.execute(statement.sql("waymark"), arguments(query), binary=True)
            columns = [column.name for column in cursor.description or []]
            expected = [column.name for column in fields(statement.row)]
            if columns != expected:
                wrong[statement.name] = (columns, expected)
            connection.rollback()
    assert wrong == {}


_HOT = [
    settle.SETTLE,
    settle.SETTLE_NARROW,
    instances.CLAIM,
    instances.LOAD,
    instances.ENQUEUE,
    instances.STRANGERS,
    instances.STATUS,
    instances.WAKE_DUE,
    instances.WAKE_ADDRESSED,
    instances.WAKE_PARKED,
    instances.RELEASE,
    inbox.PENDING,
    pruning.PRUNE_INSTANCES,
]


@pytest.mark.parametrize("statement", _HOT, ids=_name)
def test_a_plan_made_on_empty_tables_is_still_right_on_full_ones(
    database_url: str, statement: Statement[Any]
) -> None:
    settings = settings_of(database_url)
    session = open_session_sync(settings, application="plans", purpose=Purpose.OWNER)
    with session.connection as connection:
        types = ", ".join(kind.name for _, kind in statement.parameters)
        nulls = ", ".join("null" for _ in statement.parameters)
        connection.execute(f"prepare q ({types}) as ".encode() + statement.sql(settings.schema))
        plan = "\n".join(
            line for (line,) in connection.execute(f"explain execute q({nulls})".encode())
        )
    # Leases are as few as processes that live.
    assert "Seq Scan" not in plan.replace("Seq Scan on leases", "")
    assert "Hash Join" not in plan
    if statement is instances.WAKE_DUE:
        assert "Index Cond: (wake_at <=" in plan, "looks at every sleeper to find the due ones"
    if statement is not instances.RELEASE:
        assert "instances_owner" not in plan, "walks everything that a lease owns"
    if statement is instances.WAKE_ADDRESSED:
        assert "instances_wake" not in plan, "walks every sleeper"
