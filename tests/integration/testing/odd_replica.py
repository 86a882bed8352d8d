"""A fault to plant in; the child process that recovers runs, with this fault in its machine, out."""

import os
import sys
from collections.abc import Iterable
from typing import Any

from waymark_worker.runloop import recovery, replica
from waymark_worker.vm import ordered


def _hash_order(self: Any, items: Iterable[Any] = ()) -> None:
    """Keep a set in the order of the hashes, as CPython's own does."""
    self._items = dict.fromkeys(sorted(items, key=hash))


def main() -> None:
    fault = sys.argv[1]
    if fault == "hash-order":
        ordered._Ordered.__init__ = _hash_order  # type: ignore[method-assign] # the fault
    elif fault == "torn-snapshot":
        whole = recovery.snapshot_state
        recovery.snapshot_state = lambda instance: whole(instance)[:-1]
    elif fault == "dies":
        os._exit(3)
    replica.main()


if __name__ == "__main__":
    main()
