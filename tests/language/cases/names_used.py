"""Names that no other case uses: exceptions, texts, sets, dates, paths, policies."""

import asyncio
import bisect
from collections import defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from fractions import Fraction
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from tests.language.steps import boom, echo
from waymark import (
    ActionTimeout,
    Backoff,
    BackoffPolicy,
    ExhaustedRetriesError,
    RetryPolicy,
    Workflow,
    WorkerCrashed,
    workflow,
)
from waymark.errors import WaymarkError


@workflow
class RareExceptions(Workflow):
    async def run(self):
        seen = []
        for kind in (
            BrokenPipeError, BufferError, ConnectionAbortedError, ConnectionRefusedError, ConnectionResetError,
            EOFError, FileExistsError, FloatingPointError, InterruptedError, IsADirectoryError, MemoryError,
            NotADirectoryError, NotImplementedError, PermissionError, ProcessLookupError, ReferenceError,
            SyntaxError, SystemError, UnicodeError, asyncio.TimeoutError,
        ):
            try:
                raise kind("told")
            except (OSError, RuntimeError, ValueError) as error:
                seen.append((repr(error), isinstance(error, ConnectionError)))
            except Exception as error:
                seen.append(repr(error))
        try:
            await boom("BrokenPipeError", 32, "gone")
        except BrokenPipeError as error:
            seen.append(str(error))
        try:
            "\ud800".encode()
        except UnicodeEncodeError as error:
            seen.append(str(error))
        return seen


@workflow
class FailuresOfWaymark(Workflow):
    async def run(self):
        seen = []
        for kind in (ActionTimeout, WorkerCrashed, ExhaustedRetriesError):
            try:
                raise kind("told")
            except WaymarkError as error:
                seen.append((type(error).__name__, str(error), isinstance(error, TimeoutError)))
        return seen


@workflow
class PartsOfPolicies(Workflow):
    async def run(self):
        made = Backoff(base=timedelta(seconds=1), factor=3, max=timedelta(seconds=9), jitter=0.5)
        policy = RetryPolicy(attempts=2, exception_types=["KeyError"], backoff=made)
        other = BackoffPolicy(base_delay=2)
        return (
            await self.run_action(echo(1), retry=policy),
            policy.backoff == made, policy.exception_types, made.jitter, made.factor,
            isinstance(other, Backoff),
        )


@workflow
class RareTextMethods(Workflow):
    async def run(self):
        text = await echo("  the Tale  ")
        return (
            text.lstrip(), text.rstrip(), text.strip().capitalize(), text.istitle(), text.isalnum(), "12".isdecimal(),
            "½".isnumeric(), text.isprintable(), "a-b-a".rindex("a"), "{a}{b[0]}".format_map({"a": text, "b": [1]}),
            slice(1, None, 2).indices(7), bisect.bisect_right([1, 2, 2, 3], 2), Fraction(355, 113).limit_denominator(9),
        )


@workflow
class RareSetMethods(Workflow):
    async def run(self):
        items, other = set(await echo([1, 2, 3])), {2, 3, 4}
        seen = [items.issubset(other), items.issuperset({1}), sorted(items.symmetric_difference(other))]
        items.difference_update({1})
        items.symmetric_difference_update(other)
        items.intersection_update({4, 5})
        line = deque([1])
        line.extendleft([2, 3])
        held = [1, 3]
        bisect.insort_right(held, 2)
        return seen, sorted(items), list(line), held, defaultdict(list).default_factory is list


@workflow
class RareDates(Workflow):
    async def run(self):
        zone = ZoneInfo("Europe/Berlin")
        moment = datetime(2026, 10, 25, 2, 30, 1, 7, tzinfo=zone, fold=1)
        moment = await echo(moment)
        return (
            moment.fold, moment.dst(), moment.tzname(), moment.hour, moment.microsecond, moment.timetz(), moment.ctime(),
            moment.isoweekday(), moment.toordinal(), moment.month, zone.key, date(2026, 2, 3).ctime(),
            timedelta(days=3, microseconds=4).days, timedelta(microseconds=4).microseconds,
            timezone(timedelta(hours=2), "two").tzname(None), UTC.dst(None), time(1, 2, tzinfo=UTC).tzname(),
        )


@workflow
class RarePaths(Workflow):
    async def run(self):
        path = await echo(PurePosixPath("/srv/data/file.tar.gz"))
        return (
            path.anchor, path.drive, path.root, path.as_posix(), path.is_relative_to("/srv"), path.joinpath("a", "b"),
            path.with_name("x"), path.with_stem("y"), Path("a") / "b",
        )
