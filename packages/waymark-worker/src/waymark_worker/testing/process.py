"""A block of code in; the runtime that serves its runs, and what served before, out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from waymark import runtime
from waymark_worker.testing.runtime import InProcessRuntime


@contextmanager
def in_process(*, crash_everywhere: bool = False) -> Iterator[InProcessRuntime]:
    """Run workflows in this process, without pytest: for ``unittest``, doctests and scripts.

    ``crash_everywhere`` recovers every run after each of its steps, under another hash seed.

    >>> with in_process() as served:
    ...     served.stub(charge, returns="receipt-1")
    ...     assert Order().run_sync("tea") == "receipt-1"
    """
    made = InProcessRuntime(crash_everywhere=crash_everywhere)
    previous = runtime.install(made)
    try:
        yield made
    finally:
        runtime.install(previous)
        made.close()
