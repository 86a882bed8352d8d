"""The environment of the web application in, one validated value out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

WEB_PORT = 24119
LAST_PORT = 65_535
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens; an empty host means every interface, port 0 any free one."""

    host: str
    port: int

    @property
    def shown(self) -> str:
        """As it stands in a URL.

        >>> Address("::1", 80).shown
        '[::1]:80'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host or "0.0.0.0"  # noqa: S104 - as asked for
        return f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read ``host:port``, ``[address]:port`` or ``:port``; ValueError when it is something else.

    >>> parse_address("127.0.0.1:24119")
    Address(host='127.0.0.1', port=24119)
    """
    host, colon, port = text.strip().rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    named = bool(colon) and port.isascii() and port.isdigit() and int(port) <= LAST_PORT
    if not named or (":" in bare and bare == host) or any(sign in bare for sign in "[]/ "):
        msg = f"{text!r} is not an address; expected host:port"
        raise ValueError(msg)
    return Address(bare, int(port))


def _checked_address(text: str) -> str:
    parse_address(text)
    return text


def _known_level(text: str) -> str:
    if text.upper() not in _LEVELS:
        msg = f"{text!r} is not a level"
        raise ValueError(msg)
    return text.upper()


class WebSettings(BaseSettings):
    """Every variable that ``waymark-web`` reads; names are upper-cased behind ``WAYMARK_``."""

    model_config = SettingsConfigDict(env_prefix="WAYMARK_", env_ignore_empty=True, frozen=True)

    webapp_addr: Annotated[
        str,
        AfterValidator(_checked_address),
        Field(description="host:port to listen on, for example 127.0.0.1:24119 or [::]:24119"),
    ] = f"0.0.0.0:{WEB_PORT}"
    log_level: Annotated[
        str, AfterValidator(_known_level), Field(description=f"one of {', '.join(_LEVELS)}")
    ] = "INFO"
    log_format: Annotated[Literal["text", "json"], Field(description="text or json")] = "text"

    @property
    def address(self) -> Address:
        """Where to listen."""
        return parse_address(self.webapp_addr)
