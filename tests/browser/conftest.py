"""A Chromium of this machine in; pages that remember what they complained of out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.support.requirements import require_command

_WATCH_POLICY = """
    document.addEventListener("securitypolicyviolation", (event) => {
        console.error("policy violated: " + event.violatedDirective + " by " + event.blockedURI);
    });
"""


@dataclass(slots=True)
class Tab:
    """One page of a browser, everything it complained of, and every address it asked for."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    async def overflow(self) -> int:
        """How many pixels of the page lie beside the screen."""
        width = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return int(width)


Open = Callable[..., Awaitable[Tab]]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = require_command("chromium", "chromium-browser", "google-chrome", package="chromium")
    async with async_playwright() as playwright:
        # Tests may run as root in a container, where its sandbox cannot.
        started = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        await started.close()


@pytest.fixture
async def tabs(browser: Browser) -> AsyncIterator[Open]:
    """Open pages; whatever the browser logs, refuses or cannot load on them fails the test at its end.

    A test that provokes complaints empties the list itself.
    """
    opened: list[Tab] = []

    async def opening(**options: Any) -> Tab:
        context = await browser.new_context(**options)
        await context.add_init_script(_WATCH_POLICY)
        page = await context.new_page()
        tab = Tab(page, context)
        page.on("console", lambda message: tab.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: tab.complaints.append(f"error: {error}"))
        page.on("request", lambda request: tab.requests.append(request.url))
        opened.append(tab)
        return tab

    yield opening
    complaints = [complaint for tab in opened for complaint in tab.complaints]
    for tab in opened:
        await tab.context.close()
    assert complaints == []
