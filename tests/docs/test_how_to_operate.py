"""The pages on production, the web application and the commands in; what can be held against the code out."""

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.docs.pages import blocks
from tests.support.checkout import DISTRIBUTIONS, ROOT
from waymark_schema import environment
from waymark_web.resources.runs import ROOM
from waymark_web.views.values import MOST_BYTES

HOW_TO = ROOT / "docs" / "how-to"
PRODUCTION = HOW_TO / "go-to-production.md"
WEB = HOW_TO / "use-the-web-application.md"
COMMANDS = (ROOT / "docs" / "reference" / "commands.md").read_text()


@pytest.mark.parametrize("page", sorted(HOW_TO.glob("*.md")), ids=lambda page: page.name)
def test_every_page_is_found_from_the_readme(page: Path) -> None:
    assert f"(docs/how-to/{page.name})" in (ROOT / "README.md").read_text()


def test_every_command_has_its_place_on_the_page() -> None:
    for command in entry_points(group="waymark.commands"):
        assert f"`waymark {command.name}`" in COMMANDS
    scripts = {
        script.name
        for script in entry_points(group="console_scripts")
        if script.value.partition(".")[0].partition(":")[0] in DISTRIBUTIONS.values()
    }
    assert scripts >= {"waymark", "waymark-bridge", "waymark-start-workers", "waymark-web"}
    for name in scripts - {"waymark"}:
        assert f"\n## {name}\n" in COMMANDS


def test_the_settings_of_the_example_are_read_and_its_image_has_what_it_runs() -> None:
    (text,) = blocks(PRODUCTION, "yaml")
    services = yaml.safe_load(text)["services"]
    given = {name for service in services.values() for name in service["environment"]}
    assert given <= environment.KNOWN_VARIABLES
    (project,) = blocks(PRODUCTION, "toml")
    installed = tomllib.loads(project)["project"]["dependencies"]
    assert {f"waymark-{name}" for name in ("sdk", "worker", "web")} <= set(installed)


def test_the_image_installs_the_project_after_its_sources_have_come() -> None:
    (image,) = blocks(PRODUCTION, "dockerfile")
    lines = image.splitlines()
    sources = lines.index("COPY src src")
    assert "--no-install-project" in next(line for line in lines if "uv sync" in line)
    assert "uv sync" in lines[sources + 1]
    assert "--no-install-project" not in lines[sources + 1]


def test_the_query_says_how_long_the_queue_is(database_url: str) -> None:
    (query,) = blocks(PRODUCTION, "sql")
    with psycopg.connect(database_url) as connection:
        assert connection.execute(query.encode()).fetchone() == (0, 0)


def test_what_is_said_to_have_no_effect_has_none() -> None:
    (table,) = re.findall(
        r"^## What is not there yet\n(.*)\Z", PRODUCTION.read_text(), re.MULTILINE | re.DOTALL
    )
    for name in ("WAYMARK_METRICS_ADDR", "WAYMARK_OTEL"):
        assert name in table
        assert name in environment.UNFINISHED_VARIABLES
    missing = re.findall(r"`waymark (\w+)`", table)
    assert missing == ["runs", "doctor"]
    assert (
        set(missing) & {command.name for command in entry_points(group="waymark.commands")} == set()
    )


def test_the_pages_of_the_web_application_are_all_named() -> None:
    page = WEB.read_text()
    assert f"{ROOM} a page" in page
    assert f"{MOST_BYTES // 1024} KiB" in page
    source = (ROOT / "packages/waymark-web/src/waymark_web/app.py").read_text()
    routes = re.findall(r'add_route\("([^"]+)"', source)
    assert {route.replace("{identifier}", "{id}") for route in routes if "static" not in route} == {
        *re.findall(r"^\| `(/[^`]*)` \|", page, re.MULTILINE)
    }
