"""Work in units comes in; ``LimitExceeded`` goes out when an advance or a value is past its bound."""

from __future__ import annotations

import threading

from waymark_worker.vm.refusals import LimitExceeded

DEFAULT_BUDGET = 10_000_000
MAX_INT_BITS = 1 << 20
MAX_TEXT = 16 * 1024 * 1024
"""Characters of a text, or bytes of a byte string, that an operation may make, unless a pool's settings say otherwise."""
_LARGEST_TEXT = 48 * 1024 * 1024
"""What any pool's settings allow: what was made once is made again in a replay."""
MAX_ITEMS = 16 * 1024 * 1024
"""Items of a sequence that an operation may make."""


class Meter(threading.local):
    """What is left of the work that one advance may do, in units of about 0.1 µs.

    Thread-local, because operators take no context and runtimes in one process may advance in several
    threads. ``start(None)`` stops enforcing (a replay repeats work that was within its budget once);
    the bounds on sizes depend on values alone and always hold.
    """

    def __init__(self) -> None:
        self.left: int = DEFAULT_BUDGET
        self.budget: int | None = DEFAULT_BUDGET
        self.text = MAX_TEXT

    def start(self, budget: int | None, *, text: int = MAX_TEXT) -> None:
        """Begin an advance with this many units, None means without a bound, and texts of this length."""
        self.budget = budget
        self.text = text if budget is not None else _LARGEST_TEXT
        self.left = budget if budget is not None else 1 << 62

    def charge(self, units: int) -> None:
        """Take ``units`` away, or raise ``LimitExceeded`` before the work they stand for is done."""
        self.left -= units
        if self.left < 0:
            self.refuse()

    def spent(self) -> int:
        """Units taken since the advance began; 0 where nothing is bounded."""
        return 0 if self.budget is None else self.budget - self.left

    def refuse(self) -> None:
        """Raise for a spent budget."""
        msg = (
            f"one step of the workflow did more work than {self.budget} units allow (WAYMARK_STEP_BUDGET); "
            "move the computation into an action"
        )
        raise LimitExceeded(msg)


METER = Meter()


def check_text(size: int, what: str) -> None:
    """Bound the length of a text or byte string that is about to be made, and charge for it."""
    if size > METER.text:
        msg = (
            f"{what} would be {size} long; a text or byte string may have at most {METER.text}"
            " (WAYMARK_MAX_VALUE_BYTES)"
        )
        raise LimitExceeded(msg)
    METER.charge(size >> 4)


def check_items(count: int, what: str) -> None:
    """Bound the number of items of a container that is about to be made, and charge for them."""
    if count > MAX_ITEMS:
        msg = f"{what} would hold {count} items; a container may have at most {MAX_ITEMS}"
        raise LimitExceeded(msg)
    METER.charge(count)


def check_bits(bits: int, what: str) -> None:
    """Bound the size of an integer that is about to be made."""
    if bits > MAX_INT_BITS:
        msg = f"{what} would be an integer of about {bits} bits; an integer may have at most {MAX_INT_BITS}"
        raise LimitExceeded(msg)


def charge_digits(left_bits: int, right_bits: int) -> None:
    """Charge for schoolbook arithmetic on two big integers."""
    METER.charge((left_bits >> 5) * (right_bits >> 5) >> 7)
