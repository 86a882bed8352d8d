"""The page on checking in; its workflows checked as it says, with the output that it shows, out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "how-to" / "check-your-workflows.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [body for name, body in _FENCE.findall(PAGE.read_text()) if name == language]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page: each block says in its first line where it belongs."""
    for block in (*blocks("python"), *blocks("yaml")):
        path = tmp_path / block.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block)
    (tmp_path / "yourapp" / "__init__.py").write_text("")
    return tmp_path


def check(project: Path, *words: str) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("waymark")), *words]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_page_shows_what_the_command_prints(project: Path) -> None:
    (command,) = blocks("sh")
    (shown,) = blocks("text")
    assert check(project, *command.split()[1:]) == (0, shown)


def test_a_silenced_warning_is_silent(project: Path) -> None:
    status, output = check(project, "check", "--strict", "yourapp.inbox")
    assert (status, output) == (0, "1 workflow checked: 0 errors, 0 warnings\n")


def test_the_hook_and_the_job_run_the_command_as_it_is(project: Path) -> None:
    hooks = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())
    entry = hooks["repos"][0]["hooks"][0]["entry"].split()
    job = yaml.safe_load((project / ".github" / "workflows" / "check.yaml").read_text())
    step = job["jobs"]["waymark"]["steps"][-1]["run"].removeprefix("uv run ").split()
    printed = []
    for words in (entry, step):
        assert words[0] == "waymark"
        status, output = check(project, *words[1:])
        assert (status, "WM301" in output) == (1, True)
        printed.append(output)
    assert "::warning file=yourapp/flows.py,line=16," in printed[-1]
