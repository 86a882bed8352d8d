# ruff: noqa: DTZ001 - moments without a zone are values too
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waymark_schema.recurrence import FORMS, Cron, Interval, parse

NEW_YORK = "America/New_York"


def local(text: str, zone: str = NEW_YORK, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def times(expression: str, start: datetime, count: int, zone: str = NEW_YORK) -> list[str]:
    found = Cron(expression, zone).upcoming(start, count)
    return [moment.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M:%S%z") for moment in found]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/15 * * * *", "2024-05-03T12:15:00"), ("0 9 * * MON-FRI", "2024-05-06T09:00:00"), ("0 0 1 JAN *", "2025-01-01T00:00:00"),
        ("0 0 * * 0", "2024-05-05T00:00:00"), ("0 0 * * 7", "2024-05-05T00:00:00"), ("0 0 * * sun", "2024-05-05T00:00:00"),
        ("30 0 12 * * *", "2024-05-04T12:00:30"), ("*/10 * * * * *", "2024-05-03T12:00:10"), ("0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 L * *", "2024-05-31T00:00:00"), ("0 0 * * MON#2", "2024-05-13T00:00:00"), ("0 0 13 * FRI", "2024-05-10T00:00:00"),
        ("@hourly", "2024-05-03T13:00:00"), ("@daily", "2024-05-04T00:00:00"), ("@midnight", "2024-05-04T00:00:00"), ("@WEEKLY", "2024-05-05T00:00:00"),
        ("@monthly", "2024-06-01T00:00:00"), ("@yearly", "2025-01-01T00:00:00"), ("@annually", "2025-01-01T00:00:00"), ("  5   4 * *  * ", "2024-05-04T04:05:00"),
    ],
)  # fmt: skip
def test_expressions_of_five_and_six_fields_and_named_forms(expression: str, expected: str) -> None:
    start = datetime(2024, 5, 3, 12, 0, 45 if expression.startswith("30 0") else 0, tzinfo=UTC)
    assert Cron(expression).next_after(start).replace(tzinfo=None).isoformat() == expected


def test_a_fixed_time_that_the_clock_skips_is_due_once_at_the_next_valid_moment() -> None:
    assert times("30 2 * * *", local("2024-03-09T12:00"), 3) == [
        "03-10 03:00:00-0400",
        "03-11 02:30:00-0400",
        "03-12 02:30:00-0400",
    ]
    assert times("15,45 2 * * *", local("2024-03-09T12:00"), 2) == [
        "03-10 03:00:00-0400",
        "03-11 02:15:00-0400",
    ]
    assert times("30 30 2 * * *", local("2024-03-09T12:00"), 1) == ["03-10 03:00:00-0400"]


def test_a_fixed_time_that_the_clock_repeats_is_due_once() -> None:
    assert times("30 1 * * *", local("2024-11-02T12:00"), 3) == [
        "11-03 01:30:00-0400",
        "11-04 01:30:00-0500",
        "11-05 01:30:00-0500",
    ]
    assert times("30 1 * * *", local("2024-11-03T01:10", fold=1), 1) == ["11-04 01:30:00-0500"]


def test_wildcard_minutes_or_hours_run_by_real_time() -> None:
    assert times("*/30 * * * *", local("2024-11-03T00:40"), 5) == [
        "11-03 01:00:00-0400", "11-03 01:30:00-0400", "11-03 01:00:00-0500", "11-03 01:30:00-0500", "11-03 02:00:00-0500",
    ]  # fmt: skip
    assert times("@hourly", local("2024-03-10T00:40"), 3) == [
        "03-10 01:00:00-0500",
        "03-10 03:00:00-0400",
        "03-10 04:00:00-0400",
    ]
    assert times("*/30 2 * * *", local("2024-03-09T12:00"), 1) == ["03-11 02:00:00-0400"]


def test_a_whole_day_that_a_zone_skipped_is_survived() -> None:
    assert times("0 12 30 12 *", local("2011-12-01T00:00", "Pacific/Apia"), 1, "Pacific/Apia") == [
        "12-31 00:00:00+1400"
    ]


ZONES = [
    NEW_YORK,
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
    "Africa/Cairo",
]


@given(
    st.sampled_from(["30 2 * * *", "0 0 * * *", "*/7 * * * *", "0 */3 * * *", "15 1,2,3 * * *", "0 30 2 * * *", "*/20 * * * * *", "59 23 L * *"]),
    st.sampled_from(ZONES),
    st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)),
)  # fmt: skip
def test_due_moments_lie_after_the_moment_and_do_not_depend_on_where_one_asks(
    expression: str, zone: str, naive: datetime
) -> None:
    cron, moment = Cron(expression, zone), naive.replace(tzinfo=UTC)
    first, second = cron.upcoming(moment, 2)
    assert moment < first < second
    assert first - moment <= timedelta(days=33)
    halfway = moment + (first - moment) / 2
    assert cron.next_after(halfway) == first
    assert cron.next_after(first - timedelta(microseconds=1)) == first


@pytest.mark.parametrize(
    "expression",
    ["", "* * *", "* * * * * * *", "61 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *", "@reboot", "@", "0 0 30 2 *",
     "0 0 31 4,6 *", "*/0 * * * *", "5-1 * * * *", "* * * * 5#6", "* * * * 5#2/2", "\u0661 * * * *", "," * 10_000, "* " * 5000, "0 0 30 2 MON#9"],
)  # fmt: skip
def test_an_expression_that_means_nothing_is_refused_with_what_is_expected(expression: str) -> None:
    with pytest.raises(ValueError, match="cron expression") as caught:
        Cron(expression)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "zone",
    [
        "europe/berlin",
        "America",
        "../etc/passwd",
        "/etc/passwd",
        "",
        "\0",
        "Mars/Phobos",
        "x" * 5000,
    ],
)
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="timezone") as caught:
        parse("@daily", timezone=zone)
    assert ("did you mean 'Europe/Berlin'" in str(caught.value)) == (zone == "europe/berlin")


@pytest.mark.parametrize("schedule", [5, None, b"* * * * *", ["@daily"], 1.5])
def test_only_strings_and_timedeltas_are_schedules(schedule: Any) -> None:
    with pytest.raises(TypeError, match="expected a cron string"):
        parse(schedule)


@pytest.mark.parametrize(
    "every", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=1), timedelta.max]
)
def test_an_interval_has_bounds(every: timedelta) -> None:
    with pytest.raises(ValueError, match="interval"):
        parse(every)


def test_moments_must_be_aware() -> None:
    for recurrence in (parse("@daily"), parse(timedelta(hours=1))):
        with pytest.raises(ValueError, match="time zone"):
            recurrence.next_after(datetime(2024, 1, 1))


@given(
    st.timedeltas(timedelta(seconds=1), timedelta(days=40)),
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_intervals_do_not_drift_and_skip_what_was_missed(every: timedelta, late: timedelta) -> None:
    due = datetime(2024, 1, 1, tzinfo=UTC)
    following = Interval(every).following(due, due + late)
    assert following > due + late
    assert following - every <= due + late
    assert (following - due) % every == timedelta(0)


def test_an_interval_is_first_due_one_interval_from_now() -> None:
    now = local("2024-03-10T01:30")
    assert Interval(timedelta(hours=1)).next_after(now) == now.astimezone(UTC) + timedelta(hours=1)
    assert all(
        later - earlier == timedelta(days=1)
        for earlier, later in pairwise(Interval(timedelta(days=1)).upcoming(now, 5))
    )


def test_a_cron_schedule_that_fired_late_goes_on_after_now() -> None:
    due, now = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 5, 12, tzinfo=UTC)
    assert Cron("@daily").following(due, now) == datetime(2024, 1, 6, tzinfo=UTC)
    assert Cron("@daily").following(due, due - timedelta(hours=1)) == datetime(
        2024, 1, 2, tzinfo=UTC
    )


def test_every_named_form_is_an_expression() -> None:
    for form, fields in FORMS.items():
        assert Cron(form).next_after(datetime(2024, 1, 1, tzinfo=UTC)) == Cron(fields).next_after(
            datetime(2024, 1, 1, tzinfo=UTC)
        )
