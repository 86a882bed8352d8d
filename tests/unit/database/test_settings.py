"""Environments in; database settings, or errors that name the variable, out."""

from datetime import timedelta

import pytest

from waymark_schema.database.settings import VARIABLES, from_environment
from waymark_schema.errors import DatabaseUrlError, SettingError

URL = {"WAYMARK_DATABASE_URL": "postgresql://app:hunter2@db/app"}


def test_an_address_is_all_that_is_needed() -> None:
    settings = from_environment(URL)
    assert settings.schema == "waymark"
    assert settings.wait == timedelta(seconds=30)
    assert settings.statement_timeout == timedelta(seconds=30)
    assert settings.pool_size is None
    assert settings.listen == "auto"
    assert settings.auto_migrate is True
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("address", [None, "", "   "])
def test_without_an_address_the_message_shows_one(address: str | None) -> None:
    environment = {} if address is None else {"WAYMARK_DATABASE_URL": address}
    with pytest.raises(DatabaseUrlError, match="WAYMARK_DATABASE_URL is not set") as caught:
        from_environment(environment)
    assert "export WAYMARK_DATABASE_URL=postgresql://" in str(caught.value)


def test_every_variable_is_read() -> None:
    settings = from_environment(
        URL
        | {
            "WAYMARK_SCHEMA": "jobs_2",
            "WAYMARK_DATABASE_WAIT_S": "0",
            "WAYMARK_STATEMENT_TIMEOUT_MS": "1500",
            "WAYMARK_DATABASE_POOL_SIZE": "7",
            "WAYMARK_LISTEN": "OFF",
            "WAYMARK_AUTO_MIGRATE": "no",
        }
    )
    assert settings.schema == "jobs_2"
    assert settings.wait == timedelta(0)
    assert settings.statement_timeout == timedelta(seconds=1.5)
    assert settings.pool_size == 7
    assert settings.listen == "off"
    assert settings.auto_migrate is False


@pytest.mark.parametrize(
    "variable", sorted(VARIABLES.keys() - {"WAYMARK_DATABASE_URL", "WAYMARK_SCHEMA"})
)
def test_what_the_help_allows_is_what_a_refusal_allows(variable: str) -> None:
    with pytest.raises(SettingError) as caught:
        from_environment(URL | {variable: "nonsense"})
    assert f"expected {VARIABLES[variable].partition(' [')[0]}." in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("WAYMARK_SCHEMA", "public", "not public"),
        ("WAYMARK_SCHEMA", "pg_x", "not starting with a digit or pg_"),
        ("WAYMARK_SCHEMA", "Jobs", "lower-case letters"),
        ("WAYMARK_SCHEMA", 'x"; drop table y; --', "lower-case letters"),
        ("WAYMARK_SCHEMA", "x" * 41, "40 at most"),
        ("WAYMARK_DATABASE_WAIT_S", "soon", "a whole number of seconds from 0 to 86400"),
        ("WAYMARK_DATABASE_WAIT_S", "-1", "a whole number of seconds from 0 to 86400"),
        ("WAYMARK_DATABASE_WAIT_S", "1.5", "a whole number of seconds"),
        ("WAYMARK_STATEMENT_TIMEOUT_MS", "5", "a whole number of milliseconds from 100"),
        ("WAYMARK_DATABASE_POOL_SIZE", "1", "a whole number from 2 to 1000"),
        ("WAYMARK_DATABASE_POOL_SIZE", "²", "a whole number from 2 to 1000"),
        ("WAYMARK_LISTEN", "maybe", "one of auto, on, off"),
        ("WAYMARK_AUTO_MIGRATE", "perhaps", "true or false"),
    ],
)
def test_a_bad_value_names_variable_value_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingError) as caught:
        from_environment(URL | {variable: value})
    assert caught.value.variable == variable
    assert variable in str(caught.value)
    assert repr(value) in str(caught.value)
    assert allowed in str(caught.value)


def test_two_schemas_of_one_database_are_two_identities() -> None:
    assert (
        from_environment(URL).identity != from_environment(URL | {"WAYMARK_SCHEMA": "b"}).identity
    )
