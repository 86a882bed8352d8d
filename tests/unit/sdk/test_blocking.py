"""Coroutines from synchronous code in; their results, errors and interruptions out."""

import asyncio
import os
import threading

import pytest

from waymark.blocking import run_blocking


async def value(x: int) -> int:
    await asyncio.sleep(0)  # noqa: TID251 - one turn of the loop
    return x


async def fails() -> None:
    raise KeyError("k")


def test_results_and_errors_come_back_from_several_threads() -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda i=i: found.append(run_blocking(value(i)))) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(8))
    with pytest.raises(KeyError):
        run_blocking(fails())


async def test_inside_a_running_loop_it_says_what_to_use() -> None:
    with pytest.raises(RuntimeError, match=r"use start\(\) with await"):
        run_blocking(value(1), instead="start()")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    assert run_blocking(value(1)) == 1
    child = os.fork()
    if child == 0:
        os._exit(run_blocking(value(42)))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 42
