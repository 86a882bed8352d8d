"""`waymark dev` while its author works: files are saved, and what runs follows."""

import os

import pytest

from tests.acceptance.dev_command.conftest import Project
from tests.support.processes import Child, Processes, wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]

_TELLING = """
from waymark import Workflow, action, workflow


@action
def hold(fifo: str) -> str:
    with open(fifo) as file:
        return file.read()


@workflow
class Telling(Workflow):
    async def run(self, fifo: str) -> str:
        if fifo:
            await hold(fifo)
        return "old"
"""
_NEW = _TELLING.replace('"old"', '"new"')
_DONE = r"Reload +done"
_NOT_DONE = r"Reload +not done"


def _up(dev: Child) -> str:
    """Wait until runs can be started; the URL of the database."""
    url = dev.wait_for_line(r"Postgres +(\S+)")[1]
    dev.wait_for_line("Ready", seconds=60)
    return url


def _ask(project: Project, url: str, *, fifo: str = "", name: str = "ask") -> Child:
    code = f"from flows import Telling\nprint('told', Telling().run_sync({fifo!r}))\n"
    return project.python(code, database_url=url, name=name)


def _told(project: Project, url: str) -> str:
    return _ask(project, url).wait_for_line(r"told (\w+)", seconds=60)[1]


def _pools(processes: Processes) -> int:
    return sum(
        "-m waymark_worker --ready-fd" in seen.command and "launch.py" not in seen.command
        for seen in processes.left()
    )


def test_a_save_changes_new_runs_and_leaves_running_ones_alone(
    project: Project, processes: Processes
) -> None:
    project.save("flows.py", _TELLING)
    dev = project.dev("flows")
    url = _up(dev)
    fifo = project.directory / "fifo"
    os.mkfifo(fifo)
    held = _ask(project, url, fifo=str(fifo), name="held")
    with fifo.open("w"):  # opens when the action does, and ends it when closed
        project.save("flows.py", _NEW)
        dev.wait_for_line(_DONE, seconds=60)
        assert _told(project, url) == "new"
        assert held.running
        assert _pools(processes) == 2
    held.wait_for_line("told old", seconds=60)
    wait_until(lambda: _pools(processes) == 1, what=lambda: dev.output)
    assert dev.interrupt() == 0, dev.output
    processes.assert_none_left()


@pytest.mark.slow
def test_what_cannot_run_keeps_the_workers_until_it_is_mended(project: Project) -> None:
    project.save("flows.py", _TELLING)
    dev = project.dev("flows")
    url = _up(dev)
    project.save("flows.py", _NEW + "def f(:\n")
    dev.wait_for_line(r"flows.py:17:7: WM190 .*SyntaxError", seconds=60)
    dev.wait_for_line(_NOT_DONE)
    project.save("flows.py", _NEW.replace("if fifo:", "if missing:"))
    dev.wait_for_line(r"flows.py:14:12: WM120 name `missing` is not defined", seconds=60)
    project.save("flows.py", "import nowhere_at_all\n" + _NEW)
    dev.wait_for_line(r"flows.py:1:1: WM190 .*'nowhere_at_all'", seconds=60)
    seen = len(dev.lines)
    (project.directory / "flows.py").unlink()
    dev.wait_for_line(r"WM190 .*no module named 'flows'", seconds=60, after=seen)
    project.save("flows.py", _TELLING)
    dev.wait_for_line(_DONE, seconds=60)
    assert _told(project, url) == "old"
    project.save("flows.py", _NEW)
    dev.wait_for_line(_DONE, seconds=60, after=len(dev.lines))
    assert _told(project, url) == "new"
    assert "Traceback" not in dev.output


@pytest.mark.slow
def test_a_module_that_is_wrong_from_the_start_is_waited_for(project: Project) -> None:
    project.save("flows.py", "def f(:\n")
    dev = project.dev("flows")
    dev.wait_for_line(r"flows.py:1:7: WM190 .*SyntaxError", seconds=60)
    dev.wait_for_line(r"Waiting +for a save")
    url = _up(dev)
    project.save("flows.py", _NEW)
    dev.wait_for_line(_DONE, seconds=60)
    assert _told(project, url) == "new"


@pytest.mark.slow
def test_a_changed_body_under_the_same_version_says_what_to_do(project: Project) -> None:
    versioned = _TELLING.replace("(Workflow):\n", '(Workflow):\n    version = "1"\n\n')
    project.save("flows.py", versioned)
    dev = project.dev("flows")
    url = _up(dev)
    changed = versioned.replace('"old"', '"new"')
    project.save("flows.py", changed)
    dev.wait_for_line("version '1' is already registered with different code", seconds=60)
    dev.wait_for_line("give the changed workflow another `version`, or leave `version` out")
    dev.wait_for_line(_NOT_DONE)
    project.save("flows.py", changed.replace('version = "1"', 'version = "2"'))
    dev.wait_for_line(_DONE, seconds=60)
    assert _told(project, url) == "new"


@pytest.mark.slow
def test_files_of_packages_and_new_ones_are_followed_and_foreign_ones_are_not(
    project: Project,
) -> None:
    (project.directory / "flows.py").unlink()
    inner = project.directory / "flows" / "inner"
    inner.mkdir(parents=True)
    (project.directory / "flows" / "__init__.py").write_text(
        "from flows.inner.body import Telling\n"
    )
    (inner / "__init__.py").write_text("")
    (inner / "body.py").write_text(_TELLING)
    dev = project.dev("flows")
    url = _up(dev)
    for ignored in (
        "venv/pyvenv.cfg",
        "venv/lib/x.py",
        ".hidden/x.py",
        "node_modules/x.py",
        "notes.txt",
    ):
        (project.directory / ignored).parent.mkdir(exist_ok=True, parents=True)
        (project.directory / ignored).write_text("x = 1\n")
    (project.directory / "test_flows.py").write_text("x = 1\n")
    project.save("flows/inner/body.py", _TELLING)
    fresh = project.directory / "flows" / "fresh"
    fresh.mkdir()
    (fresh / "__init__.py").write_text("")
    (fresh / "words.py").write_text('WORD = "fresh"\n')
    dev.wait_for_line(r"Reload +flows/fresh/__init__.py, flows/fresh/words.py changed", seconds=60)
    dev.wait_for_line(_DONE, seconds=60)
    before = len(dev.lines)
    text = "from flows.fresh.words import WORD\n" + _TELLING.replace('"old"', "WORD")
    project.save("flows/inner/body.py", text)
    dev.wait_for_line(r"Reload +flows/inner/body.py changed", seconds=60, after=before)
    dev.wait_for_line(_DONE, seconds=60, after=before)
    assert _told(project, url) == "fresh"
    told = [line for line in dev.lines if line.endswith("changed")]
    assert len(told) == 2, dev.output


@pytest.mark.slow
def test_a_thousand_saves_in_a_row_end_with_the_last_one(project: Project) -> None:
    project.save("flows.py", _TELLING)
    dev = project.dev("flows")
    url = _up(dev)
    for number in range(1000):
        # All of one length, so that neither size nor whole seconds tell them apart.
        project.save("flows.py", _TELLING.replace('"old"', f'"n{number:03}"'))
    wait_until(lambda: _told(project, url) == "n999", seconds=100, what=lambda: dev.output)
    assert sum("changed" in line for line in dev.lines) < 20


@pytest.mark.slow
def test_a_module_that_prints_does_no_harm(project: Project) -> None:
    project.save("flows.py", _TELLING + "print('imported', '{\"schema\": 1}')\n")
    dev = project.dev("flows")
    assert _told(project, _up(dev)) == "old"


@pytest.mark.slow
def test_a_source_that_is_not_utf_8_is_told_with_its_place(project: Project) -> None:
    (project.directory / "flows.py").write_bytes(b"x = '\xff'\n")
    dev = project.dev("flows")
    dev.wait_for_line(r"flows.py:1:\d+: WM190 .*SyntaxError.*utf-8", seconds=60)


@pytest.mark.slow
def test_a_module_that_never_ends_its_import_is_told_and_mended(project: Project) -> None:
    project.save("flows.py", "import threading\nthreading.Event().wait()\n")
    dev = project.dev("flows")
    dev.wait_for_line(r"Waiting +for flows to be imported; does it run something", seconds=60)
    project.save("flows.py", _TELLING)
    url = _up(dev)
    assert _told(project, url) == "old"
    before = len(dev.lines)
    project.save("flows.py", "import threading\nthreading.Event().wait()\n")
    dev.wait_for_line("Reload +flows.py changed", seconds=60, after=before)
    project.save("flows.py", _NEW)
    dev.wait_for_line(_DONE, seconds=60, after=before)
    assert _told(project, url) == "new"


@pytest.mark.slow
def test_a_file_instead_of_a_module_ends_it_with_the_modules_name(project: Project) -> None:
    dev = project.dev("flows.py")
    assert dev.wait(seconds=60) == 1
    assert "'flows.py' is a path; expected the name of a module, as `import` takes it: flows" in (
        dev.output
    )
