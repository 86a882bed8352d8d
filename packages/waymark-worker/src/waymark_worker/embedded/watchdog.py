"""Process ids of an owner and its ward in; a signal to the ward once the owner is gone."""

# Run by path with `python -I -S`: standard library only. It ends with whichever of the two ends first.

from __future__ import annotations

import os
import select
import sys


def first_to_end(pids: list[int], seconds: float | None = None) -> int | None:
    """Wait, without polling, until one of these processes has ended; return its id, or None in time."""
    if hasattr(os, "pidfd_open"):
        return _first_to_end_by_descriptor(pids, seconds)
    return _first_to_end_by_kqueue(pids, seconds)


def _first_to_end_by_descriptor(pids: list[int], seconds: float | None) -> int | None:
    waiting = select.poll()
    names: dict[int, int] = {}
    try:
        for pid in pids:
            try:
                descriptor = os.pidfd_open(pid)
            except ProcessLookupError:
                return pid
            names[descriptor] = pid
            waiting.register(descriptor, select.POLLIN)
        ended = waiting.poll(None if seconds is None else seconds * 1000)
        return names[ended[0][0]] if ended else None
    finally:
        for descriptor in names:
            os.close(descriptor)


def _first_to_end_by_kqueue(pids: list[int], seconds: float | None) -> int | None:
    queue = select.kqueue()  # type: ignore[attr-defined,unused-ignore]  # BSD and macOS only
    try:
        for pid in pids:
            event = select.kevent(  # type: ignore[attr-defined,unused-ignore]  # likewise
                pid,
                filter=select.KQ_FILTER_PROC,  # type: ignore[attr-defined,unused-ignore]  # likewise
                flags=select.KQ_EV_ADD,  # type: ignore[attr-defined,unused-ignore]  # likewise
                fflags=select.KQ_NOTE_EXIT,  # type: ignore[attr-defined,unused-ignore]  # likewise
            )
            try:
                queue.control([event], 0)
            except ProcessLookupError:
                return pid
        ended = queue.control(None, 1, seconds)
        return int(ended[0].ident) if ended else None
    finally:
        queue.close()


def main(argv: list[str]) -> int:
    """Guard the ward until one of the two has ended."""
    owner, ward, number = (int(word) for word in argv)
    if first_to_end([owner, ward]) == owner:
        try:
            os.kill(ward, number)
        except ProcessLookupError:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
