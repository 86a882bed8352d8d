"""Every fixture family in tests/fixtures in; plugins of the whole test run out."""

import pkgutil
from pathlib import Path

import pytest

# Names only: the plugins are loaded by pytest, which rewrites their assertions.
_FAMILIES = pkgutil.iter_modules([str(Path(__file__).parent / "fixtures")])

pytest.register_assert_rewrite("tests.support")

pytest_plugins = ["pytester", *(f"tests.fixtures.{family.name}" for family in _FAMILIES)]
