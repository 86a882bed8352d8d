"""Seconds in; a wait that nothing announces the end of, and ever longer ones, out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from random import random

FIRST_S = 0.02
LONGEST_S = 2.0


async def pause(seconds: float) -> None:
    """Wait this long, cancellable: until another process may have bound its socket, or a server is back."""
    await asyncio.sleep(seconds)  # noqa: TID251 - the one place of the bridge that may


def growing(first: float = FIRST_S, longest: float = LONGEST_S) -> Iterator[float]:
    """Yield ever longer pauses, a little uneven, so that many clients do not come back at once."""
    length = first
    while True:
        yield length * (0.75 + random() / 2)  # noqa: S311 - spreads load, keeps no secret
        length = min(length * 2, longest)
