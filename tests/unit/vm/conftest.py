"""A full budget before each test: the meter is one per thread, and what one test spends is not there for the next."""

import pytest

from waymark_worker.vm.meter import DEFAULT_BUDGET, METER


@pytest.fixture(autouse=True)
def _full_budget() -> None:
    METER.start(DEFAULT_BUDGET)
