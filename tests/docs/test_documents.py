"""Every Markdown page in; links that lead nowhere, and code that does not parse, out."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, name_of, tracked_files

PAGES = [path for path in tracked_files() if path.suffix == ".md"]
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")


def _anchors(page: Path) -> set[str]:
    return {
        _anchor(line.lstrip("#")) for line in page.read_text().splitlines() if line.startswith("#")
    }


def _code(page: Path, language: str) -> list[str]:
    return [body for _, name, body in _FENCE.findall(page.read_text()) if name == language]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        linked = (page.parent / place).resolve() if place else page
        if not linked.exists() or (anchor and anchor not in _anchors(linked)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_a_page_parses(page: Path) -> None:
    for code in _code(page, "python"):
        ast.parse(code)


def test_the_commands_of_the_readme_start_with_something_that_exists() -> None:
    commands = [
        shlex.split(line, comments=True)
        for code in _code(ROOT / "README.md", "sh")
        for line in code.replace("\\\n", " ").splitlines()
    ]
    ours = [words for words in commands if words and words[0].startswith("./")]
    assert ["./dev", "demo"] in ours
    assert ["./dev", "test"] in ours
    assert [words[0] for words in ours if not (ROOT / words[0]).is_file()] == []
