"""An append-only ledger of side effects: which attempt of which call did what, in which process, and when.

It knows nothing of Waymark's own records, so the two can be held against each other.
"""

import json
import os
import time
from pathlib import Path


class Ledger:
    """One JSON line per event; appends of short lines are atomic, so many processes can write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, event: str, *, call: str, attempt: int, **details: str) -> None:
        """Add one line: ``event`` is ``begin``, ``sent`` or ``refused``; ``call`` the idempotency key."""
        line = {
            "event": event,
            "call": call,
            "attempt": attempt,
            "pid": os.getpid(),
            "at": time.time(),
            **details,
        }
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, (json.dumps(line) + "\n").encode())
        finally:
            os.close(descriptor)

    def lines(self) -> list[dict[str, object]]:
        """Every event so far, in the order they were written."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]
