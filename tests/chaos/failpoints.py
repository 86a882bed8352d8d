"""A failpoint that acts, in; a byte in a file beside the ledger, so that they can be counted (F6), out.

A patch of pools under test (`Setting.patches`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.chaos.ledger import LEDGER
from waymark_schema.database.failpoints import _Rule


def install() -> None:
    """Stand before what a rule does."""
    act = _Rule.act

    async def tell_and_act(self: _Rule, connection: Any) -> None:
        with _beside(Path(os.environ[LEDGER])).open("ab", buffering=0) as told:
            told.write(b".")
        await act(self, connection)

    _Rule.act = tell_and_act  # type: ignore[method-assign] # the patch


def acted(ledger: Path) -> int:
    """Say how often one did in a round."""
    told = _beside(ledger)
    return told.stat().st_size if told.exists() else 0


def _beside(ledger: Path) -> Path:
    return Path(f"{ledger}.failpoints")
