"""Nothing observable depends on PYTHONHASHSEED: not the program, not an effect, not a byte of a result."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.replaying import SNAPSHOTS

ROOT = Path(__file__).resolve().parents[2]


def lines(seed: str, mode: str, each: int) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.language.seeds", mode, str(each)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()


def test_a_case_is_the_same_under_another_hash_seed() -> None:
    _same("0", "4242", each=7)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_so_is_every_case_and_under_a_third_one() -> None:
    _same("0", "1", "4242", each=1)


def _same(one: str, *others: str, each: int) -> None:
    first = lines(one, SNAPSHOTS, each)
    assert len(first) > 100
    for seed in others:
        differing = [
            pair
            for pair in zip(first, lines(seed, SNAPSHOTS, each), strict=True)
            if pair[0] != pair[1]
        ]
        assert differing == [], seed
