"""Each distribution in a fresh interpreter in; that it imports whole, and lightly, out."""

import json
import subprocess
import sys

import pytest

from tests.support.checkout import DISTRIBUTIONS, ROOT, package_files

# Executed, not imported: server settings that read the process they run in.
_NOT_IMPORTED = frozenset({"waymark_web.gunicorn_conf"})


def _modules(package: str) -> list[str]:
    names = []
    for path in package_files():
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        parts = parts[parts.index("src") + 1 :]
        if parts[-1] == "__init__":
            parts.pop()
        if parts[0] == package:
            names.append(".".join(parts))
    return names


def _python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _loaded_by(statement: str) -> set[str]:
    return set(
        json.loads(_python(f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"))
    )


@pytest.mark.parametrize("package", DISTRIBUTIONS.values())
def test_every_module_of_a_distribution_imports(package: str) -> None:
    modules = [name for name in _modules(package) if name not in _NOT_IMPORTED]
    assert package in modules
    _python(
        "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)", *modules
    )


def test_importing_waymark_loads_no_database_driver() -> None:
    loaded = _loaded_by("import waymark")
    assert "waymark" in loaded
    assert {name for name in loaded if name.split(".")[0] in {"psycopg", "psycopg_pool"}} == set()


def test_importing_waymark_loads_no_sibling_distribution() -> None:
    loaded = _loaded_by("import waymark")
    assert {
        name for name in loaded if name.split(".")[0] in {"waymark_worker", "waymark_web"}
    } == set()
