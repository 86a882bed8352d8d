"""Nothing in; releases of before to run beside today's code out: `old`, `today`."""

from __future__ import annotations

import pytest

from tests.support.releases import CHANGES, TODAY, NoSuchRelease, Release, before


@pytest.fixture(params=sorted(CHANGES))
def old(request: pytest.FixtureRequest) -> Release:
    """The release right before the last change of something that releases must agree on."""
    try:
        return before(request.param)
    except NoSuchRelease as error:
        pytest.skip(f"no wheels of before the last change of the {request.param}: {error}")


@pytest.fixture
def today() -> Release:
    """The code of this checkout."""
    return TODAY
