"""The example's own environment: where mail and ledger are kept, and how slow and unreliable mail is."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Read anew in every process."""

    folder: Path
    send_seconds: float
    flaky_every: int
    """One address in this many fails at its first attempt; 0: none."""


def settings() -> Settings:
    """Read ``WELCOME_DIR``, ``WELCOME_SEND_SECONDS`` and ``WELCOME_FLAKY_EVERY``."""
    return Settings(
        folder=Path(os.environ.get("WELCOME_DIR", "welcome-data")).absolute(),
        send_seconds=float(os.environ.get("WELCOME_SEND_SECONDS", "0.05")),
        flaky_every=int(os.environ.get("WELCOME_FLAKY_EVERY", "10")),
    )
