"""The Dockerfile and the compose file in; whether they could build and run, without Docker, out."""

import fnmatch
import importlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT, tracked_files

DOCKERFILE = ROOT / "docker" / "Dockerfile"
COMPOSE = ROOT / "docker" / "compose.yaml"
IGNORE = ROOT / "docker" / "Dockerfile.dockerignore"


def _instructions() -> list[tuple[str, str]]:
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def _values(instruction: str) -> list[str]:
    return [value for name, value in _instructions() if name == instruction]


def _default_command() -> list[str]:
    (command,) = _values("CMD")
    parsed: list[str] = json.loads(command)
    return parsed


def _compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return parsed


def _reaches_the_context(source: str) -> bool:
    """Apply the ignore file as Docker does: the last rule that matches decides."""
    kept = True
    for rule in IGNORE.read_text().split("\n"):
        pattern = rule.removeprefix("!").removeprefix("**/")
        if (
            rule
            and not rule.startswith("#")
            and fnmatch.fnmatch(source.split("/", maxsplit=1)[0], pattern)
        ):
            kept = rule.startswith("!")
    return kept


def _copies() -> list[tuple[list[str], str]]:
    copies = [value.split() for value in _values("COPY")]
    return [(words[:-1], words[-1]) for words in copies]


def _is_installed(command: str) -> bool:
    return (Path(sys.executable).parent / command).exists()


def test_what_the_image_copies_is_in_the_repository_and_reaches_the_build() -> None:
    tracked = {path.relative_to(ROOT).as_posix() for path in tracked_files()}
    for sources, target in _copies():
        assert len(sources) == 1 or target.endswith("/")
        for source in sources:
            assert any(name == source or name.startswith(f"{source}/") for name in tracked), source
            assert _reaches_the_context(source), source


def test_the_build_sees_every_member_of_the_workspace_before_its_code() -> None:
    members = {path.parent.relative_to(ROOT) for path in ROOT.glob("*/*/pyproject.toml")}
    copied = {
        Path(target) for sources, target in _copies() if sources[0].endswith("pyproject.toml")
    }
    assert members == copied - {Path()}


def test_the_image_builds_from_the_lock_file_and_does_not_run_as_root() -> None:
    syncs = [line for line in _values("RUN") if "uv sync" in line]
    assert syncs
    assert all("--frozen" in line and "--no-dev" in line for line in syncs)
    assert _values("USER") == ["waymark"]


def test_the_default_command_serves_the_example_app() -> None:
    command, target, *_ = _default_command()
    assert _is_installed(command)
    module, _, name = target.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_the_compose_file_has_the_three_pieces_of_a_deployment() -> None:
    services = _compose()["services"]
    assert set(services) == {"postgres", "workers", "app"}
    assert "command" not in services["app"]
    (command,) = services["workers"]["command"]
    assert _is_installed(command)
    assert services["workers"]["build"] == services["app"]["build"], "one image"
    for name in ("workers", "app"):
        build = services[name]["build"]
        assert (COMPOSE.parent / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE
        assert set(services[name]["depends_on"]) <= set(services)


def test_app_and_workers_talk_to_the_database_of_the_compose_file() -> None:
    services = _compose()["services"]
    owner = services["postgres"]["environment"]
    expected = (
        f"postgresql://{owner['POSTGRES_USER']}:{owner['POSTGRES_PASSWORD']}"
        f"@postgres:5432/{owner['POSTGRES_DB']}"
    )
    for name in ("workers", "app"):
        assert services[name]["environment"]["WAYMARK_DATABASE_URL"] == expected
    for module in services["workers"]["environment"]["WAYMARK_USER_MODULE"].split(","):
        importlib.import_module(module)


def test_published_ports_are_the_ones_that_are_served() -> None:
    exposed = {int(port) for port in " ".join(_values("EXPOSE")).split()}
    ports = [
        port for service in _compose()["services"].values() for port in service.get("ports", [])
    ]
    assert {int(port.rpartition(":")[2]) for port in ports} == exposed
    assert int(_default_command()[-1]) in exposed


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_steps_of_the_image_install_every_command_it_promises(tmp_path: Path) -> None:
    """Follow COPY and `RUN uv sync` in an empty folder; only the base image is left out."""
    uv = str(Path(sys.executable).with_name("uv"))
    app = tmp_path / "app"
    app.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}
    } | {"UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": sys.executable}
    for instruction, value in _instructions():
        if instruction == "COPY":
            *sources, target = value.split()
            for source in sources:
                _copy(source, app, target)
        elif instruction == "RUN" and value.startswith("uv sync"):
            _, *rest = shlex.split(value)
            command = [uv, *(word for word in rest if word != "--no-cache")]
            subprocess.run(command, cwd=app, env=environment, check=True, capture_output=True)
    scripts = app / ".venv" / "bin"
    commands = [
        _default_command()[0],
        "waymark-start-workers",
        "waymark-web",
        "waymark-bridge",
        "waymark",
    ]
    assert [name for name in commands if not (scripts / name).exists()] == []
    located = subprocess.run(
        [scripts / "python", "-I", "-c", "import waymark, welcome; print(waymark.__file__, welcome.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(path.startswith(f"{app}/.venv/") for path in located.stdout.split())


def _copy(source: str, app: Path, target: str) -> None:
    origin = ROOT / source
    if origin.is_dir():
        shutil.copytree(
            origin, app / target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    else:
        folder = app / target
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(origin, folder)


def test_it_works_where_its_user_may_write() -> None:
    steps = _instructions()
    (user,) = _values("USER")
    assert steps.index(("WORKDIR", f"/home/{user}")) > steps.index(("USER", user))
    assert ("RUN", f"useradd --create-home {user}") in steps
    assert _values("WORKDIR")[-1] == f"/home/{user}"
