"""The environment in, the ASGI object that any server can run out: `waymark_web.asgi:application`."""

from __future__ import annotations

import os
from functools import cache

from falcon.asgi import App, Request, Response

from waymark_schema.database.settings import from_environment
from waymark_web.app import create_app
from waymark_web.clock import SystemClock
from waymark_web.database import Database


@cache
def build() -> App[Request, Response]:
    """Build the application of this process.

    Raises SettingError when the environment does not say which database.
    """
    return create_app(Database(from_environment(os.environ)), SystemClock())


def __getattr__(name: str) -> object:
    # Built when a server asks for it: whoever only imports the module needs no environment.
    if name == "application":
        return build()
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
