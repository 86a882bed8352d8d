"""Tasks that wait for each other in: cancellations that end, however long the row, out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.compiling import imported, run_text, workflow_of
from waymark.starting import prepare
from waymark_worker.vm.effects import CancelCall, Cancelled, Complete, Effect, Log, StartCall
from waymark_worker.vm.entries import CallReturned, CancelRequested
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine


def machine_of(folder: Path, body: str, after: str = "") -> Machine:
    text = run_text(body, after=after)
    request = prepare(workflow_of(imported(folder, text)), (), {}).request
    linked = link(request.program.program, request.program.digest)
    return Machine.start(linked, inputs=request.inputs, attributes=request.attributes)


def advanced(machine: Machine, entry: Any = None) -> list[Effect]:
    return machine.advance(entry, FreshLocals())


def value(machine: Machine, effects: list[Effect]) -> Any:
    (ending,) = [each for each in effects if isinstance(each, Complete)]
    return machine.linked.codec.decode(ending.result)


HELPERS = """
    async def waits(self, task):
        return await task

    async def circle(self, tasks, n):
        await asyncio.sleep(0)
        return await tasks[n % 2]
"""


def test_a_long_row_of_tasks_is_cancelled_to_its_end(tmp_path: Path) -> None:
    body = """
task = asyncio.create_task(asyncio.sleep(100))
tasks = [task]
for _ in range(900):
    task = asyncio.create_task(self.waits(task))
    tasks.append(task)
await asyncio.sleep(0)
await asyncio.sleep(0)
task.cancel()
await asyncio.wait(tasks)
return sum(each.cancelled() for each in tasks)
"""
    machine = machine_of(tmp_path, body, HELPERS)
    assert value(machine, advanced(machine)) == 901


@pytest.mark.parametrize("how", ["tasks[0].cancel()", "asyncio.gather(*tasks).cancel()"])
def test_a_circle_of_tasks_cannot_be_cancelled_and_the_run_still_ends(
    tmp_path: Path, how: str
) -> None:
    body = f"""
tasks = []
for n in (1, 2):
    tasks.append(asyncio.create_task(self.circle(tasks, n)))
for _ in range(4):
    await asyncio.sleep(0)
try:
    {how}
except RecursionError as error:
    return str(error)
"""
    machine = machine_of(tmp_path, body, HELPERS)
    effects = advanced(machine)
    assert "could not be cancelled" in str([each for each in effects if isinstance(each, Log)])


def test_who_waits_for_what_nothing_can_bring_says_so_and_can_be_cancelled(tmp_path: Path) -> None:
    body = """
lock = asyncio.Lock()
await lock.acquire()
try:
    await lock.acquire()
finally:
    print("cleaned")
"""
    machine = machine_of(tmp_path, body)
    (log,) = advanced(machine)
    assert isinstance(log, Log)
    assert "only a cancellation ends this wait" in log.text
    machine = Machine.restore(machine.linked, machine.snapshot())
    *logs, ending = advanced(machine, CancelRequested())
    assert [each.text for each in logs if isinstance(each, Log)] == ["cleaned"]
    assert isinstance(ending, Cancelled)


def test_cancelling_a_run_lets_go_of_what_its_tasks_wait_for(tmp_path: Path) -> None:
    body = """
async with asyncio.TaskGroup() as group:
    group.create_task(act(1))
    group.create_task(asyncio.wait_for(act(2), 10))
    await asyncio.shield(act(3))
"""
    machine = machine_of(tmp_path, body)
    begun = [each.call for each in advanced(machine) if isinstance(each, StartCall)]
    assert len(begun) == 3
    effects = advanced(machine, CancelRequested())
    assert sorted(each.call for each in effects if isinstance(each, CancelCall)) == begun
    assert isinstance(effects[-1], Cancelled)
    assert advanced(machine, CallReturned(begun[0], b"")) == []
