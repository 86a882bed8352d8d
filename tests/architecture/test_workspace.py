"""The files of the workspace in; versions that drift, paths of one machine, loose ends out."""

import importlib
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import DISTRIBUTIONS, ROOT, name_of, pyproject, tracked_files

FOLDERS = {name: f"packages/{name}" for name in DISTRIBUTIONS}


def _project(folder: str) -> Mapping[str, Any]:
    project: Mapping[str, Any] = pyproject(folder)["project"]
    return project


def _requirements(project: Mapping[str, Any]) -> list[str]:
    extras = project.get("optional-dependencies", {}).values()
    return [*project["dependencies"], *(line for lines in extras for line in lines)]


def _distribution(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return found.group()


def test_the_four_distributions_move_in_lockstep() -> None:
    projects = {name: _project(folder) for name, folder in FOLDERS.items()}
    versions = {project["version"] for project in projects.values()}
    assert len(versions) == 1
    (version,) = versions
    for project in projects.values():
        siblings = [line for line in _requirements(project) if _distribution(line) in DISTRIBUTIONS]
        assert all(line.endswith(f"=={version}") for line in siblings), siblings


def test_everything_asks_for_the_same_python() -> None:
    folders = [".", "apps/welcome", *FOLDERS.values()]
    assert {_project(folder)["requires-python"] for folder in folders} == {">=3.11"}
    assert not (ROOT / ".python-version").exists()


def test_the_example_app_depends_on_the_sdk_and_on_no_other_distribution_of_ours() -> None:
    ours = {_distribution(line) for line in _project("apps/welcome")["dependencies"]} & {
        *DISTRIBUTIONS
    }
    assert ours == {"waymark-sdk"}


@pytest.mark.parametrize(("name", "package"), DISTRIBUTIONS.items())
def test_a_distribution_ships_its_types_its_readme_and_its_licence(name: str, package: str) -> None:
    folder = ROOT / FOLDERS[name]
    assert (folder / "src" / package / "py.typed").is_file()
    assert (folder / "README.md").read_text().startswith(f"# {name}\n")
    assert _project(FOLDERS[name])["license"] == "Apache-2.0"
    # hatchling puts the LICENSE beside a pyproject.toml into the wheel.
    assert (folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize(
    ("script", "target"),
    [
        item
        for folder in FOLDERS.values()
        for item in _project(folder).get("scripts", {}).items()
    ],
)  # fmt: skip
def test_a_console_script_leads_to_a_function(script: str, target: str) -> None:
    module, _, name = target.partition(":")
    assert callable(getattr(importlib.import_module(module), name)), script


def test_the_lock_file_names_only_the_package_index() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}


def test_no_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    home = os.path.expanduser("~")  # noqa: PTH111 — Path.home() raises for a uid without an entry
    places = [f"{ROOT}/".encode()] + ([f"{home}/".encode()] if len(home) > 1 else [])
    users = re.compile(rb"(?<![\w.])/(?:home|Users)/\w+/")
    wrong = []
    for path in tracked_files():
        content = path.read_bytes()
        if any(place in content for place in places) or users.search(content):
            wrong.append(name_of(path))
    assert wrong == []


def test_every_news_fragment_has_a_type_that_towncrier_knows() -> None:
    known = {kind["directory"] for kind in pyproject(".")["tool"]["towncrier"]["type"]}
    fragments = [path for path in (ROOT / "changes").iterdir() if path.name != "README.md"]
    assert [
        path.name for path in fragments if path.suffixes[:1] not in [[f".{kind}"] for kind in known]
    ] == []


def test_what_a_run_leaves_behind_is_ignored_by_git() -> None:
    folders = [".dev", ".venv", ".waymark", ".nox", "dist"]
    ignored = subprocess.run(
        ["git", "check-ignore", *(f"{folder}/x" for folder in folders)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert [Path(line).parent.name for line in ignored.stdout.splitlines()] == folders
