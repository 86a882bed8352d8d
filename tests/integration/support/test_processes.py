"""The process tools of the tests, held against real processes."""

import signal

import pytest

from tests.support.processes import (
    Processes,
    descendants,
    kill_tree,
    running,
    wait_for_end,
    wait_until,
)

_SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
_PARENT = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session={session})\n"
    "print('child', child.pid, flush=True)\n"
    "time.sleep(600)\n"
)


def test_a_line_is_awaited_and_its_groups_are_returned(processes: Processes) -> None:
    child = processes.start_python("-c", "print('a'); print('port 12', flush=True); input()")
    assert child.wait_for_line(r"port (\d+)")[1] == "12"


def test_a_line_that_never_comes_fails_as_soon_as_the_output_ends(processes: Processes) -> None:
    child = processes.start_python("-c", "print('other')")
    with pytest.raises(AssertionError, match=r"(?s)its output ended.*other"):
        child.wait_for_line("never", seconds=60)


def test_a_line_that_does_not_come_in_time_fails_with_the_output_so_far(
    processes: Processes,
) -> None:
    child = processes.start_python("-c", _SLEEPER)
    with pytest.raises(AssertionError, match=r"(?s)0.5 s passed.*up"):
        child.wait_for_line("never", seconds=0.5)


def test_lines_before_a_number_are_not_looked_at(processes: Processes) -> None:
    child = processes.start_python("-c", "print('again'); print('again'); print('end')")
    child.wait_for_line("end")
    with pytest.raises(AssertionError):
        child.wait_for_line("again", after=2)


def test_the_environment_and_the_exit_status_are_those_of_the_process(processes: Processes) -> None:
    code = "import os, sys; print(os.environ['COLOUR']); sys.exit(3)"
    child = processes.start_python("-c", code, environment={"COLOUR": "green"})
    assert child.wait() == 3
    assert child.lines == ["green"]


def test_a_process_that_does_not_end_fails_the_wait(processes: Processes) -> None:
    child = processes.start_python("-c", _SLEEPER)
    with pytest.raises(AssertionError, match="still running"):
        child.wait(seconds=0.2)
    assert child.running


def test_an_orderly_end_is_told_by_its_status(processes: Processes) -> None:
    child = processes.start_python("-c", _SLEEPER)
    child.wait_for_line("up")
    assert child.terminate() == -signal.SIGTERM


@pytest.mark.parametrize("session", [False, True])
def test_killing_a_tree_kills_children_in_sessions_of_their_own(
    processes: Processes, session: bool
) -> None:
    parent = processes.start_python("-c", _PARENT.format(session=session))
    child = int(parent.wait_for_line(r"child (\d+)")[1])
    assert child in descendants(parent.pid)
    assert set(parent.kill_tree()) == {parent.pid, child}
    wait_for_end([parent.pid, child])
    assert not running(child)
    processes.assert_none_left()


def test_an_orphan_in_a_session_of_its_own_is_found_by_its_mark(processes: Processes) -> None:
    parent = processes.start_python("-c", _PARENT.format(session=True))
    child = int(parent.wait_for_line(r"child (\d+)")[1])
    parent.kill()
    with pytest.raises(AssertionError, match=f"left behind:\n{child} "):
        processes.assert_none_left(seconds=0.2)
    kill_tree(child)
    processes.assert_none_left()


def test_the_end_of_a_test_kills_whatever_still_runs() -> None:
    processes = Processes()
    parent = processes.start_python("-c", _PARENT.format(session=True))
    child = int(parent.wait_for_line(r"child (\d+)")[1])
    processes.end()
    assert not running(parent.pid)
    assert not running(child)
    processes.end()


def test_waiting_for_a_condition_fails_in_the_words_of_the_caller() -> None:
    wait_until(lambda: True)
    with pytest.raises(AssertionError, match=r"not within 0.1 s: the sky is green"):
        wait_until(lambda: False, seconds=0.1, what="the sky is green")
