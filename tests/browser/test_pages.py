"""Runs as pools leave them in; what a person sees and does in a real Chromium out."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open, Tab
from tests.fixtures.postgres import PostgresServer
from tests.support.engine import Engine
from tests.support.processes import Processes
from tests.support.staged_runs import Stage, call, every_state
from tests.support.web import WebServer, start_web
from waymark_schema.database import execute
from waymark_schema.tables import pools

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

PHONE = {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True}

# The contrast of every visible text with what lies under it, as WCAG computes it.
_WORST_CONTRAST = """
() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => {
        const part = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
        return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
    };
    const ground = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    let worst = [99, ""];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
        const pair = [parse(getComputedStyle(element).color), ground(element)].map(luminance);
        const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 120)];
    }
    return worst;
}
"""


async def _every_page(engine: Engine, stage: Stage) -> list[str]:
    story = await every_state(stage)
    await engine.enqueue(1)
    state = pools.WorkerState(1, 4711, "ready", completed=9, memory_bytes=70_000_000)
    await execute.execute(
        engine.session,
        pools.report(
            engine.pool, actions=["a:" + "long" * 40], programs=[stage.program], workers=[state]
        ),
    )
    await stage.journal(story["running"], call(2, number=3, action=0, value="w" * 3000))
    return ["/", "/?state=failed", "/workers", *(f"/runs/{run}" for run in story.values())]


async def test_a_new_run_appears_by_itself_and_the_focus_stays(
    stage: Stage, web: WebServer, tabs: Open
) -> None:
    first = await stage.queue()
    tab = await tabs()
    await tab.page.goto(web.url)
    link = tab.page.locator(f"#run-{first}")
    await link.focus()
    second = await stage.queue()
    await expect(tab.page.locator(f"#run-{second}")).to_be_visible()
    await expect(link).to_be_focused()


async def test_a_run_is_watched_until_it_completes_and_then_left_alone(
    stage: Stage, web: WebServer, tabs: Open
) -> None:
    run = await stage.queue({"order": 17})
    tab = await tabs()
    page = tab.page
    await page.clock.install()
    await page.goto(f"{web.url}/runs/{run}")
    await expect(page.locator("h1 .badge")).to_have_text("queued")
    await stage.claim()
    await stage.journal(run, call(1, number=1, action=0, value="reserved"))
    await stage.fly(run, number=2, action=1, arguments={"card": 4})
    await page.clock.run_for(2_500)
    await expect(page.locator("h1 .badge")).to_have_text("running")
    await expect(page.get_by_text("in flight")).to_be_visible()
    await page.locator("#values-1 summary").click()
    await expect(page.get_by_text("'reserved'")).to_be_visible()
    await stage.journal(run, call(2, number=2, action=1, value="charged"))
    await page.clock.run_for(2_500)
    await expect(page.locator("#entry-2")).to_be_visible()
    await expect(page.get_by_text("'reserved'")).to_be_visible()
    await stage.complete(run, {"receipt": 17}, landed=[2])
    await page.clock.run_for(2_500)
    await expect(page.locator("h1 .badge")).to_have_text("completed")
    assert await page.title() == "completed · OrderFlow · Waymark"
    asked = len(tab.requests)
    await page.clock.run_for(60_000)
    assert len(tab.requests) == asked, "a finished run is not asked for again"


@pytest.mark.slow
async def test_every_page_fits_on_a_phone(
    engine: Engine, stage: Stage, web: WebServer, tabs: Open
) -> None:
    tab = await tabs(**PHONE)
    for path in [*await _every_page(engine, stage)]:
        await tab.page.goto(web.url + path)
        await _open_all(tab)
        assert await tab.overflow() == 0, path


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read_on_its_ground(
    engine: Engine, stage: Stage, web: WebServer, tabs: Open, scheme: str
) -> None:
    tab = await tabs(color_scheme=scheme, reduced_motion="reduce")
    for path in [*await _every_page(engine, stage)]:
        await tab.page.goto(web.url + path)
        await _open_all(tab)
        ratio, where = await tab.page.evaluate(_WORST_CONTRAST)
        assert ratio >= 4.5, (path, where)
    ground = await tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(16, 21, 28)") is (scheme == "dark")


@pytest.mark.slow
async def test_it_can_be_used_with_the_keyboard_alone(
    stage: Stage, web: WebServer, tabs: Open
) -> None:
    story = await every_state(stage)
    tab = await tabs()
    page = tab.page
    await page.goto(web.url)
    await page.keyboard.press("Tab")
    await expect(page.get_by_text("Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    for _ in range(6):
        await page.keyboard.press("Tab")
    await expect(page.locator("#state-failed")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#state-failed")).to_have_attribute("aria-current", "true")
    await page.locator(f"#run-{story['failed']}").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("h1 .badge")).to_have_text("failed")
    await page.locator("#values-1 summary").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#values-1 pre").first).to_be_visible()


async def test_a_workflow_is_chosen_without_any_script(
    engine: Engine, stage: Stage, web: WebServer, tabs: Open
) -> None:
    await engine.enqueue(1)
    mine = await stage.queue()
    tab = await tabs(java_script_enabled=False)
    await tab.page.goto(web.url)
    await tab.page.get_by_label("Workflow").select_option("OrderFlow")
    await tab.page.get_by_role("button", name="Show").click()
    await expect(tab.page.locator("tbody tr")).to_have_count(1)
    await expect(tab.page.locator(f"#run-{mine}")).to_be_visible()


@pytest.mark.slow
async def test_while_the_database_is_away_a_page_keeps_what_it_shows_and_says_so(
    processes: Processes, postgres_server: PostgresServer, tabs: Open
) -> None:
    web = start_web(processes, postgres_server.database_url)
    tab = await tabs()
    await tab.page.goto(web.url)
    postgres_server.stop()
    notice = tab.page.locator("#notice")
    await expect(notice).to_contain_text("The database cannot be used", timeout=20_000)
    await expect(tab.page.get_by_text("No runs yet")).to_be_visible()
    postgres_server.start()
    await expect(notice).to_be_empty(timeout=20_000)
    refused = [one for one in tab.complaints if "status of 503" in one]
    assert refused == tab.complaints
    tab.complaints.clear()
    web.process.terminate()


@pytest.mark.slow
async def test_each_page_has_one_heading_and_names_its_parts(
    engine: Engine, stage: Stage, web: WebServer, tabs: Open
) -> None:
    tab = await tabs()
    for path in [*await _every_page(engine, stage)]:
        await tab.page.goto(web.url + path)
        await expect(tab.page.locator("h1")).to_have_count(1)
        await expect(tab.page.locator("main")).to_have_count(1)
        await expect(tab.page.locator("nav:not([aria-label])")).to_have_count(0)
        await expect(tab.page.locator("img:not([alt])")).to_have_count(0)


async def _open_all(tab: Tab) -> None:
    await tab.page.evaluate(
        "document.querySelectorAll('details').forEach((one) => one.open = true)"
    )
