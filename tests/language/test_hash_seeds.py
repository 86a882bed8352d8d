"""Nothing observable depends on PYTHONHASHSEED: not the program, not an effect, not a byte of a result."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.replaying import PLAIN, SNAPSHOTS

ROOT = Path(__file__).resolve().parents[2]


def lines(seed: str, mode: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.language.seeds", mode],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()


def test_every_case_is_the_same_under_another_hash_seed() -> None:
    _same(PLAIN, "0", "4242")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_so_it_is_recovered_from_a_snapshot_after_every_step() -> None:
    _same(SNAPSHOTS, "0", "1", "4242")


def _same(mode: str, one: str, *others: str) -> None:
    first = lines(one, mode)
    assert len(first) > 250
    for seed in others:
        differing = [
            pair for pair in zip(first, lines(seed, mode), strict=True) if pair[0] != pair[1]
        ]
        assert differing == [], seed
