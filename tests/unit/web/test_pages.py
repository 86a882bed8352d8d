"""Views full of hostile text in; HTML that shows all of it and runs none of it out."""

import hashlib
import re
from html.parser import HTMLParser

import msgspec
import pytest

from tests.support.checkout import ROOT
from tests.unit.web.rows import NOW, detail, entry, flying, pool, run_line, wire, wire_error
from waymark_schema.inputs import pack_inputs
from waymark_schema.kinds import InstanceState, OutcomeKind
from waymark_schema.recorded import EntryLocals, encode_locals
from waymark_schema.reports.runs import WorkflowLine
from waymark_schema.reports.workers import KnownLine
from waymark_schema.tables.pools import WorkerState
from waymark_web import pages
from waymark_web.paging import Cursor, Page
from waymark_web.static import assets
from waymark_web.views.run_list import read_filter, run_list
from waymark_web.views.run_page import run_page
from waymark_web.views.worker_list import workers_page

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</pre></textarea><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "nul \x00 surrogate \ud800 bidi \u202e escape \x1b[31m",
]
_CONTENT = {"script", "img", "link", "svg", "textarea", "iframe", "style"}


class _Elements(HTMLParser):
    """Every element with its attributes, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _elements(html: str) -> _Elements:
    parser = _Elements()
    parser.feed(html)
    return parser


def _run_html(text: str) -> str:
    error = ValueError(text)
    error.add_note(text)
    error.told = text  # type: ignore[attr-defined] # users set attributes on exceptions
    view = run_page(
        detail(
            workflow=text, version=text, state=InstanceState.FAILED, host=text, idempotency_key=text,
            inputs=pack_inputs(wire({text: text}), wire({text: [text]})), error=wire_error(error),
        ),
        [
            entry(action=text, inputs=wire({text: text}), outcome=wire(text)),
            entry(position=2, outcome=wire_error(error), outcome_kind=OutcomeKind.ERROR,
                  local=encode_locals(EntryLocals(log=[("info", text.encode("utf-8", "replace").decode())]))),
        ],
        [flying(action=text, host=text, inputs=wire([text]))],
        before=None,
        now=NOW,
    )  # fmt: skip
    return pages.page("run.html", path="/runs/x", view=view)


def _list_html(text: str) -> str:
    stored = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    view = run_list(
        [run_line(workflow=text, version=text)],
        Page(older=True, newer=True),
        chosen=read_filter({"workflow": text}),
        at=Cursor(),
        counts=[],
        workflows=[WorkflowLine(stored, 1), WorkflowLine("x", 1)],
        now=NOW,
    )
    return pages.page("runs.html", path="/", view=view)


def _workers_html(text: str) -> str:
    storable = text.encode("utf-8", "replace").decode()
    state = WorkerState(1, 2, storable, action=storable)
    view = workers_page(
        [pool(host=text, actions=[text], workers_json=msgspec.json.encode([state]).decode())],
        [],
        [KnownLine(pool().id, text, text)],
        [],
        now=NOW,
    )
    return pages.page("workers.html", path="/workers", view=view)


def _problem_html(text: str) -> str:
    return pages.problem(
        text.encode("utf-8", "replace").decode(), (text.encode("utf-8", "replace").decode(),)
    )


@pytest.mark.parametrize("page", [_run_html, _list_html, _workers_html, _problem_html])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_user_becomes_markup(page: object, text: str) -> None:
    assert callable(page)
    # What stands before a colon in an action's name is its module, which gets a place of its own.
    plain = "plain:text" if ":" in text else "plain"
    ours, theirs = _elements(page(plain)), _elements(page(text))
    assert [tag for tag, _ in theirs.found] == [tag for tag, _ in ours.found]
    assert [sorted(attributes) for _, attributes in theirs.found] == [
        sorted(attributes) for _, attributes in ours.found
    ]


@pytest.mark.parametrize("page", [_run_html, _list_html, _workers_html])
def test_a_page_of_hostile_text_can_be_sent_and_holds_no_invisible_sign(page: object) -> None:
    assert callable(page)
    html = page(HOSTILE[-1])
    html.encode("utf-8")
    # What a form sends back must be the name itself; nobody sees it.
    seen = re.sub(r'(value|href|hx-get)="[^"]*"', "", html)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", seen)
    assert "\\x1b" in seen


def test_users_text_is_shown_as_it_was_written() -> None:
    shown = "".join(_elements(_run_html(HOSTILE[0])).text)
    assert shown.count(HOSTILE[0]) > 8


@pytest.mark.parametrize("page", [_run_html, _list_html, _workers_html, _problem_html])
def test_nothing_on_a_page_needs_more_than_default_src_self(page: object) -> None:
    assert callable(page)
    for tag, attributes in _elements(page("plain")).found:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        source = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
        assert source is None or source.startswith("/static/")
        assert tag != "script" or source


@pytest.mark.parametrize("page", [_run_html, _list_html, _workers_html])
def test_ids_are_unique_so_that_a_refresh_finds_what_it_keeps(page: object) -> None:
    assert callable(page)
    ids = [
        attributes["id"] for _, attributes in _elements(page("plain")).found if "id" in attributes
    ]
    assert len(ids) == len(set(ids))


def test_the_fragment_is_what_the_page_contains() -> None:
    view = run_page(detail(), [entry()], [flying()], before=None, now=NOW)
    whole = pages.page("run.html", path="/runs/x", view=view)
    part = pages.fragment("run.html", view=view)
    article = part[part.index("<article") : part.index("</article>")]
    assert article in whole
    assert 'id="notice"' in part, "a refresh that worked takes back what one before it said"


def test_a_page_fetches_the_address_that_it_has() -> None:
    view = run_page(detail(), [], [], before=17, now=NOW)
    assert f'hx-get="/runs/{view.id}?before=17"' in pages.fragment("run.html", view=view)


def test_a_finished_run_is_not_fetched_again() -> None:
    done = detail(state=InstanceState.COMPLETED, finished_at=NOW, result=wire(1))
    view = run_page(done, [], [], before=None, now=NOW)
    assert "hx-trigger" not in pages.fragment("run.html", view=view)


def test_without_any_run_the_page_says_how_to_start_one() -> None:
    view = run_list(
        [], Page(older=False, newer=False), chosen=read_filter({}), at=Cursor(), counts=[], workflows=[], now=NOW,
    )  # fmt: skip
    assert "No runs yet" in pages.page("runs.html", path="/", view=view)
    nobody = workers_page([], [], [], [], now=NOW)
    assert "waymark-start-workers" in pages.page("workers.html", path="/workers", view=nobody)


def test_vendored_files_are_those_that_were_recorded() -> None:
    recorded = (ROOT / "packages/waymark-web/src/waymark_web/static/VENDORED.md").read_text()
    digest = hashlib.sha256(assets()["htmx.min.js"].content).hexdigest()
    assert f"`{digest}`" in recorded


def test_only_files_for_browsers_are_served() -> None:
    assert sorted(assets()) == ["htmx.min.js", "icon.svg", "waymark.css"]
    for asset in assets().values():
        assert asset.version in asset.url
