"""Classes and clocks that stand for others, as freezegun makes them, in; what they stand for, and their wire forms, out."""

import datetime as dt
import sys
import time
from collections.abc import Iterator
from types import ModuleType

import pytest

from waymark.coercion import codec
from waymark_schema.values.frozen import meant_by, unfrozen


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A freezegun as far as we look at it: its classes and functions, put where it puts them."""
    made = ModuleType("freezegun.api")

    class FakeDate(dt.date):
        pass

    class FakeDatetime(dt.datetime):
        pass

    def fake_time() -> float:
        return 0.0

    for kind in (FakeDate, FakeDatetime, fake_time):
        kind.__module__ = made.__name__
        vars(made)[kind.__name__] = kind
    vars(made).update(real_date=dt.date, real_datetime=dt.datetime, real_time=vars(time)["time"])
    monkeypatch.setitem(sys.modules, made.__name__, made)
    with monkeypatch.context() as frozen:
        frozen.setattr(dt, "date", FakeDate)
        frozen.setattr(dt, "datetime", FakeDatetime)
        frozen.setattr(time, "time", fake_time)
        yield made


def test_what_is_meant(api: ModuleType) -> None:
    assert meant_by(api.FakeDatetime) is api.real_datetime
    assert meant_by(api.FakeDate) is api.real_date
    assert meant_by(api.fake_time) is api.real_time
    assert meant_by(api.real_datetime) is None
    assert meant_by("FakeDatetime") is None


def test_frozen_moments_are_kept_as_moments(api: ModuleType) -> None:
    kept = codec().decode(codec().encode([dt.datetime(2020, 1, 2, 3), dt.date(2020, 1, 2)]))  # noqa: DTZ001 - as given
    assert [type(each) for each in kept] == [api.real_datetime, api.real_date]
    assert kept == [api.real_datetime(2020, 1, 2, 3), api.real_date(2020, 1, 2)]


def test_modules_imported_meanwhile_see_the_real_ones(api: ModuleType) -> None:
    with unfrozen():
        assert (dt.datetime, dt.date, vars(time)["time"]) == (
            api.real_datetime,
            api.real_date,
            api.real_time,
        )
    assert dt.datetime is api.FakeDatetime
