"""`waymark dev MODULE -- COMMAND`: the command sees the database, and ends with everything else."""

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.dev_command.conftest import Project
from tests.support.processes import Processes, running, wait_for_end

pytestmark = [pytest.mark.acceptance, pytest.mark.postgres]

# Several processes write to one pipe: a line is one write, which no other cuts in two.
_SAY = """
import os
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
"""
_APP = f"""{_SAY}
import sys
from flows import Adding
say("app sees", os.environ["WAYMARK_DATABASE_URL"])
say("app", Adding().run_sync(41), sys.argv[1:])
"""
# A grandchild that leaves its session and its parent: only who watches all descendants finds it.
_DAEMON = f"""{_SAY}
import signal
if os.fork():
    os.wait()
else:
    os.setsid()
    if os.fork():
        os._exit(0)
    say("daemon", os.getpid())
    while True:
        signal.pause()
"""
_STAYS = f"{_SAY}\nimport signal\nsay('stays')\nwhile True:\n    signal.pause()\n"
_STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def _write(project: Project, text: str) -> Path:
    path = project.directory / "application.py"
    path.write_text(text)
    return path


def test_the_command_runs_with_the_database_and_its_end_ends_nothing(
    project: Project, processes: Processes
) -> None:
    _write(project, _APP)
    dev = project.dev("flows", "--", "python", "application.py", "--reload", "--", "x")
    url = dev.wait_for_line(r"Postgres +(\S+)")[1]
    assert dev.wait_for_line(r"app sees (\S+)", seconds=60)[1] == url
    dev.wait_for_line(r"app 42 \['--reload', '--', 'x'\]", seconds=60)
    dev.wait_for_line(r"Command +.* ended with exit status 0; everything else goes on")
    assert dev.running
    assert dev.interrupt() == 0, dev.output
    processes.assert_none_left()


@pytest.mark.slow
def test_a_killed_command_ends_nothing_else(project: Project) -> None:
    _write(project, f"{_SAY}\nsay('pid', os.getpid())\n{_STAYS}")
    dev = project.dev("flows", "--", "python", "application.py")
    pid = int(dev.wait_for_line(r"^pid (\d+)", seconds=60)[1])
    os.kill(pid, signal.SIGKILL)
    dev.wait_for_line(r"ended with signal 9; everything else goes on")
    assert dev.running
    assert dev.terminate() == 0, dev.output


@pytest.mark.slow
@pytest.mark.parametrize("text", [_STAYS, _STUBBORN + _STAYS], ids=["polite", "stubborn"])
def test_ctrl_c_ends_the_command_and_all_that_it_started(
    project: Project, processes: Processes, text: str
) -> None:
    _write(project, _DAEMON + text)
    dev = project.dev("flows", "--", "python", "application.py")
    daemon = int(dev.wait_for_line(r"^daemon (\d+)", seconds=60)[1])
    dev.wait_for_line("stays")
    assert dev.interrupt() == 0, dev.output
    wait_for_end([daemon])
    processes.assert_none_left()


@pytest.mark.slow
def test_what_a_command_leaves_behind_goes_on_until_the_end(
    project: Project, processes: Processes
) -> None:
    _write(project, _DAEMON)
    dev = project.dev("flows", "--", "python", "application.py")
    daemon = int(dev.wait_for_line(r"^daemon (\d+)", seconds=60)[1])
    dev.wait_for_line(r"ended with exit status 0; everything else goes on")
    assert running(daemon)
    assert dev.interrupt() == 0, dev.output
    processes.assert_none_left()


@pytest.mark.slow
def test_kill_9_of_dev_ends_the_command_and_all_that_it_started(
    project: Project, processes: Processes
) -> None:
    _write(project, _DAEMON + _STAYS)
    dev = project.dev("flows", "--", "python", "application.py")
    daemon = int(dev.wait_for_line(r"^daemon (\d+)", seconds=60)[1])
    dev.wait_for_line("stays")
    dev.kill()
    wait_for_end([daemon], seconds=30)
    processes.assert_none_left(seconds=30)


def test_a_program_that_does_not_exist_is_told_before_anything_starts(project: Project) -> None:
    dev = project.dev("flows", "--", "uvicron", "app:app")
    assert dev.wait() == 2
    assert "no program 'uvicron' was found" in dev.output
    assert not (project.directory / ".waymark").exists()


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("nosuch", "no module named 'nosuch' was found in"),
        ("./flows", "as `import` takes it: flows"),
    ],
)
def test_a_module_that_is_not_there_is_told_before_anything_starts(
    project: Project, processes: Processes, module: str, told: str
) -> None:
    dev = project.dev(module)
    assert dev.wait(seconds=60) == 1
    assert told in dev.output
    assert "Postgres" not in dev.output
    assert "Workers" not in dev.output
    assert not (project.directory / ".waymark").exists()
    processes.assert_none_left()
