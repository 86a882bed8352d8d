"""Nothing in, the memory that this process holds out, in bytes."""

from __future__ import annotations

import os
import sys


def resident_bytes() -> int:
    """Return the resident size; the highest one so far where the system tells no other; 0 if none."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - once a second, for ever
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak()


def _peak() -> int:
    try:
        import resource  # noqa: PLC0415 - does not exist on Windows
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
