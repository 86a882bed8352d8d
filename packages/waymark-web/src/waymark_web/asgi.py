"""The environment in, the ASGI object that any server can run out."""

from __future__ import annotations

import os

from waymark_schema.database.settings import from_environment
from waymark_web.app import create_app
from waymark_web.clock import SystemClock
from waymark_web.database import Database

application = create_app(Database(from_environment(os.environ)), SystemClock())
