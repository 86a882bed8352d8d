"""What waits to be written in; as much as one statement takes, and the halves of what was refused, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from waymark_schema.database.faults import Fault, classify
from waymark_schema.errors import DatabaseError

MAX_ROWS = 2_000
MAX_BYTES = 4 * 1024 * 1024

T = TypeVar("T")


def fitting(waiting: Sequence[T], size: Callable[[T], int], *, rows: int = MAX_ROWS) -> list[T]:
    """The first ones that fit into one statement; one that is too large for that goes alone."""
    taken: list[T] = []
    total = 0
    for each in waiting[:rows]:
        total += size(each)
        if taken and total > MAX_BYTES:
            break
        taken.append(each)
    return taken


def halves(batch: list[T]) -> tuple[list[T], list[T]]:
    """The second half and the first, in the order in which a stack is to get them."""
    middle = len(batch) // 2
    return batch[middle:], batch[:middle]


def refused(error: Exception) -> bool:
    """Whether something in the batch cannot be stored, or not even be encoded: sending it again cannot help."""
    if isinstance(error, DatabaseError | OSError):
        return False
    return not isinstance(error, psycopg.Error) or classify(error) in {Fault.DATA, Fault.REFUSED}


def too_long(error: Exception) -> bool:
    """Whether the statement was cancelled, by its timeout or by a person; less may do."""
    return isinstance(error, psycopg.errors.QueryCanceled)
