"""A schedule as its author wrote it in, the moments at which it is due out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

FORMS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""Names of common schedules and what they stand for."""
SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=366 * 100)
_LONGEST_TEXT = 500
_MINUTE = timedelta(minutes=1)
_PROBE = datetime(2024, 1, 1, tzinfo=UTC)
_LONGEST_GAP_MINUTES = 26 * 60


class Recurrence(Protocol):
    """What both kinds of schedule can say."""

    def next_after(self, moment: datetime) -> datetime:
        """The first moment after ``moment`` at which it is due, in UTC."""
        ...

    def following(self, due_at: datetime, now: datetime) -> datetime:
        """The next moment after it fired for ``due_at``, perhaps late, at ``now``: what was missed is skipped."""
        ...


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields, or of six with the second first, in a time zone.

    Where both minute and hour are fixed, a time that a change of clocks skips is due once at the next
    valid moment, and one that it repeats is due once, the first time. Where either begins with ``*``,
    real time counts. These are the rules of Debian's cron.

    >>> Cron("30 9 * * MON-FRI").next_after(datetime(2024, 5, 3, 12, tzinfo=UTC)).isoformat()
    '2024-05-06T09:30:00+00:00'
    """

    expression: str
    timezone: str = "UTC"
    _fields: str = field(init=False, repr=False, compare=False)
    _zone: tzinfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fields", _checked_fields(self.expression))
        object.__setattr__(self, "_zone", _zone(self.timezone))
        try:
            self.next_after(_PROBE)
        except StopIteration:
            msg = f"cron expression {self.expression!r} is never due: no year has such a day"
            raise ValueError(msg) from None

    def next_after(self, moment: datetime) -> datetime:
        """The first due moment after ``moment``, in UTC.

        Raises ``ValueError`` for a moment without a time zone.
        """
        local = _aware(moment).astimezone(self._zone)
        fixed = self._has_fixed_time()
        # Whole seconds from the one before: the first tick must reach the second that holds ``moment``.
        found = CronSim(self._fields, local.replace(tzinfo=None, fold=0) if fixed else local)
        while True:
            due = _real(next(found), self._zone) if fixed else next(found).astimezone(UTC)
            if due > moment:
                return due

    def following(self, due_at: datetime, now: datetime) -> datetime:
        """The first due moment after both."""
        return self.next_after(max(_aware(due_at), _aware(now)))

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """The next ``count`` due moments after ``moment``."""
        found: list[datetime] = []
        for _ in range(count):
            moment = self.next_after(moment)
            found.append(moment)
        return found

    def _has_fixed_time(self) -> bool:
        minute, hour = self._fields.split()[-5:-3]
        return self._zone is not UTC and not (hour.startswith("*") or minute.startswith("*"))


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so often, without drift: due times lie a whole number of intervals apart.

    >>> Interval(timedelta(minutes=5)).next_after(datetime(2024, 5, 3, 12, tzinfo=UTC)).isoformat()
    '2024-05-03T12:05:00+00:00'
    """

    every: timedelta

    def __post_init__(self) -> None:
        if not SHORTEST <= self.every <= LONGEST:
            msg = f"interval {self.every!r} cannot be kept; expected {SHORTEST} to {LONGEST.days} days"
            raise ValueError(msg)

    def next_after(self, moment: datetime) -> datetime:
        """``moment`` and one interval, in UTC."""
        return _aware(moment).astimezone(UTC) + self.every

    def following(self, due_at: datetime, now: datetime) -> datetime:
        """The first of ``due_at`` plus a whole number of intervals that lies after ``now``."""
        start = _aware(due_at).astimezone(UTC)
        steps = max((_aware(now) - start) // self.every, 0) + 1
        return start + steps * self.every

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """The next ``count`` due moments after ``moment``, itself a due moment."""
        return [_aware(moment).astimezone(UTC) + step * self.every for step in range(1, count + 1)]


def parse(schedule: object, *, timezone: str = "UTC") -> Cron | Interval:
    """The recurrence that a cron string or a ``timedelta`` stands for.

    Raises ``TypeError`` for anything else, ``ValueError`` for an expression, interval or time zone that
    does not exist or never comes due.

    >>> parse("@daily", timezone="Europe/Berlin").next_after(datetime(2024, 5, 3, tzinfo=UTC)).isoformat()
    '2024-05-03T22:00:00+00:00'
    """
    if isinstance(schedule, str):
        return Cron(schedule, timezone)
    if isinstance(schedule, timedelta):
        _zone(timezone)
        return Interval(schedule)
    msg = f"schedule is {schedule!r:.200}; expected a cron string such as '*/5 * * * *', or a timedelta"
    raise TypeError(msg)


def _checked_fields(expression: object) -> str:
    if not isinstance(expression, str):
        msg = f"cron expression is {expression!r:.200}; expected a string"
        raise TypeError(msg)
    text = " ".join(expression.split())
    if text.startswith("@"):
        named = FORMS.get(text.lower())
        if named is None:
            msg = f"cron expression {expression!r:.200} is not known; expected one of {', '.join(FORMS)}"
            raise ValueError(msg)
        return named
    if len(text) > _LONGEST_TEXT:
        msg = f"cron expression {expression!r:.200} is longer than {_LONGEST_TEXT} characters"
        raise ValueError(msg)
    try:
        CronSim(text, _PROBE)
    except (CronSimError, AssertionError, ValueError, TypeError) as error:
        problem = str(error) or "a step after something that is no range"
        msg = (
            f"cron expression {expression!r:.200} cannot be read: {problem}; expected five fields "
            "(minute hour day-of-month month day-of-week), six with the second first, or a form such as @hourly"
        )
        raise ValueError(msg) from None
    return text


def _zone(name: object) -> tzinfo:
    if not isinstance(name, str):
        msg = (
            f"timezone is {name!r:.200}; expected the name of a time zone, such as 'Europe/Berlin'"
        )
        raise TypeError(msg)
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        folded = {known.casefold(): known for known in available_timezones()}
        near = folded.get(name.casefold())
        hint = f"; did you mean {near!r}?" if near else ""
        msg = f"timezone {name!r:.200} is not known here; expected a name such as 'Europe/Berlin'{hint}"
        raise ValueError(msg) from None


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        msg = f"moment {moment!r} has no time zone; expected an aware datetime"
        raise ValueError(msg)
    return moment


def _real(local: datetime, zone: tzinfo) -> datetime:
    """The moment of a local time; the end of the gap for one that a change of clocks skips."""
    moment = local.replace(tzinfo=zone, fold=0)
    if _exists(moment):
        return moment.astimezone(UTC)
    moment = moment.replace(second=0, microsecond=0)
    for _ in range(_LONGEST_GAP_MINUTES):
        moment = (moment.replace(tzinfo=None) + _MINUTE).replace(tzinfo=zone)
        if _exists(moment):
            break
    return moment.astimezone(UTC)


def _exists(moment: datetime) -> bool:
    return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) == moment.replace(
        tzinfo=None
    )
