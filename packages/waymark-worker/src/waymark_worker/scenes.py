"""The process, or the test that runs in it, in; the one runtime that serves its runs, made at first use, out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from waymark_schema.values.frozen import unfrozen

if TYPE_CHECKING:
    from waymark_worker.testing import InProcessRuntime

KEPT_RUNS = 1000
"""A process without tests may live long: of its ended runs this many are remembered."""


class Scene:
    """What serves the runs of one test: a runtime of its own, or, if ``real``, none of ours."""

    def __init__(
        self, *, real: bool = False, crashing: bool = False, keep: int | None = None
    ) -> None:
        self.real = real
        self._crashing = crashing
        self._keep = keep
        self._runtime: InProcessRuntime | None = None
        self._guard = threading.Lock()

    def runtime(self) -> InProcessRuntime | None:
        """Return the runtime; None if the bridge is to serve."""
        if self.real:
            return None
        with self._guard:
            if self._runtime is None:
                # Whoever runs no workflow is spared the import, and so are tests of something else.
                with unfrozen():
                    from waymark_worker.testing import InProcessRuntime  # noqa: PLC0415

                self._runtime = InProcessRuntime(crash_everywhere=self._crashing, keep=self._keep)
            return self._runtime

    def close(self) -> None:
        """The test is over."""
        if self._runtime is not None:
            self._runtime.close()


class _Stack:
    """Scenes that were set one inside the other; the last one serves."""

    __slots__ = ("scenes",)

    def __init__(self) -> None:
        self.scenes = [Scene(keep=KEPT_RUNS)]


_stack = _Stack()


def runtime_of_process() -> InProcessRuntime | None:
    """Return the runtime that serves now; None in a test marked ``waymark_real``."""
    return _stack.scenes[-1].runtime()


@contextmanager
def scene(*, real: bool = False, crashing: bool = False) -> Iterator[Scene]:
    """Serve whatever is started within the block from a runtime of its own, or from the bridge."""
    made = Scene(real=real, crashing=crashing)
    _stack.scenes.append(made)
    try:
        yield made
    finally:
        _stack.scenes.remove(made)
        made.close()
