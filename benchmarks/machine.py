"""What the machine costs, beside what plain CPython costs for the same in the same run: a table goes out."""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
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


_PART = """
    async def step_{n}(self, order: dict) -> int:
        total, names = 0, []
        for index, item in enumerate(order["items"]):
            if item["price"] > {n} and item.get("name"):
                total += item["price"] * await act(index)
                names.append(f"{{item['name']:>10}} {n}")
            else:
                total -= 1
        try:
            total += await act(len([name for name in names if name.strip()]))
        except (ValueError, KeyError) as error:
            names.append(str(error))
        finally:
            self.count = total
        first, *rest = names or ["none"]
        parts = await asyncio.gather(act(total), act(len(rest)), *[act(n) for n in range(3)])
        return sum(parts) + max(len(first), {n})
"""
"""18 lines of an ordinary workflow."""


def compile_seconds(lines: int) -> float:
    """Import a workflow of so many lines and compile it."""
    parts = range(lines // 18)
    calls = "".join(f"        total += await self.step_{n}(order)\n" for n in parts)
    text = (
        "import asyncio\nfrom waymark import Workflow, action, workflow\n\n"
        "@action\nasync def act(x: int) -> int:\n    return x\n\n"
        "@workflow\nclass BenchLong(Workflow):\n    async def run(self, order: dict) -> int:\n"
        f"        total = 0\n{calls}        return total\n{''.join(_PART.format(n=n) for n in parts)}"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bench_long.py").write_text(text)
        sys.path.insert(0, folder)
        try:
            case = importlib.import_module("bench_long").BenchLong
            begin = time.process_time()
            compile_workflow(case)
            return time.process_time() - begin
        finally:
            sys.path.remove(folder)


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
    seconds = compile_seconds(1000)
    print(f"{'compile, 1,000 lines':34}{seconds * 1e6:12.0f}{'':20}{'1000000':>11}")


if __name__ == "__main__":
    main()
