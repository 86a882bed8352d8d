"""Each distribution in a fresh interpreter in; that it imports whole, and lightly, out."""

import json
import subprocess
import sys

import pytest

from tests.support.checkout import DISTRIBUTIONS, ROOT


def _loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("package", DISTRIBUTIONS.values())
def test_every_module_of_a_distribution_imports(package: str) -> None:
    check = ROOT / "tests" / "support" / "import_everything.py"
    done = subprocess.run(
        [sys.executable, str(check), package], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_importing_waymark_loads_no_database_driver() -> None:
    loaded = _loaded_by("import waymark")
    assert "waymark" in loaded
    assert {name for name in loaded if name.split(".")[0] in {"psycopg", "psycopg_pool"}} == set()


def test_importing_waymark_loads_no_sibling_distribution() -> None:
    loaded = _loaded_by("import waymark")
    assert {
        name for name in loaded if name.split(".")[0] in {"waymark_worker", "waymark_web"}
    } == set()
