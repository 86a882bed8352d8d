"""Workflows and actions for pools under test; every action writes what it does into a ledger."""

import asyncio
import logging
import os
import re
import signal
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from waymark import Backoff, RetryPolicy, Workflow, action, current_action, workflow

LEDGER = "PYTEST_WAYMARK_LEDGER"
kept: list[bytes] = []


def note(*words: object) -> None:
    """Append one line; a single write, so that processes do not cut into each other's."""
    line = " ".join(str(word) for word in words) + "\n"
    descriptor = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _me() -> str:
    attempt = current_action()
    return f"{attempt.instance_id} {attempt.call_id} {attempt.attempt}"


@action
async def add(x: int, y: int) -> int:
    note("add", _me(), os.getpid(), x, y, time.time())
    return x + y


@action
async def slow(x: int, seconds: float) -> int:
    note("slow", _me(), os.getpid(), x)
    await asyncio.sleep(seconds)
    note("slept", _me(), os.getpid(), x)
    return x + 1


@action
async def until_told(flag: str) -> str:
    """End when a file appears."""
    note("waits", _me(), os.getpid(), flag)
    while not Path(flag).exists():
        await asyncio.sleep(0.02)
    note("told", _me(), os.getpid(), flag)
    return flag


@action
async def flaky(good_from: int) -> int:
    note("flaky", _me(), os.getpid(), time.time())
    attempt = current_action().attempt
    if attempt < good_from:
        raise ConnectionError(f"attempt {attempt}")
    return attempt


@action
async def hang() -> None:
    note("hangs", _me(), os.getpid())
    await asyncio.sleep(600)


@action
async def deaf() -> None:
    """Ignore every cancellation."""
    note("deaf", _me(), os.getpid())
    while True:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            note("ignores", _me(), os.getpid())


@action
def block(seconds: float) -> int:
    note("blocks", _me(), os.getpid(), threading.current_thread() is threading.main_thread())
    time.sleep(seconds)
    return os.getpid()


@action
async def beats(flag: str) -> None:
    """Tell that it runs until a file appears, and for two seconds after it was cancelled."""
    try:
        while not Path(flag).exists():
            note("beats", os.getpid())
            await asyncio.sleep(0.02)
    finally:
        for _ in range(0 if Path(flag).exists() else 100):
            note("beats", os.getpid())
            await asyncio.sleep(0.02)


@action
async def die() -> None:
    note("dies", _me(), os.getpid())
    os._exit(3)


@action
async def blocks_the_loop(flag: str) -> int:
    """Wait as an async action must not: nothing else of its worker moves meanwhile."""
    note("blocks_loop", _me(), os.getpid())
    while not Path(flag).exists():
        time.sleep(0.02)  # noqa: ASYNC251 - the point of it
    return os.getpid()


@action
async def keeps_everything() -> bool:
    """Not even a thread of its worker moves: this matcher never gives the interpreter away."""
    note("keeps", _me(), os.getpid())
    return re.match(r"(a+)+$", "a" * 64 + "b") is None


@action
async def grow(size: int) -> int:
    """Take memory and keep it."""
    note("grows", _me(), os.getpid())
    kept.append(b"x" * size)
    return os.getpid()


@action
async def abandon(count: int) -> list[int]:
    """Start processes whose parent ends at once, and end them; whoever adopted them is their parent's id."""
    script = f"for i in $(seq {count}); do sleep 600 > /dev/null & echo $!; done"
    shell = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=subprocess.PIPE)
    told, _ = await shell.communicate()
    orphans = [int(word) for word in told.split()]
    for orphan in orphans:
        note("orphan", parent(orphan))
        os.kill(orphan, signal.SIGKILL)
    return orphans


@action
async def still_there(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@action
async def kill_pool() -> None:
    """kill -9 the supervisor, then the runloop, then this worker."""
    note("kills", _me(), os.getpid())
    runloop = os.getppid()
    for pid in (parent(runloop), runloop, os.getpid()):
        os.kill(pid, signal.SIGKILL)


@action
async def cancel_itself() -> None:
    note("cancels", _me(), os.getpid())
    raise asyncio.CancelledError("by its own hand")


@action
async def chatter(text: str) -> int:
    print("printed", text)
    logging.getLogger("jobs").warning("logged %s", text)
    return len(text)


@action
async def size_of(blob: bytes) -> int:
    return len(blob)


@action
async def worker_pid() -> int:
    return os.getpid()


@workflow
class Chain(Workflow):
    async def run(self, steps: int) -> int:
        x = 0
        for _ in range(steps):
            x = await add(x, 1)
        return x


@workflow
class Fan(Workflow):
    async def run(self, width: int) -> int:
        return sum(await asyncio.gather(*[add(x, 1) for x in range(width)]))


@workflow
class Nothing(Workflow):
    """Ends in its first advance."""

    async def run(self, x: int) -> int:
        return x * 2


@workflow
class Slow(Workflow):
    async def run(self, steps: int, seconds: float) -> int:
        x = 0
        for _ in range(steps):
            x = await slow(x, seconds)
        return x


@workflow
class Waiter(Workflow):
    async def run(self, flag: str) -> str:
        await add(1, 1)
        told = await until_told(flag)
        await add(2, 2)
        return told


@workflow
class Beating(Workflow):
    async def run(self, flag: str) -> None:
        await beats(flag)


@workflow
class Retried(Workflow):
    async def run(self, good_from: int, pause: float) -> int:
        policy = RetryPolicy(attempts=5, backoff=Backoff(base=pause, factor=1.0))
        return await self.run_action(flaky(good_from), retry=policy)


@workflow
class Timed(Workflow):
    async def run(self) -> str:
        try:
            await self.run_action(hang(), timeout=timedelta(seconds=0.2))
        except TimeoutError as error:
            return f"{type(error).__name__}: {error}"
        return "no timeout"


@workflow
class Deaf(Workflow):
    async def run(self) -> int:
        try:
            await self.run_action(deaf(), timeout=0.2)
        except TimeoutError:
            return await worker_pid()
        return 0


@workflow
class Blocked(Workflow):
    async def run(self, count: int, seconds: float) -> list[int]:
        return await asyncio.gather(*[block(seconds) for _ in range(count)])  # type: ignore[call-overload, no-any-return] # to a type checker a sync action is no awaitable


@workflow
class Stuck(Workflow):
    """Leaves a thread behind."""

    async def run(self, seconds: float) -> str:
        try:
            await self.run_action(block(seconds), timeout=0.2)
        except TimeoutError:
            return "timed out"
        return "ended"


@workflow
class Fatal(Workflow):
    async def run(self) -> str:
        try:
            await die()
        except Exception as error:
            return type(error).__name__
        return "survived"


@workflow
class BlocksTheLoop(Workflow):
    async def run(self, flag: str) -> int:
        return await blocks_the_loop(flag)


@workflow
class KeepsEverything(Workflow):
    async def run(self) -> str:
        try:
            await keeps_everything()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return "matched"


@workflow
class Grows(Workflow):
    async def run(self, size: int) -> int:
        return await grow(size)


@workflow
class Abandons(Workflow):
    async def run(self, count: int) -> int:
        left = await abandon(count)
        looks = 0
        while left:
            left = await still_there(left)
            looks += 1
            await asyncio.sleep(0.2)
        return looks


@workflow
class KillsPools(Workflow):
    async def run(self) -> str:
        try:
            await kill_pool()
        except Exception as error:
            return type(error).__name__
        return "survived"


@workflow
class SelfCancelled(Workflow):
    async def run(self) -> str:
        try:
            await cancel_itself()
        except asyncio.CancelledError as error:
            return f"cancelled {error}"
        return "returned"


@workflow
class Sleeper(Workflow):
    async def run(self, seconds: float) -> int:
        x = await add(1, 1)
        await asyncio.sleep(seconds)
        return await add(x, 1)


@workflow
class SleepsFirst(Workflow):
    """Its first advance has something to record."""

    async def run(self, seconds: float) -> int:
        await asyncio.sleep(seconds)
        return await add(1, 1)


@workflow
class SleepsForever(Workflow):
    async def run(self) -> int:
        await asyncio.sleep(1e15)
        return 1


@workflow
class WaitsForEver(Workflow):
    async def run(self) -> None:
        await asyncio.Event().wait()


@workflow
class Chatty(Workflow):
    async def run(self, text: str) -> int:
        print("from the workflow")
        return await chatter(text)


@workflow
class Blobs(Workflow):
    """More bytes at once than one frame may hold."""

    async def run(self, count: int, size: int) -> int:
        blob = b"x" * size
        return sum(await asyncio.gather(*[size_of(blob) for _ in range(count)]))


@workflow
class Mixture(Workflow):
    """Steps, fan-out, sleep and retries: what CPython makes of it is known without running it."""

    async def run(self, n: int) -> list[Any]:
        x = n
        for _ in range(4):
            x = await add(x, 1)
        parts = await asyncio.gather(*[add(x, k) for k in range(5)])
        await asyncio.sleep(0.05)
        policy = RetryPolicy(attempts=50, backoff=Backoff(base=0.02))
        tried = await self.run_action(flaky(3), retry=policy)
        x = await add(sum(parts), tried)
        return [n, x, parts]


def mixture(n: int) -> list[Any]:
    """What Mixture returns."""
    parts = [n + 4 + k for k in range(5)]
    return [n, sum(parts) + 3, parts]


@workflow
class Computes(Workflow):
    """Some long steps, and then it waits."""

    async def run(self, steps: int, rounds: int, flag: str) -> int:
        x = 0
        for _ in range(steps):
            for _ in range(rounds):
                pass
            x = await add(x, 1)
        await until_told(flag)
        return x


@workflow
class Spins(Workflow):
    async def run(self) -> int:
        x = 0
        while True:
            x += 1


@workflow
class ComputesFor(Workflow):
    """One long step between two short ones: so many seconds of computation by the clock, whatever the machine."""

    async def run(self, seconds: float) -> list[int]:
        x = await add(1, 1)
        until = time.time() + seconds
        rounds = 0
        while time.time() < until:
            for _ in range(5_000):
                x += 1
            rounds += 1
        return [rounds, await add(x, 1)]
