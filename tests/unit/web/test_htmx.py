"""Headers and addresses in; what htmx is told out."""

import html
import json
import re

from tests.support.checkout import ROOT
from waymark_web import htmx

_ROOM = ROOT / "packages/waymark-web/src/waymark_web"


def test_only_a_request_of_htmx_gets_a_fragment() -> None:
    assert htmx.wants_fragment({"HX-Request": "true"}.get)
    assert not htmx.wants_fragment(dict[str, str]().get)
    assert not htmx.wants_fragment({"HX-Request": "false"}.get)


def test_going_back_in_the_history_gets_the_whole_page() -> None:
    assert not htmx.wants_fragment({"HX-Request": "true", "HX-History-Restore-Request": "true"}.get)


def test_an_address_cannot_leave_its_attribute() -> None:
    made = str(htmx.refreshes('/?workflow="><script>', seconds=2))
    assert "<script>" not in made
    assert made.count('"') == 6


def test_the_configuration_is_json_and_needs_neither_eval_nor_inline_style() -> None:
    found = re.search(r'content="([^"]*)"', str(htmx.configuration()))
    assert found is not None
    told = json.loads(html.unescape(found[1]))
    assert told["allowEval"] is False
    assert told["includeIndicatorStyles"] is False


def test_no_other_room_spells_what_belongs_to_htmx() -> None:
    spelled = re.compile(r"\bhx-|\bHX-", re.IGNORECASE)
    files = [*_ROOM.rglob("*.py"), *_ROOM.rglob("*.html"), *_ROOM.rglob("*.css")]
    guilty = [path.name for path in files if spelled.search(path.read_text(encoding="utf-8"))]
    assert guilty == ["htmx.py"]
