import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.compiling import run_text
from waymark import workflow_registry
from waymark.commands.graph import graph

Graph = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    modules, names = set(sys.modules), set(workflow_registry.names())
    workflow_registry.discard("w")
    (tmp_path / "graphed.py").write_text(run_text("print('x')\nreturn await act(1)"))

    def run(*words: str) -> Result:
        return CliRunner().invoke(graph, words)

    yield run
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    for name in set(workflow_registry.names()) - names:
        workflow_registry.discard(name)


@pytest.mark.parametrize("target", ["graphed:W", "graphed:w", "graphed"])
def test_a_workflow_is_found_by_class_by_name_and_alone(run: Graph, target: str) -> None:
    done = run(target)
    assert done.exit_code == 0, done.output
    assert "   14  │ ● act(1)\n" in done.output


def test_helpers_of_other_modules_are_drawn_too(run: Graph, tmp_path: Path) -> None:
    package = tmp_path / "graphed_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(
        "import asyncio\n\nasync def wait():\n    await asyncio.sleep(1)\n"
    )
    text = run_text("await wait()", before="from graphed_package.inner import wait\n")
    (package / "outer.py").write_text(text)
    done = run("graphed_package.outer:W")
    assert done.exit_code == 0, done.output
    assert "       inner.py\n    3  wait()\n    4  │ ◷ sleep 1\n" in done.output


def test_a_picture_goes_to_a_file_or_to_standard_output(run: Graph, tmp_path: Path) -> None:
    done = run("graphed:W", "--svg", "-o", "w.svg")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "wrote w.svg\n")
    assert run("graphed:W", "--format", "svg").stdout == (tmp_path / "w.svg").read_text()


def test_a_file_that_cannot_be_written_is_told(run: Graph) -> None:
    done = run("graphed:W", "--svg", "-o", "nowhere/w.svg")
    assert done.exit_code == 2
    assert "'nowhere/w.svg' cannot be written: No such file or directory" in done.output


def test_json_is_the_tree(run: Graph) -> None:
    made = json.loads(run("graphed:W", "--format", "json").stdout)
    assert (made["schema"], made["workflow"]) == (1, "w")
    kinds = [node["type"] for node in made["functions"][0]["body"]]
    assert kinds == ["code", "step", "exit"]


@pytest.mark.parametrize(
    ("target", "status", "message"),
    [
        (
            "graphed:Wrong",
            2,
            "has no workflow 'Wrong'; expected MODULE:WORKFLOW, and it defines graphed:W.",
        ),
        ("nowhere_at_all:W", 2, "no module named 'nowhere_at_all'"),
        ("nowhere_at_all", 2, "Run this in the directory that holds it, name it as `import` does"),
        ("graphed.W", 2, "'graphed.W' is not a module; did you mean graphed:W?"),
        ("graphed.Wrong", 2, "Name that module alone: graphed"),
        ("./graphed.py:W", 2, "as `import` takes it: graphed"),
        (":W", 2, "expected the name of a module, as `import` takes it"),
        (
            "json",
            2,
            "module 'json' has no workflow; expected MODULE:WORKFLOW, and it defines none.",
        ),
    ],
)
def test_a_wrong_target_says_what_there_is(
    run: Graph, target: str, status: int, message: str
) -> None:
    done = run(target)
    assert done.exit_code == status
    assert message in " ".join(done.output.split())


def test_a_workflow_that_does_not_compile_shows_its_problems(run: Graph, tmp_path: Path) -> None:
    (tmp_path / "ungraphed.py").write_text(run_text("return missing"))
    done = run("ungraphed:W")
    assert (done.exit_code, "WM120" in done.stderr, done.stdout) == (1, True, "")
