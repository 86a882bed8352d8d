"""Environments in; settings, warnings and refusals out."""

import logging
import os

import pytest

from waymark.settings import Settings
from waymark_schema import environment
from waymark_schema.environment import KNOWN_VARIABLES, UNFINISHED_VARIABLES, load
from waymark_schema.errors import SettingError
from waymark_web.settings import WebSettings
from waymark_worker.settings import PoolSettings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WAYMARK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(environment, "_told", set())


def test_defaults_hold_and_an_empty_variable_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAYMARK_BRIDGE_IDLE_EXIT_S", "")
    settings = load(Settings)
    assert (settings.schema_name, settings.bridge_idle_exit_s, settings.log_level) == (
        "waymark",
        300.0,
        "INFO",
    )


def test_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_SCHEMA", "two")
    monkeypatch.setenv("WAYMARK_SKIP_WAIT_FOR_INSTANCE", "true")
    monkeypatch.setenv("WAYMARK_LOG_LEVEL", "debug")
    monkeypatch.setenv("WAYMARK_USER_MODULE", "a, b.c,")
    settings = load(Settings)
    assert settings.schema_name == "two"
    assert settings.skip_wait_for_instance
    assert settings.log_level == "DEBUG"
    assert settings.modules == ("a", "b.c")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("WAYMARK_SCHEMA", "My Schema", "'My Schema'; expected the name of a Postgres schema"),
        ("WAYMARK_SCHEMA", "x" * 41, "digits and underscores, 40 at most"),
        ("WAYMARK_SCHEMA", "public", "not public"),
        ("WAYMARK_BRIDGE_MODE", "thread", "'thread'; expected 'daemon'"),
        ("WAYMARK_BRIDGE_IDLE_EXIT_S", "-1", "'-1'; expected seconds without a connected client"),
        ("WAYMARK_MAX_VALUE_BYTES", "16M", "'16M'; expected a whole number of bytes"),
        ("WAYMARK_STATEMENT_TIMEOUT_MS", "1.5", "expected a whole number of milliseconds"),
    ],
)
def test_a_bad_value_names_variable_value_and_what_is_allowed(
    variable: str, value: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingError) as caught:
        load(Settings)
    assert caught.value.variable == variable
    assert str(caught.value).startswith(f"{variable} is ")
    assert expected in str(caught.value)


def test_an_unknown_variable_is_warned_of_once_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WAYMARK_USER_MODULES", "a")
    monkeypatch.setenv("WAYMARK_XYZ", "a")
    monkeypatch.setenv("WAYMARK_SERVICE_PORT_HTTP", "80")
    monkeypatch.setenv("WAYMARK_PORT_24119_TCP_ADDR", "10.0.0.1")
    with caplog.at_level(logging.WARNING, logger="waymark"):
        load(Settings)
        load(Settings)
    unread = "is set, but Waymark reads no variable of that name"
    assert caplog.messages == [
        f"WAYMARK_USER_MODULES {unread}; did you mean WAYMARK_USER_MODULE?",
        f"WAYMARK_XYZ {unread}; no variable of a similar name exists.",
    ]


def test_a_variable_without_effect_yet_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WAYMARK_METRICS_ADDR", "127.0.0.1:9000")
    monkeypatch.setenv("WAYMARK_OTEL", "")
    with caplog.at_level(logging.WARNING, logger="waymark"):
        load(Settings)
        load(Settings)
    assert caplog.messages == [
        "WAYMARK_METRICS_ADDR is set, but has no effect in this version of Waymark"
    ]


def test_variables_without_effect_are_those_that_no_settings_have() -> None:
    read = {
        f"WAYMARK_{name.upper()}"
        for settings in (Settings, PoolSettings, WebSettings)
        for name in settings.model_fields
    }
    assert not UNFINISHED_VARIABLES & read
    assert UNFINISHED_VARIABLES <= KNOWN_VARIABLES


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_DATABASE_URL", "postgresql://u:hunter2@h/d")
    assert "hunter2" not in repr(load(Settings))
