"""Runs as pools leave them in; what the real server says of them out."""

import re
from datetime import timedelta

import pytest

from tests.integration.web.conftest import Pages
from tests.support.engine import Engine
from tests.support.staged_runs import ACTIONS, Stage, call, codec, every_state, raised
from tests.support.web import visible
from waymark_schema import ids
from waymark_schema.database import execute
from waymark_schema.kinds import InstanceState, OutcomeKind
from waymark_schema.tables import pools

pytestmark = pytest.mark.postgres
_LINKS = re.compile(r'href="/runs/([0-9a-f-]{36})"')


async def test_every_state_is_listed_and_filtered(stage: Stage, pages: Pages) -> None:
    story = await every_state(stage)
    assert set(_LINKS.findall((await pages.get("/")).text)) == {str(run) for run in story.values()}
    for name, expected in {
        "queued": {"queued", "delayed"},
        "running": {"running"},
        "waiting": {"waiting"},
        "completed": {"completed"},
        "failed": {"failed"},
        "cancelled": {"cancelled"},
        "quarantined": {"quarantined"},
    }.items():
        listed = set(_LINKS.findall((await pages.get(f"/?state={name}")).text))
        assert listed == {str(story[one]) for one in expected}, name


async def test_a_workflow_filter_shows_its_runs_only(
    engine: Engine, stage: Stage, pages: Pages
) -> None:
    await engine.enqueue(2)
    mine = await stage.queue()
    assert set(_LINKS.findall((await pages.get("/?workflow=OrderFlow")).text)) == {str(mine)}
    assert "No run matches" in (await pages.get("/?workflow=unknown")).text
    assert _LINKS.findall((await pages.get("/?workflow=OrderFlow&state=failed")).text) == []


async def test_older_leads_to_every_run_once_and_newer_leads_back(
    engine: Engine, pages: Pages
) -> None:
    made = await engine.enqueue(120)
    seen: list[str] = []
    shown: list[list[str]] = []
    path: str | None = "/"
    last = ""
    while path is not None:
        html = (await pages.get(path)).text
        shown.append(_LINKS.findall(html))
        seen += shown[-1]
        path = _link(html, "older")
        last = html
    assert seen == [str(run) for run in sorted(made, reverse=True)]
    back = _link(last, "newer")
    assert back is not None
    assert _LINKS.findall((await pages.get(back)).text) == shown[-2]


def _link(html: str, identifier: str) -> str | None:
    found = re.search(rf'<a id="{identifier}"[^>]*href="([^"]*)"', html)
    return found[1].replace("&amp;", "&") if found else None


async def test_one_run_tells_its_whole_story(stage: Stage, pages: Pages) -> None:
    story = await every_state(stage)
    text = visible((await pages.get(f"/runs/{story['completed']}")).text)
    for expected in (
        "OrderFlow completed",
        "Ada &lt;ada@example.org&gt;",
        "receipt-17",
        "started for Ada",
        "raised, retried charge_card call 2",
        "ValueError: card refused",
        "next attempt 20",
        "lost charge_card call 2, attempt 2",
        "returned charge_card call 2, attempt 3",
        "waited 7 ms",
        "worker 3",
        "Caused by: KeyError",
    ):
        assert expected in text, expected
    failed = visible((await pages.get(f"/runs/{story['failed']}")).text)
    assert "timed out send_receipt" in failed
    assert "raise error from cause" in failed, "the traceback's text"
    running = visible((await pages.get(f"/runs/{story['running']}")).text)
    assert "in flight send_receipt call 2" in running
    assert "here, process 1" in running
    assert "eu" in (await pages.get(f"/runs/{story['queued']}")).text
    assert "it goes on in" in visible((await pages.get(f"/runs/{story['waiting']}")).text)
    assert "Delayed: it starts in" in visible((await pages.get(f"/runs/{story['delayed']}")).text)


async def test_a_run_refreshes_itself_until_it_ends(stage: Stage, pages: Pages) -> None:
    run = await stage.queue()
    path = f"/runs/{run}"
    assert "hx-trigger" in (await pages.fragment(path)).text
    await stage.claim()
    await stage.journal(run, call(1, number=1, action=0, value="first"))
    moving = (await pages.fragment(path)).text
    assert "first" in moving
    assert "hx-trigger" in moving
    assert "<html" not in moving
    await stage.complete(run, "done")
    ended = (await pages.fragment(path)).text
    assert "hx-trigger" not in ended
    assert "completed" in ended


async def test_a_long_history_is_shown_from_its_end_in_pages(stage: Stage, pages: Pages) -> None:
    run = await stage.queue()
    await stage.claim()
    await stage.journal(run, *(call(n, number=n, action=0, value=n) for n in range(1, 251)))
    positions: list[int] = []
    path: str | None = f"/runs/{run}"
    while path is not None:
        html = (await pages.get(path)).text
        positions = [int(n) for n in re.findall(r'<li id="entry-(\d+)"', html)] + positions
        path = _link(html, "earlier")
    assert positions == list(range(1, 251))


async def test_large_values_stay_in_the_database(stage: Stage, pages: Pages) -> None:
    run = await stage.queue({"blob": "x" * 1_000_000})
    await stage.claim()
    await stage.journal(run, call(1, number=1, action=0, value="y" * 3_000_000))
    await stage.complete(run, "z" * 2_000_000)
    html = (await pages.get(f"/runs/{run}")).text
    assert len(html) < 50_000
    for size in ("1.0 MB", "2.0 MB", "3.0 MB"):
        assert f"{size}: too large to show here" in html


async def test_hostile_values_are_text(stage: Stage, pages: Pages) -> None:
    hostile = "</pre><script>alert(1)</script>\x00\ud800"
    run = await stage.queue({hostile: hostile})
    await stage.claim()
    await stage.journal(run, call(1, number=1, action=0, outcome=raised(ValueError(hostile)), outcome_kind=OutcomeKind.ERROR))  # fmt: skip
    await stage.fail(run, raised(ValueError(hostile)))
    html = (await pages.get(f"/runs/{run}")).text
    assert html.count("<script") == 1
    assert html.count("&lt;script&gt;") >= 5
    assert "\x00" not in html


async def test_bytes_that_nobody_can_read_cost_a_line_and_not_the_page(
    engine: Engine, stage: Stage, pages: Pages
) -> None:
    run = await stage.queue()
    await stage.claim()
    await stage.journal(
        run, call(1, number=1, action=0, inputs=b"\xc1", outcome=b"", local=b"\xff")
    )
    await stage.end(run, InstanceState.FAILED, error=b"\xc1\xc1")
    assert (await pages.get(f"/runs/{run}")).status_code == 200
    (plain,) = await engine.enqueue(1)
    assert (await pages.get(f"/runs/{plain}")).status_code == 200


async def test_workers_show_pools_rates_and_what_nobody_serves(
    engine: Engine, stage: Stage, pages: Pages
) -> None:
    await engine.enqueue(2)
    state = pools.WorkerState(1, 4711, "ready", calls=2, completed=9, memory_bytes=70_000_000)
    await execute.execute(
        engine.session,
        pools.report(engine.pool, actions=ACTIONS, programs=[stage.program], workers=[state]),
    )
    for done in (100, 400):
        point = pools.PoolSample(engine.pool, done, 0, 5, 412_000_000, 14, 22, 3, 1, 12.0)
        await execute.execute(engine.session, pools.sample(point))
    text = visible((await pages.get("/workers")).text)
    for expected in (
        "here, process 1 alive",
        "4711",
        "ready",
        "70.0 MB",
        "actions/s",
        "shop.orders:charge_card",
        "OrderFlow 1",
        "2 queued runs of orders",
        "No living pool knows app:ship",
    ):
        assert expected in text, expected


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nowhere", 404, "Not found"),
        ("/runs/0192d0f1-5f6e-7a3c-9d53-2b1f3a1f0c55", 404, "There is no run"),
        ("/runs/17", 400, "expected an id such as"),
        ("/?state=stuck", 400, "expected one of queued"),
        ("/?before=x", 400, "expected the id of a run"),
        ("/?state=failed&state=running", 400, "given 2 times"),
        ("/static/x/../../../etc/passwd", 404, "Not found"),
        ("/static/x/__init__.py", 404, "Not found"),
        ("/static/x/VENDORED.md", 404, "Not found"),
        ("/runs/%00%ff", 400, "expected an id"),
        ("/?workflow=%00%ed%a0%80", 200, "No run matches"),
    ],
)
async def test_a_wrong_address_gets_a_page_that_says_what_is_wrong(
    pages: Pages, path: str, status: int, words: str
) -> None:
    answer = await pages.get(path)
    assert answer.status_code == status
    assert words in answer.text
    assert "<nav" in answer.text


async def test_nothing_can_be_changed_over_http(pages: Pages) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/", "/workers", "/runs/0192d0f1-5f6e-7a3c-9d53-2b1f3a1f0c55", "/healthz"):
            assert (await pages.ask(method, path)).status_code == 405


async def test_every_answer_confines_its_page(pages: Pages) -> None:
    for path in ("/", "/nowhere", "/healthz", "/workers"):
        headers = (await pages.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
    assert "HX-Request" in (await pages.get("/")).headers["vary"]


async def test_files_are_kept_for_ever_under_an_address_of_their_content(pages: Pages) -> None:
    found = re.findall(r'(?:src|href)="(/static/[^"]+)"', (await pages.get("/")).text)
    assert {path.rpartition(".")[2] for path in found} == {"css", "js", "svg"}
    for path in found:
        answer = await pages.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


async def test_health_answers_with_json_and_head_works_everywhere(pages: Pages) -> None:
    answer = await pages.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    for path in ("/", "/healthz", "/workers"):
        assert (await pages.ask("HEAD", path)).status_code == 200


async def test_a_run_that_is_pruned_while_it_is_watched_is_replaced_by_a_sentence(
    stage: Stage, pages: Pages
) -> None:
    gone = await pages.fragment(f"/runs/{ids.new_instance_id()}")
    assert gone.status_code == 404
    assert "There is no run" in gone.text
    assert "hx-trigger" not in gone.text
    run = await stage.queue(delay=timedelta(hours=1))
    assert codec.encode(1)
    assert (await pages.fragment(f"/runs/{run}")).status_code == 200
