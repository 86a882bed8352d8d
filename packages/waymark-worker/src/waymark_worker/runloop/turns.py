"""Long work of many small parts on the shared loop in, a turn for everybody else every few milliseconds out."""

from __future__ import annotations

from waymark_worker.clock import Clock, pause

TURN_SECONDS = 0.005


class Turns:
    """One per piece of long work; ``give`` is called between its parts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.monotonic()

    async def give(self) -> None:
        """Let the others have the loop, if this work has had it for long enough."""
        if self._clock.monotonic() - self._since >= TURN_SECONDS:
            await pause(0)
            self._since = self._clock.monotonic()
