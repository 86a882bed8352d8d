"""Arguments of a language case come in; results and failures of ordinary actions go out."""

import builtins
import os
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from tests.support.acting import attempt
from waymark import RetryPolicy, action


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Point:
    x: int
    y: int = 0


class User(BaseModel):
    id: int
    name: str
    tags: list[str] = []


class OutOfStock(Exception):
    """An exception with attributes of its own."""

    def __init__(self, item: str, left: int = 0) -> None:
        super().__init__(f"{item} is out of stock")
        self.item = item
        self.left = left


@action
async def echo(value: Any) -> Any:
    return value


@action
async def double(x: int) -> int:
    return x * 2


@action
async def add(a: int, b: int = 10) -> int:
    return a + b


@action
async def note(text: str) -> str:
    return text


@action
def shout(text: str) -> str:
    return text.upper() + "!"


@action
async def boom(kind: str, *args: Any) -> None:
    raise getattr(builtins, kind)(*args)


@action
async def sell(item: str, left: int = 0) -> None:
    raise OutOfStock(item, left)


@action
async def flaky(until: int, value: str = "done") -> str:
    if attempt() < until:
        msg = f"attempt {attempt()}"
        raise ConnectionError(msg)
    return value


@action(retry=RetryPolicy(attempts=3, exception_types=["ConnectionError"]))
async def stubborn(until: int) -> int:
    if attempt() < until:
        msg = f"attempt {attempt()}"
        raise ConnectionResetError(msg)
    return attempt()


@action
async def collect(*items: Any, **named: Any) -> list[Any]:
    return [list(items), named]


@action
async def user(number: int) -> User:
    return User(id=number, name=f"user {number}", tags=["a"] * number)


@action
async def move(point: Point, dx: int = 1) -> Point:
    return Point(point.x + dx, point.y)


@action
async def paint(colour: Colour) -> Colour:
    return Colour.GREEN if colour is Colour.RED else Colour.RED


@action
async def numbers(count: int) -> list[int]:
    return list(range(count))


@action
async def nothing() -> None:
    return None


class Foreign(Exception):
    """One whose text cannot be compiled in."""

    def __str__(self) -> str:
        return os.uname()[0] and "foreign"


@action
async def foreign() -> None:
    raise Foreign("x")
