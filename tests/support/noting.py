"""Words in; one line of the test's ledger out."""

from __future__ import annotations

import os

LEDGER = "PYTEST_WAYMARK_LEDGER"


def note(*words: object) -> None:
    """Append one line; a single write, so that processes do not cut into each other's."""
    line = " ".join(str(word) for word in words) + "\n"
    descriptor = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
