"""What the machine costs, beside what plain CPython costs for the same in the same run: a table goes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from waymark import Workflow, action, workflow
from waymark.compiler.pipeline import compile_workflow
from waymark_worker.vm.entries import CallReturned
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine

LOOPS, STEPS, CHILDREN, VALUES = 300_000, 20_000, 10_000, 20_000


@action
async def act(x: int) -> int:
    return x


def add(a: int, b: int) -> int:
    return a + b


@workflow
class BenchLoop(Workflow):
    async def run(self, n: int) -> Any:
        i = total = 0
        while i < n:
            total = total + i
            i = i + 1
        return total


@workflow
class BenchCalls(Workflow):
    async def run(self, n: int) -> Any:
        total = 0
        for i in range(n):
            total = add(total, i)
        return total


@workflow
class BenchSteps(Workflow):
    async def run(self, n: int) -> Any:
        x = 0
        while x < n:
            x = await act(x)
        return x


@workflow
class BenchGather(Workflow):
    async def run(self, n: int) -> Any:
        return len(await asyncio.gather(*[act(i) for i in range(n)]))


@workflow
class BenchHeld(Workflow):
    async def run(self, n: int) -> Any:
        rows = [{"id": i, "name": "row", "tags": [i, 1.5]} for i in range(n)]
        await act(0)
        return len(rows)


def started(case: Any, n: int) -> Machine:
    """Compile, link and start one of the workflows."""
    compiled = compile_workflow(case)
    linked = link(compiled.program_bytes, compiled.digest)
    encode = linked.codec.encode
    return Machine.start(linked, inputs=encode({"n": n}), attributes=encode({}))


def machine_seconds(case: Any, n: int) -> float:
    """Run to the end, each call returning its argument plus one."""
    machine = started(case, n)
    codec = machine.linked.codec
    begin = time.process_time()
    effects: list[Any] = machine.advance(None, FreshLocals())
    while not machine.finished:
        following: list[Any] = []
        for effect in effects:
            value = codec.encode(effect.call + 1)
            following += machine.advance(CallReturned(effect.call, value), FreshLocals())
        effects = following
    return time.process_time() - begin


async def _plain(x: int) -> int:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, x + 1)
    return await future


async def _plain_loop(n: int) -> None:
    i = total = 0
    while i < n:
        total = total + i
        i = i + 1


async def _plain_calls(n: int) -> None:
    total = 0
    for i in range(n):
        total = add(total, i)


async def _plain_steps(n: int) -> None:
    x = 0
    while x < n:
        x = await _plain(x)


async def _plain_gather(n: int) -> None:
    await asyncio.gather(*[_plain(i) for i in range(n)])


def plain_seconds(run: Callable[[int], Any], n: int) -> float:
    """Run the same on an event loop."""
    begin = time.process_time()
    asyncio.run(run(n))
    return time.process_time() - begin


def main() -> None:
    """Print the table: the best of three runs each, interleaved, in processor time."""
    print(f"{'':34}{'machine µs':>12}{'CPython µs':>12}{'ratio':>8}{'target µs':>11}")
    for name, case, plain, n, parts, target in (
        ("one simple instruction", BenchLoop, _plain_loop, LOOPS, 5, 0.3),
        ("call of a helper", BenchCalls, _plain_calls, LOOPS, 1, None),
        ("x = await act(x), codec included", BenchSteps, _plain_steps, STEPS, 1, 10),
        ("gather child, codec included", BenchGather, _plain_gather, CHILDREN, 1, 10),
    ):
        ours, theirs = [], []
        for _ in range(3):
            ours.append(machine_seconds(case, n) / n / parts * 1e6)
            theirs.append(plain_seconds(plain, n) / n / parts * 1e6)
        wanted = "" if target is None else f"{target:g}"
        print(
            f"{name:34}{min(ours):12.2f}{min(theirs):12.2f}{min(ours) / min(theirs):8.1f}{wanted:>11}"
        )
    machine = started(BenchHeld, VALUES)
    machine.advance(None, FreshLocals())
    begin = time.process_time()
    stored = machine.snapshot()
    written = time.process_time()
    Machine.restore(machine.linked, stored)
    read = time.process_time()
    values = VALUES * 7
    print(f"{'snapshot, per value':34}{(written - begin) / values * 1e6:12.2f}{'':20}{'2':>11}")
    print(
        f"{'restore, per value':34}{(read - written) / values * 1e6:12.2f}   ({len(stored)} bytes)"
    )


if __name__ == "__main__":
    main()
