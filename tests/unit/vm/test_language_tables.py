"""The language's data and the machine's tables say the same."""

import pytest

from waymark_schema.ir import language
from waymark_worker.vm import builtins, methods
from waymark_worker.vm.arithmetic import BINARY, UNARY
from waymark_worker.vm.comparing import COMPARE
from waymark_worker.vm.decimals import Unshared
from waymark_worker.vm.iterators import Generator

_CAME_LATER = {("random.Random", "binomialvariate"), ("int", "is_integer"), ("fractions.Fraction", "is_integer"), ("pathlib.PurePosixPath", "with_segments"), ("pathlib.Path", "with_segments")}  # fmt: skip
"""Methods that the oldest CPython we run on does not have yet."""


def test_every_operator_is_implemented_and_no_other() -> None:
    assert set(UNARY) == set(language.UNARY)
    assert set(BINARY) == set(language.BINARY)
    assert set(COMPARE) == set(language.COMPARE)


_NEW_FUNCTIONS = {"math.fma", "math.sumprod", "random.binomialvariate"}
"""Functions that the oldest CPython we run on does not have yet."""


@pytest.mark.parametrize("name", sorted(language.BUILTINS))
def test_every_builtin_has_an_implementation(name: str) -> None:
    if name in _NEW_FUNCTIONS and name not in builtins.BUILTINS:
        pytest.skip(f"this CPython has no {name}")
    assert name in builtins.BUILTINS or name in builtins.NATIVE
    assert builtins.value(name) is builtins.value(name)


@pytest.mark.parametrize("type_name", sorted(language.METHODS))
def test_every_method_is_implemented_and_no_other(type_name: str) -> None:
    cls = methods._CONCRETE.get(type_name, methods._TABLED[type_name])
    implemented = set(methods.METHODS[cls])
    promised = set(language.METHODS[type_name])
    assert implemented <= promised
    assert {(type_name, name) for name in promised - implemented} <= _CAME_LATER


def test_the_tables_hold_no_type_that_the_language_does_not_name() -> None:
    named = {methods._CONCRETE.get(name, methods._TABLED[name]) for name in language.METHODS}
    # Generators take their methods' calls with frames of their own: no value of the tables.
    assert set(methods.METHODS) - {bool, Unshared, Generator} == named


@pytest.mark.parametrize("type_name", sorted(language.CLASS_METHODS))
def test_every_method_of_a_type_exists(type_name: str) -> None:
    cls = methods._TABLED[type_name]
    assert set(methods.CLASS_METHODS[cls]) == set(language.CLASS_METHODS[type_name])
    assert all(hasattr(cls, name) for name in language.CLASS_METHODS[type_name])


def test_no_table_holds_a_name_with_two_underscores() -> None:
    tables = (
        language.METHODS,
        language.ATTRIBUTES,
        language.CLASS_METHODS,
        language.CLASS_ATTRIBUTES,
    )
    assert not [
        name for table in tables for names in table.values() for name in names if name[:2] == "__"
    ]
