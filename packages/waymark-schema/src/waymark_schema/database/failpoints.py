"""For tests of crashes: the text of `WAYMARK_FAILPOINT` goes in; exits, errors, lost answers and stalls come out.

Unset, which is always so in production, nothing of this is reached: a session then has no failpoints.

The text is one rule, or several separated by semicolons. A rule names statements, a moment and an action,
then options: `settle.settle*:after=exit once=/tmp/flag; instances.claim:before=error:40001 chance=0.1 seed=7`.

* Statements: `FILE.NAME` of a `.sql` file and a query in it; `*` stands for any text.
* Moments: `before` it is sent; `after` it was answered (in autocommit: committed).
* Actions: `exit` ends the process as kill -9 does; `error:STATE` raises what the driver raises for that
  SQLSTATE; `lose` ends the connection, so that the answer is lost; `stall:SECONDS` waits.
* Options: `nth=N` begins with the N-th time (1); `times=N` acts N times at most; `chance=P` acts with this
  probability, drawn from `seed=N`; `once=PATH` acts once among all processes, by making this file;
  `while=PATH` acts only while this file exists.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg

from waymark_schema.database.hanging import hang_up
from waymark_schema.errors import SettingError

VARIABLE: Final = "WAYMARK_FAILPOINT"
_MOMENTS: Final = ("before", "after")
_ALLOWED: Final = (
    "rules like settle.settle*:after=exit nth=3 (moments: before, after; actions: exit, error:SQLSTATE,"
    " lose, stall:SECONDS; options: nth=, times=, chance=, seed=, once=, while=), separated by semicolons"
)

T = TypeVar("T")


@dataclass(slots=True)
class _Rule:
    """One rule, and how often it was met."""

    pattern: str
    moment: str
    action: str
    argument: str = ""
    nth: int = 1
    times: int | None = None
    chance: float = 1.0
    once: Path | None = None
    gate: Path | None = None
    draw: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - repeatable on purpose
    met: int = 0
    acted: int = 0

    def due(self, statement: str, moment: str) -> bool:
        """Whether it acts now."""
        if moment != self.moment or not fnmatchcase(statement, self.pattern):
            return False
        if self.gate is not None and not self.gate.exists():
            return False
        self.met += 1
        if self.met < self.nth or (self.times is not None and self.acted >= self.times):
            return False
        if self.chance < 1.0 and self.draw.random() >= self.chance:
            return False
        if self.once is not None and not _first(self.once):
            return False
        self.acted += 1
        return True

    async def act(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Do it."""
        if self.action == "exit":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.action == "error":
            raise psycopg.errors.lookup(self.argument)(f"injected by {VARIABLE}")
        elif self.action == "lose":
            hang_up(connection)
            raise psycopg.OperationalError(f"the answer was lost: {VARIABLE}")
        else:
            await asyncio.sleep(float(self.argument))  # noqa: TID251 - the stall is the point


class Failpoints:
    """The rules of one process."""

    def __init__(self, rules: list[_Rule]) -> None:
        self._rules = rules

    async def around(
        self,
        connection: psycopg.AsyncConnection[Any],
        statement: str,
        run: Callable[[], Awaitable[T]],
    ) -> T:
        """Run a statement with whatever the rules want before and after it."""
        name = statement.replace(".sql:", ".")
        await self._reach(connection, name, "before")
        result = await run()
        await self._reach(connection, name, "after")
        return result

    async def _reach(
        self, connection: psycopg.AsyncConnection[Any], name: str, moment: str
    ) -> None:
        for rule in self._rules:
            if rule.due(name, moment):
                await rule.act(connection)


@lru_cache(maxsize=16)
def read(text: str) -> Failpoints | None:
    """Read the variable; None when it is empty. The same text is the same object: it counts per process.

    Raises SettingError for anything that cannot be read.
    """
    if not text.strip():
        return None
    try:
        return Failpoints([_rule(part) for part in text.split(";") if part.strip()])
    except ValueError as error:
        raise SettingError(
            VARIABLE, f"{VARIABLE} is {text!r}: {error}; expected {_ALLOWED}."
        ) from None


def _rule(text: str) -> _Rule:
    head, *options = text.split()
    place, equals, action = head.partition("=")
    pattern, colon, moment = place.rpartition(":")
    if not equals or not colon or not pattern or moment not in _MOMENTS:
        raise ValueError(f"{head!r} is not STATEMENT:before=ACTION or STATEMENT:after=ACTION")
    word, _, argument = action.partition(":")
    rule = _Rule(pattern, moment, word, _checked(word, argument))
    for option in options:
        _set(rule, option)
    return rule


def _checked(action: str, argument: str) -> str:
    if action in {"exit", "lose"} and not argument:
        return argument
    if action == "error":
        try:
            psycopg.errors.lookup(argument)
        except KeyError:
            raise ValueError(f"{argument!r} is no SQLSTATE") from None
        return argument
    if action == "stall" and float(argument) >= 0:
        return argument
    raise ValueError(f"{action!r} with {argument!r} is no action")


def _set(rule: _Rule, option: str) -> None:
    name, _, value = option.partition("=")
    if name == "nth":
        rule.nth = int(value)
    elif name == "times":
        rule.times = int(value)
    elif name == "chance":
        rule.chance = float(value)
    elif name == "seed":
        rule.draw = random.Random(int(value))  # noqa: S311 - repeatable on purpose
    elif name == "once" and value:
        rule.once = Path(value)
    elif name == "while" and value:
        rule.gate = Path(value)
    else:
        raise ValueError(f"{option!r} is no option")


def _first(path: Path) -> bool:
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
