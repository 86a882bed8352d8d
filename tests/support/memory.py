"""Something that takes memory goes in; how many bytes more than before the process held at its worst comes out."""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SELF = Path("/proc/self")
_RESET_PEAK = "5"


class Peak:
    """What ``peak`` has measured."""

    grown = 0
    """Bytes beyond what was held before."""


@contextmanager
def peak() -> Iterator[Peak]:
    """Measure the block alone: what an earlier one took at its worst, as ``ru_maxrss`` has it, does not count."""
    if sys.platform != "linux":
        pytest.skip("only Linux can forget the peak of a process")
    gc.collect()
    # What was freed and kept would be taken again without being seen.
    ctypes.CDLL(None).malloc_trim(0)
    (_SELF / "clear_refs").write_text(_RESET_PEAK)
    before = _kilobytes("VmRSS")
    found = Peak()
    yield found
    found.grown = (_kilobytes("VmHWM") - before) * 1024


def _kilobytes(name: str) -> int:
    (found,) = re.findall(rf"^{name}:\s+(\d+) kB$", (_SELF / "status").read_text(), re.MULTILINE)
    return int(found)
