"""The example application in; that its own tests pass where a user would run them, out."""

import subprocess
import sys

import pytest

from tests.support.checkout import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_tests_of_the_example_pass_in_its_folder() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT / "apps" / "welcome",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
