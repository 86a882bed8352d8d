"""The page on testing in; its code, put into files and run as the page says, out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

pytestmark = pytest.mark.timeout(300)

PAGE = ROOT / "docs" / "how-to" / "test-your-workflows.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [body for name, body in _FENCE.findall(PAGE.read_text()) if name == language]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the page: each block says in its first line where it belongs."""
    for block in blocks("python"):
        name = block.splitlines()[0].removeprefix("# ")
        with (tmp_path / name).open("a") as file:
            file.write(block + "\n\n")
    return tmp_path


def run(project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_block_belongs_to_a_file(project: Path) -> None:
    assert sorted(path.name for path in project.iterdir()) == [
        "orders.py",
        "test_orders.py",
        "without_pytest.py",
    ]


@pytest.mark.slow
def test_the_tests_of_the_page_pass(project: Path) -> None:
    written = (project / "test_orders.py").read_text().count("def test_")
    said = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not trio")
    assert f"{written} passed" in said


@pytest.mark.slow
def test_they_pass_with_a_crash_at_every_step(project: Path) -> None:
    _, command = blocks("sh")
    words = command.split()
    assert words[0] == "pytest"
    assert " passed" in run(project, "-m", *words, "-q", "-p", "no:cacheprovider", "-k", "not trio")


def test_the_script_without_pytest_runs(project: Path) -> None:
    assert "OK" in run(project, "without_pytest.py")
