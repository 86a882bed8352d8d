"""The id of the process that started us in; our orderly end out, once that one is gone."""

from __future__ import annotations

import os
import signal
from types import FrameType

LOOK_SECONDS = 0.5


def end_with_parent(parent: int) -> None:
    """Send ourselves SIGTERM as soon as `parent` is no longer our parent, looked at twice a second.

    An interval timer, because it works the same on every Unix, is not inherited by the workers that the
    server forks, and costs no thread, which a server that forks must not have.
    """

    def look(_number: int, _frame: FrameType | None) -> None:
        if os.getppid() != parent:
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
