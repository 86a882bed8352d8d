"""The page of the declared schema in; where a migrated database differs from it out."""

import psycopg
import pytest

from tests.support.declared_schema import PAGE, declared

pytestmark = pytest.mark.postgres
AGAIN = "write the page anew: ./dev python -m tests.support.declared_schema"


def test_a_migrated_database_is_the_declared_one(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert declared(connection, "waymark") == PAGE.read_text(encoding="utf-8"), AGAIN


def test_the_page_is_sql_that_makes_what_it_says(empty_database_url: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(page.encode())
        assert declared(connection, "waymark") == page


def test_a_change_by_hand_is_seen(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("alter table waymark.leases alter column wants set default 1")
        assert declared(connection, "waymark") != PAGE.read_text(encoding="utf-8")
