"""A seed comes in; the source of a random workflow of tasks, timeouts, locks and queues goes out."""

from __future__ import annotations

import random
from collections.abc import Callable

HEADER = """
import asyncio
from tests.language.steps import boom, double, note
from waymark import Workflow, workflow


@workflow
class {name}(Workflow):
    def __init__(self):
        self.seen = []

    async def run(self):
        self.lock = asyncio.Lock()
        self.gate = asyncio.Semaphore(2)
        self.event = asyncio.Event()
        self.queue = asyncio.Queue(1)
        self.heap = asyncio.PriorityQueue()
        self.changed = asyncio.Condition()
        self.tasks = []
        for start in (self.part0, self.part0, self.part1, self.part2):
            self.tasks.append(asyncio.create_task(start()))
        first = self.tasks[:4]
        for task in first:
            try:
                self.seen.append(await task)
            except BaseException as error:
                self.seen.append(("run", self.told(error)))
        return self.seen, [self.state(task) for task in self.tasks]

    def told(self, error):
        if isinstance(error, BaseExceptionGroup):
            return "group", [self.told(each) for each in error.exceptions]
        behind = error.__context__
        return type(error).__name__, str(error), type(behind).__name__

    def state(self, task):
        if not task.done():
            return "pending"
        return "cancelled" if task.cancelled() else repr(task.exception())

    def pick(self, n):
        return self.tasks[n % len(self.tasks)]
"""
PARTS = 5
_DEEPEST = 3


class TaskProgram:
    """Writes one program. A part starts only later parts, and waits for what may never come only for a while."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.part = 0
        self.marks = 0
        self.statements: list[Callable[[int, int], list[str]]] = [
            self.step, self.step, self.pause, self.pause, self.hop, self.spawn, self.spawn, self.cancel,
            self.await_task, self.gather, self.wait_for, self.timeout, self.group, self.wait, self.completed,
            self.shield, self.locked, self.gated, self.put, self.get, self.event, self.guarded, self.guarded,
            self.fails, self.loop, self.spare, self.condition, self.condition, self.priority, self.join,
        ]  # fmt: skip

    def source(self, name: str) -> str:
        """The whole module."""
        lines = HEADER.format(name=name).rstrip("\n").split("\n")
        for self.part in range(PARTS):
            lines += ["", f"    async def part{self.part}(self):"]
            lines += self.block(2, 0, count=self.random.randint(3, 5))
            lines.append(f"        return {self.mark()}")
        return "\n".join(lines) + "\n"

    # --- pieces -------------------------------------------------------------------------------

    def mark(self) -> str:
        self.marks += 1
        return repr(f"{self.part}.{self.marks}")

    def seen(self, indent: int, what: str = "") -> str:
        return f"{'    ' * indent}self.seen.append({what or self.mark()})"

    def seconds(self) -> int:
        return self.random.randint(1, 6)

    def limit(self) -> str:
        return str(self.random.choice([0, 1, 2, 3, 4, 7]))

    def deeper(self) -> str:
        """A coroutine: of a later part, an action or a sleep."""
        choices = [
            f"double({self.random.randint(0, 9)})",
            f"asyncio.sleep({self.seconds()}, {self.mark()})",
        ]
        if self.random.random() < 0.15:
            choices.append(f'boom("ValueError", {self.mark()})')
        if self.part + 1 < PARTS:
            later = f"self.part{self.random.randrange(self.part + 1, PARTS)}()"
            choices += [later, later, later]
        return self.random.choice(choices)

    def block(self, indent: int, depth: int, *, count: int = 0) -> list[str]:
        """A few statements."""
        lines: list[str] = []
        for _ in range(count or self.random.randint(1, 3)):
            choices = self.statements if depth < _DEEPEST else self.statements[:9]
            lines += self.random.choice(choices)(indent, depth)
        return lines

    # --- statements ---------------------------------------------------------------------------

    def step(self, indent: int, depth: int) -> list[str]:
        return [self.seen(indent, f"await note({self.mark()})")]

    def pause(self, indent: int, depth: int) -> list[str]:
        return [f"{'    ' * indent}await asyncio.sleep({self.seconds()})", self.seen(indent)]

    def hop(self, indent: int, depth: int) -> list[str]:
        return [f"{'    ' * indent}await asyncio.sleep(0)", self.seen(indent)]

    def spawn(self, indent: int, depth: int) -> list[str]:
        return [f"{'    ' * indent}self.tasks.append(asyncio.create_task({self.deeper()}))"]

    def cancel(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        return [
            f"{pad}if self.tasks:",
            self.seen(indent + 1, f"self.pick({self.random.randrange(9)}).cancel()"),
        ]

    def await_task(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        picked = f"self.pick({self.random.randrange(9)})"
        return [
            f"{pad}if self.tasks and {picked} is not asyncio.current_task():",
            *self.caught(
                indent + 1,
                [self.seen(indent + 2, f"await asyncio.wait_for({picked}, {self.limit()})")],
            ),
        ]

    def caught(self, indent: int, body: list[str]) -> list[str]:
        """``body`` with its failures told; cancellations go on, mostly."""
        pad = "    " * indent
        kind = "BaseException" if self.random.random() < 0.15 else "Exception"
        return [
            f"{pad}try:",
            *body,
            f"{pad}except {kind} as error:",
            self.seen(indent + 1, f"({self.mark()}, self.told(error))"),
        ]

    def gather(self, indent: int, depth: int) -> list[str]:
        calls = ", ".join(self.deeper() for _ in range(self.random.randint(1, 3)))
        if self.random.random() < 0.5:
            got = f"[repr(each) for each in await asyncio.gather({calls}, return_exceptions=True)]"
        else:
            got = f"await asyncio.gather({calls})"
        return self.caught(indent, [self.seen(indent + 1, got)])

    def wait_for(self, indent: int, depth: int) -> list[str]:
        call = f"await asyncio.wait_for({self.deeper()}, {self.limit()})"
        return self.caught(indent, [self.seen(indent + 1, call)])

    def timeout(self, indent: int, depth: int) -> list[str]:
        pad = "    " * (indent + 1)
        body = [
            f"{pad}async with asyncio.timeout({self.limit()}) as guard:",
            *self.block(indent + 2, depth + 1),
            self.seen(indent + 2, "guard.expired()"),
        ]
        return self.caught(indent, body)

    def group(self, indent: int, depth: int) -> list[str]:
        pad = "    " * (indent + 1)
        name = f"group{self.marks}"
        body = [f"{pad}async with asyncio.TaskGroup() as {name}:"]
        for _ in range(self.random.randint(1, 3)):
            call = self.deeper().replace("asyncio.sleep(", "asyncio.sleep(1 + ")
            body.append(f"{pad}    self.tasks.append({name}.create_task({call}))")
        body += self.block(indent + 2, depth + 1)
        return self.caught(indent, body)

    def wait(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        when = self.random.choice(["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"])
        others = "[task for task in self.tasks if task is not asyncio.current_task()]"
        return [
            f"{pad}if len(self.tasks) > 1:",
            f"{pad}    done, pending = await asyncio.wait({others}, timeout={self.limit()}, return_when=asyncio.{when})",
            self.seen(indent + 1, "(len(done), len(pending))"),
        ]

    def completed(self, indent: int, depth: int) -> list[str]:
        pad = "    " * (indent + 1)
        calls = ", ".join(
            f"asyncio.create_task({self.deeper()})" for _ in range(self.random.randint(1, 3))
        )
        body = [
            f"{pad}for one in asyncio.as_completed([{calls}], timeout={self.seconds()}):",
            self.seen(indent + 2, "await one"),
        ]
        return self.caught(indent, body)

    def shield(self, indent: int, depth: int) -> list[str]:
        return self.caught(
            indent, [self.seen(indent + 1, f"await asyncio.shield({self.deeper()})")]
        )

    def locked(self, indent: int, depth: int) -> list[str]:
        return self.within(indent, depth, "self.lock")

    def gated(self, indent: int, depth: int) -> list[str]:
        return self.within(indent, depth, "self.gate")

    def within(self, indent: int, depth: int, what: str) -> list[str]:
        pad = "    " * (indent + 1)
        body = [
            f"{pad}async with asyncio.timeout({3 + self.seconds()}), {what}:",
            self.seen(indent + 2),
            *self.block(indent + 2, depth + 1),
        ]
        return self.caught(indent, body)

    def put(self, indent: int, depth: int) -> list[str]:
        call = f"await asyncio.wait_for(self.queue.put({self.mark()}), {self.limit()})"
        return self.caught(indent, [self.seen(indent + 1, call)])

    def get(self, indent: int, depth: int) -> list[str]:
        call = f"await asyncio.wait_for(self.queue.get(), {self.limit()})"
        return self.caught(indent, [self.seen(indent + 1, call)])

    def condition(self, indent: int, depth: int) -> list[str]:
        pad = "    " * (indent + 1)
        wait = self.random.choice(
            ["self.changed.wait()", "self.changed.wait_for(lambda: len(self.seen) % 2)"]
        )
        what = self.random.choice(
            [f"await asyncio.wait_for({wait}, {self.limit()})", "self.changed.notify()",
             "self.changed.notify_all()", "self.changed.notify(2)"]
        )  # fmt: skip
        body = [f"{pad}async with asyncio.timeout({3 + self.seconds()}), self.changed:"]
        return self.caught(indent, [*body, self.seen(indent + 2, what)])

    def priority(self, indent: int, depth: int) -> list[str]:
        if self.random.random() < 0.5:
            item = f"({self.random.randrange(4)}, {self.mark()})"
            return [f"{'    ' * indent}self.heap.put_nowait({item})"]
        call = f"await asyncio.wait_for(self.heap.get(), {self.limit()})"
        done = [f"{'    ' * (indent + 1)}self.heap.task_done()"] if depth % 2 else []
        return self.caught(indent, [self.seen(indent + 1, call), *done])

    def join(self, indent: int, depth: int) -> list[str]:
        call = f"await asyncio.wait_for(self.heap.join(), {self.limit()})"
        return self.caught(indent, [self.seen(indent + 1, call)])

    def event(self, indent: int, depth: int) -> list[str]:
        wait = f"await asyncio.wait_for(self.event.wait(), {self.limit()})"
        kind = self.random.randrange(4)
        if kind < 2:
            return self.caught(indent, [self.seen(indent + 1, wait)])
        return [f"{'    ' * indent}self.event.{'set' if kind == 2 else 'clear'}()"]

    def guarded(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        return [
            f"{pad}try:",
            *self.block(indent + 1, depth + 1),
            f"{pad}finally:",
            self.seen(indent + 1),
            *(self.step(indent + 1, depth) if self.random.random() < 0.5 else []),
        ]

    def fails(self, indent: int, depth: int) -> list[str]:
        if self.random.random() < 0.5:
            return [f"{'    ' * indent}if len(self.seen) % 3 == 1:",
                    f"{'    ' * indent}    raise LookupError({self.mark()})"]  # fmt: skip
        return self.caught(
            indent, [self.seen(indent + 1, f'await boom("KeyError", {self.mark()})')]
        )

    def loop(self, indent: int, depth: int) -> list[str]:
        pad = "    " * indent
        name = f"n{self.marks}"
        return [f"{pad}for {name} in range(2):", *self.block(indent + 1, depth + 1)]

    def spare(self, indent: int, depth: int) -> list[str]:
        """Go on in spite of a cancellation, and take it back."""
        pad = "    " * indent
        return [
            f"{pad}try:",
            *self.block(indent + 1, depth + 1),
            f"{pad}except asyncio.CancelledError as error:",
            self.seen(indent + 1, "(asyncio.current_task().cancelling(), error.args)"),
            f"{pad}    asyncio.current_task().uncancel()",
        ]


def random_tasks(seed: int, *, name: str) -> str:
    """Write the program of ``seed``."""
    return TaskProgram(seed).source(name)
