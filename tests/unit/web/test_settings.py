"""Addresses and variables in; settings, or what is allowed, out."""

import json
import logging

import pytest

from waymark_schema.environment import load
from waymark_schema.errors import SettingError
from waymark_web.logs import JsonLines, configuration
from waymark_web.settings import Address, WebSettings, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:24119", Address("0.0.0.0", 24119)),
        (" localhost:0 ", Address("localhost", 0)),
        ("[::1]:80", Address("::1", 80)),
        (":8080", Address("", 8080)),
    ],
)
def test_an_address_is_host_and_port(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "foo", "24119", "host:", "host:x", "host:65536", "host:-1", "::1:80", "http://h:80", "a b:1", "h:²"]
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected host:port"):
        parse_address(text)


def test_a_wrong_address_names_variable_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAYMARK_WEBAPP_ADDR", "nowhere")
    with pytest.raises(SettingError, match="WAYMARK_WEBAPP_ADDR is 'nowhere'; expected host:port"):
        load(WebSettings)


def test_the_default_is_every_interface_on_24119(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYMARK_WEBAPP_ADDR", raising=False)
    assert load(WebSettings).address == Address("0.0.0.0", 24119)


def test_a_wrong_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_LOG_LEVEL", "loud")
    with pytest.raises(SettingError, match="WAYMARK_LOG_LEVEL is 'loud'; expected one of DEBUG"):
        load(WebSettings)


def test_the_servers_own_chatter_is_left_out_unless_asked_for() -> None:
    assert (
        configuration(level="INFO", form="text")["loggers"]["gunicorn.error"]["level"] == "WARNING"
    )
    assert (
        configuration(level="DEBUG", form="text")["loggers"]["gunicorn.error"]["level"] == "DEBUG"
    )


def test_a_json_line_is_one_line_whatever_was_logged() -> None:
    record = logging.LogRecord("waymark.web", logging.INFO, "f", 1, "a\n%s", ("b",), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    assert json.loads(line)["event"] == "a\nb"
