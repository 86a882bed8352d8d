"""Nothing in; actions' traces and gates, empty, out."""

from collections.abc import Iterator

import pytest

from tests.unit.testing import flows
from waymark_worker.testing import InProcessRuntime


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    flows.TRACE = []
    flows.GATES.clear()
    flows.THREAD_GATE.clear()
    yield
    flows.THREAD_GATE.set()


@pytest.fixture
def served(waymark_runtime: InProcessRuntime) -> InProcessRuntime:
    return waymark_runtime
