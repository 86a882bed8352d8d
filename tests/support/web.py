"""A database in; the real web server on a free port, and what it answers, out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from tests.support.processes import Child, Processes

READY = r"ready: (http://\S+),"
FRAGMENT = {"HX-Request": "true"}


@dataclass(slots=True)
class WebServer:
    """A running `waymark-web`."""

    process: Child
    url: str

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, timeout=20)

    def fragment(self, path: str) -> httpx.Response:
        return self.get(path, **FRAGMENT)


def start_web(
    processes: Processes, database_url: str, *, environment: Mapping[str, str] | None = None
) -> WebServer:
    """Start the shipped command and return once it serves."""
    settings = {
        "WAYMARK_DATABASE_URL": database_url,
        "WAYMARK_WEBAPP_ADDR": "127.0.0.1:0",
        **(environment or {}),
    }
    process = processes.start_command("waymark-web", environment=settings)
    return WebServer(process, process.wait_for_line(READY)[1])


def visible(html: str) -> str:
    """The words of a page without its elements."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())
