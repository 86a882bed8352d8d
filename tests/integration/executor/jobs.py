"""Actions that a worker process runs in these tests: good ones and bad ones."""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel

from waymark.actions import action
from waymark.attempts import current_action
from waymark.dependencies import Depends

# One of the bad ones below says SystemExit at import when it is asked to.
if os.environ.get("JOBS_EXIT_AT_IMPORT"):
    sys.exit(3)


class Order(BaseModel):
    id: int
    lines: list[str] = []


@dataclass
class Receipt:
    order: Order
    total: float


class Refused(Exception):
    def __init__(self, reason: str, *, code: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


@action
async def double(x: int) -> int:
    return 2 * x


@action
async def charge(order: Order, cents: int = 100) -> Receipt:
    return Receipt(order, cents / 100)


@action
def sync_pid(x: int) -> tuple[int, bool, int]:
    return os.getpid(), threading.current_thread() is threading.main_thread(), x


@action
async def refuse(reason: str) -> None:
    raise Refused(reason, code=402) from ValueError("cause")


@action
async def leave() -> None:
    sys.exit(7)


@action
def interrupt() -> None:
    raise KeyboardInterrupt


@action
def stop_iteration() -> None:
    raise StopIteration(5)


@action
async def die() -> None:
    os._exit(9)


@action
async def lock() -> dict[str, Any]:
    return {"items": [1, {"lock": threading.Lock()}]}


@action
async def big(size: int) -> bytes:
    return bytes(size)


@action
async def cancels_itself() -> None:
    task = asyncio.ensure_future(asyncio.Event().wait())
    task.cancel()
    await task


@action
async def timed_block() -> str:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    except TimeoutError:
        return "timed out"
    return "not"


@action
async def identity() -> tuple[str, int, str, bool]:
    attempt = current_action()
    return attempt.instance_id, attempt.attempt, attempt.idempotency_key, attempt.deadline is None


@action
async def noisy() -> None:
    print("to stdout")  # noqa: T201 - what is tested
    print("half a line", end="")  # noqa: T201 - what is tested
    print("to stderr", file=sys.stderr)  # noqa: T201 - what is tested
    logging.getLogger("user").warning("logged %s", "here")
    current_action().log.info("said %d", 5)


@action
async def sings(name: str, turns: int) -> None:
    """Print and log half a line at a time, giving way in the middle."""
    for turn in range(turns):
        print(name, end=" ")  # noqa: T201 - what is tested
        await asyncio.sleep(0)  # noqa: TID251 - gives way to the others
        print(turn)  # noqa: T201 - what is tested
        await asyncio.to_thread(logging.getLogger("user").warning, "%s %d", name, turn)


@action
def sings_in_a_thread(name: str, turns: int) -> None:
    for turn in range(turns):
        print(name, end=" ")  # noqa: T201 - what is tested
        time.sleep(0)
        print(turn)  # noqa: T201 - what is tested
        logging.getLogger("user").warning("%s %d", name, turn)


@action
async def floods(lines: int, width: int) -> None:
    for number in range(lines):
        print(str(number).ljust(width, "."))  # noqa: T201 - what is tested
    print("no end" * width, end="")  # noqa: T201 - what is tested


@action
async def goes_around() -> None:
    """Print in all the ways that are not this interpreter's streams, or not this attempt's."""
    os.write(1, b"by descriptor\n")
    child = await asyncio.create_subprocess_exec("echo", "by a process")
    await child.wait()
    thread = threading.Thread(target=print, args=("by a thread of its own",))
    thread.start()
    thread.join()
    print("by itself")  # noqa: T201 - what is tested


def note(directory: str, name: str) -> None:
    (Path(directory) / name).touch()


async def resource(directory: str) -> AsyncIterator[str]:
    note(directory, "opened")
    try:
        yield "resource"
    finally:
        await asyncio.sleep(0.001)  # noqa: TID251 - a cleanup that takes a moment
        note(directory, "closed")


@action
async def waits(directory: str, r: Annotated[str, Depends(resource)]) -> str:
    note(directory, f"waits-{r}")
    await asyncio.Event().wait()
    return "never"


@action
async def stubborn(directory: str) -> str:
    note(directory, "stubborn")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(0.01)  # noqa: TID251 - a cleanup that takes a moment
    return "finished anyway"


def thread_resource(directory: str) -> Iterator[int]:
    note(directory, "opened")
    yield threading.get_ident()
    note(directory, "closed")


@action
def in_thread(directory: str, ident: Annotated[int, Depends(thread_resource)]) -> bool:
    return ident == threading.get_ident()


@action
def blocks(directory: str, r: Annotated[str, Depends(resource)]) -> str:
    note(directory, f"blocks-{r}")
    while not (Path(directory) / "release").exists():
        time.sleep(0.01)
    note(directory, "resource-open" if not (Path(directory) / "closed").exists() else "too-early")
    return "done"


def swallowing() -> Iterator[None]:
    try:
        yield
    except ValueError:
        return


@action
async def fails_in_swallower(s: Annotated[None, Depends(swallowing)]) -> str:
    raise ValueError("not to be lost")


shared_built: list[int] = []


async def shared(
    directory: Annotated[str, Depends(lambda: os.environ["JOBS_DIRECTORY"])],
) -> AsyncIterator[int]:
    shared_built.append(1)
    yield len(shared_built)
    note(directory, "shared-closed")


@action
async def uses_shared(s: Annotated[int, Depends(shared, scope="worker")]) -> int:
    return s


memory: ContextVar[str] = ContextVar("memory", default="nothing")


@action
async def remembers() -> str:
    found = memory.get()
    memory.set("something")
    return found


@action
async def positional(a: int, /, *rest: int, key: str = "k", **more: int) -> list[Any]:
    return [a, rest, key, more]
