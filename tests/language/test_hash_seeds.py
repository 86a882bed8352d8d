"""Nothing observable depends on PYTHONHASHSEED: not the program, not an effect, not a byte of a result."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lines(seed: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.language.seeds"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()


@pytest.mark.timeout(600)
def test_every_case_is_the_same_under_every_hash_seed() -> None:
    first = lines("0")
    assert len(first) > 250
    for seed in ("1", "4242"):
        differing = [pair for pair in zip(first, lines(seed), strict=True) if pair[0] != pair[1]]
        assert differing == [], seed
