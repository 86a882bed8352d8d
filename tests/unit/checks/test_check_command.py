import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.compiling import run_text
from waymark import workflow_registry
from waymark.commands.check import check

Check = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Check]:
    """Run the command in a folder of its own, as in a fresh process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("WAYMARK_USER_MODULE", raising=False)
    modules, names = set(sys.modules), set(workflow_registry.names())
    workflow_registry.discard("w")

    def run(*words: str) -> Result:
        return CliRunner().invoke(check, words)

    yield run
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    for name in set(workflow_registry.names()) - names:
        workflow_registry.discard(name)


def write(path: Path, body: str, *, name: str = "W", before: str = "") -> None:
    path.write_text(run_text(body, before=before).replace("class W(", f"class {name}("))


def test_sound_workflows_are_counted(tmp_path: Path, run: Check) -> None:
    write(tmp_path / "sound.py", "return await act(1)")
    done = run("sound")
    assert (done.exit_code, done.output) == (0, "1 workflow checked: 0 errors, 0 warnings\n")


def test_every_problem_of_every_module_is_printed(tmp_path: Path, run: Check) -> None:
    write(tmp_path / "wrong.py", "a = missing\nimport os", name="Wrong")
    write(tmp_path / "worse.py", "a = lacking\nact(1)", name="Worse")
    done = run("wrong", "worse")
    assert done.exit_code == 1
    places = [line.partition(" ")[0] for line in done.output.splitlines() if line.startswith("w")]
    assert places == ["worse.py:13:13:", "worse.py:14:9:", "wrong.py:13:13:", "wrong.py:14:9:"]
    assert "WM120" in done.output
    assert "WM109" in done.output
    assert "WM301" in done.output
    assert done.output.endswith("2 workflows checked: 3 errors, 1 warning\n")


def test_a_warning_fails_the_check_only_when_it_is_strict(tmp_path: Path, run: Check) -> None:
    write(tmp_path / "doubtful.py", "act(1)")
    assert run("doubtful").exit_code == 0
    assert run("doubtful", "--strict").exit_code == 1


def test_what_two_workflows_share_is_said_once_with_both_names(tmp_path: Path, run: Check) -> None:
    helper = "\nasync def helper():\n    return missing\n"
    write(tmp_path / "shared.py", "return await helper()", name="FirstSharer", before=helper)
    with (tmp_path / "shared.py").open("a") as file:
        file.write(
            "\n@workflow\nclass SecondSharer(FirstSharer):\n"
            "    async def run(self):\n        return await helper()\n"
        )
    done = run("shared", "--format", "json")
    findings = json.loads(done.output)["findings"]
    assert len(findings) == 1, findings
    (found,) = findings
    assert (found["code"], found["workflows"]) == ("WM120", ["firstsharer", "secondsharer"])


def test_a_module_of_a_package_is_found_below_the_current_directory(
    tmp_path: Path, run: Check
) -> None:
    (tmp_path / "app" / "inner").mkdir(parents=True)
    (tmp_path / "app" / "__init__.py").write_text("import app.inner.flows\n")
    (tmp_path / "app" / "inner" / "__init__.py").write_text("")
    write(tmp_path / "app" / "inner" / "flows.py", "a = missing")
    done = run("app")
    assert done.exit_code == 1
    assert done.output.startswith("app/inner/flows.py:13:13: WM120 ")


def test_modules_may_be_named_by_the_environment(
    tmp_path: Path, run: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "from_environment.py", "return 1")
    monkeypatch.setenv("WAYMARK_USER_MODULE", " from_environment ,")
    assert run().exit_code == 0
    monkeypatch.setenv("WAYMARK_USER_MODULE", "")
    done = run()
    assert (done.exit_code, "waymark check yourapp.workflows" in done.output) == (2, True)


def test_json_has_the_documented_fields(tmp_path: Path, run: Check) -> None:
    write(tmp_path / "fielded.py", "a = missing\nprint('x')")
    report = json.loads(run("fielded", "--format", "json").output)
    assert report == {
        "schema": 1,
        "modules": ["fielded"],
        "workflows": ["w"],
        "errors": 1,
        "warnings": 0,
        "findings": [
            {
                "code": "WM120",
                "severity": "error",
                "message": "name `missing` is not defined",
                "instead": "define or import it at module level",
                "file": "fielded.py",
                "line": 13,
                "column": 13,
                "end_line": 13,
                "end_column": 20,
                "excerpt": "            a = missing\n                ^^^^^^^",
                "workflows": ["w"],
            }
        ],
        "files": report["files"],
    }
    assert str(tmp_path / "fielded.py") in report["files"]
    assert not any("site-packages" in file or "/waymark/" in file for file in report["files"])


def test_github_gets_workflow_commands_with_everything_escaped(tmp_path: Path, run: Check) -> None:
    folder = tmp_path / "odd,name:50%"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    write(tmp_path / "annotated.py", "a = missing")
    (tmp_path / "annotated.py").rename(folder / "annotated.py")
    sys.path.insert(0, str(folder))
    lines = run("annotated", "--format", "github").output.splitlines()
    assert lines == [
        (
            "::error file=odd%2Cname%3A50%25/annotated.py,line=13,endLine=13,col=13,endColumn=20,title=WM120"
            "::name `missing` is not defined%0Ainstead: define or import it at module level"
        ),
        "1 workflow checked: 1 error, 0 warnings",
    ]


def test_what_a_module_prints_stays_out_of_the_report(tmp_path: Path, run: Check) -> None:
    write(tmp_path / "chatty.py", "return 1", before="print('hello from the module')\n")
    done = run("chatty", "--format", "json")
    assert json.loads(done.stdout)["workflows"] == ["w"]
    assert "hello from the module" in done.stderr


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        (b"def f(:\n    pass\n", "SyntaxError: invalid syntax", 7),
        (
            b"x = 1\nimport nowhere_at_all\n",
            "it imports 'nowhere_at_all', which is not installed",
            1,
        ),
        (b"import sys\nsys.exit(3)\n", "it called sys.exit()", 1),
        (b"def f():\n    return 1 / 0\nf()\n", "ZeroDivisionError: division by zero", 5),
        (b"x = '\xff'\n", "SyntaxError: ", None),
    ],
    ids=["syntax", "missing", "exit", "raises", "not-utf-8"],
)
def test_a_module_that_cannot_be_imported_is_a_finding_with_its_place(
    tmp_path: Path, run: Check, text: bytes, message: str, column: int | None
) -> None:
    (tmp_path / "broken.py").write_bytes(text)
    write(tmp_path / "fine.py", "a = missing")
    done = run("broken", "fine", "--format", "json")
    assert done.exit_code == 2
    first, second = json.loads(done.stdout)["findings"]
    assert (first["code"], first["file"]) == ("WM190", "broken.py")
    assert column in {None, first["column"]}
    assert first["message"].startswith(f"module 'broken' cannot be imported: {message}")
    assert (second["code"], second["file"]) == ("WM120", "fine.py")


def test_a_wrong_name_gets_the_nearest_one(tmp_path: Path, run: Check) -> None:
    write(tmp_path / "my_workflows.py", "return 1")
    done = run("my_workflow")
    assert done.exit_code == 2
    assert "Did you mean 'my_workflows'?" in done.output
    assert "in the directory that holds it" in done.output


@pytest.mark.parametrize("path", ["src/yourapp/flows.py", "src/yourapp.py"])
def test_a_module_in_src_that_is_not_installed_gets_the_two_ways_to_it(
    tmp_path: Path, run: Check, path: str
) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("")
    done = run("yourapp.flows" if path.endswith("flows.py") else "yourapp")
    assert done.exit_code == 2
    assert "set PYTHONPATH=src, where it is, or install its package" in done.output


def test_a_module_without_workflows_is_not_checked(tmp_path: Path, run: Check) -> None:
    (tmp_path / "empty.py").write_text("X = 1\n")
    done = run("empty")
    assert (done.exit_code, "no workflow is defined in empty" in done.output) == (2, True)


@pytest.mark.parametrize("name", ["src/yourapp/flows.py", "yourapp/flows.py", "./yourapp/flows"])
def test_a_file_instead_of_a_module_is_refused_with_the_modules_name(run: Check, name: str) -> None:
    done = run(name)
    assert done.exit_code == 2
    assert "as `import` takes it: yourapp.flows" in done.output


@pytest.mark.parametrize(
    ("directory", "path", "told"),
    [
        ("", "yourapp/flows.py", ": yourapp.flows"),
        ("yourapp", "flows.py", ": yourapp.flows, in the directory {FOLDER}"),
        ("", "yourapp/__init__.py", ": yourapp"),
        ("", "{FOLDER}/yourapp", ": yourapp"),
        ("", "./alone", ": alone"),
        ("yourapp", "{FOLDER}/alone.py", ": alone, in the directory {FOLDER}"),
        ("", "src/inner/flows.py", ": inner.flows, in the directory src"),
        ("", "src/inner", ": inner, in the directory src"),
        ("src", "inner/flows.py", ": inner.flows"),
        ("", "/with-dash/x.py", ": x, in the directory /with-dash"),
        ("", "/with-dash/an y.py", ", such as yourapp.workflows"),
        ("", ".", ", such as yourapp.workflows"),
        ("", "", ", such as yourapp.workflows"),
        ("", "your-app", ", such as yourapp.workflows"),
        ("", "yourapp:Flow", ", such as yourapp.workflows"),
    ],
)
def test_a_path_is_answered_with_a_name_that_can_be_imported(
    tmp_path: Path, run: Check, directory: str, path: str, told: str
) -> None:
    for package in ("yourapp", "src/inner"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
        (tmp_path / package / "flows.py").touch()
    (tmp_path / "alone.py").touch()
    with contextlib.chdir(tmp_path / directory):
        done = run(path.replace("{FOLDER}", str(tmp_path)))
    assert done.exit_code == 2
    expected = "expected the name of a module, as `import` takes it" + told
    assert done.output.endswith(expected.replace("{FOLDER}", str(tmp_path)) + "\n")


def test_a_workflow_behind_a_dot_is_no_module(tmp_path: Path, run: Check) -> None:
    write(tmp_path / "dotted.py", "return 1")
    done = run("dotted.W")
    assert done.exit_code == 2
    assert "'dotted' is a module, not a package\n  instead: name that module alone: dotted" in (
        done.output
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "@workflow\nclass W(Workflow):\n    async def run(self): ...\n" * 2,
            "Rename one of them or write `name = …` in one of the classes",
        ),
        (
            "@workflow\nasync def run(): ...\n",
            (
                "@workflow was given the function 'run'; expected a class: `class Name(Workflow):`"
                " with the function in it as `async def run(self, …)`"
            ),
        ),
        ("@workflow\nclass W: ...\n", "expected `class W(Workflow):` below @workflow"),
        (
            "@workflow(version='2')\nclass W(Workflow): ...\n",
            "was given version=; expected no arguments: write `version = …` in the class",
        ),
        (
            "@workflow(timeout=2)\nclass W(Workflow): ...\n",
            "was given timeout=; expected no arguments: write @workflow without arguments",
        ),
        ("@action\nclass W: ...\n", "expected a function: write @action or @action(name=…)"),
        (
            "@action(timeout=0)\nasync def ask() -> None: ...\n",
            "timeout is 0; expected more than zero",
        ),
    ],
    ids=["twice", "function", "plain-class", "version", "other-argument", "action", "policy"],
)
def test_an_error_of_waymark_brings_its_own_advice(
    tmp_path: Path, run: Check, text: str, told: str
) -> None:
    (tmp_path / "mistaken.py").write_text(f"from waymark import Workflow, action, workflow\n{text}")
    (found,) = json.loads(run("mistaken", "--format", "json").stdout)["findings"]
    assert (found["code"], found["instead"]) == ("WM190", "")
    assert found["message"].endswith(told)
    assert " at 0x" not in found["message"]
    assert found["excerpt"].lstrip().startswith("@")


def test_only_directories_that_may_hold_the_module_are_named(
    tmp_path: Path, run: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = Path(sys.executable).parent
    monkeypatch.setattr(sys, "path", ["", str(environment), *sys.path])
    (found,) = json.loads(run("nowhere_at_all", "--format", "json").stdout)["findings"]
    named = found["message"].partition(" was found in ")[2].split(", ")
    assert named[0] == str(tmp_path)
    assert str(environment) not in named
    assert not any(place.endswith(".zip") or not place for place in named)


def test_a_defect_of_the_compiler_costs_one_workflow_its_report(
    tmp_path: Path, run: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "defective.py", "return 1", name="Defective")
    write(tmp_path / "afterwards.py", "a = missing", name="Afterwards")

    def fail(workflow: type, *rest: object) -> list[object]:
        if workflow.__name__ == "Defective":
            raise KeyError("lost")
        return []

    monkeypatch.setattr("waymark.checks.inspection.lint", fail)
    done = run("defective", "afterwards", "--format", "json")
    assert done.exit_code == 1
    second, first = json.loads(done.stdout)["findings"]
    assert (first["code"], first["file"], first["line"]) == ("WM192", "defective.py", 12)
    assert "KeyError: 'lost'" in first["message"]
    assert second["code"] == "WM120"
