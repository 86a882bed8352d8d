"""Texts of `.sql` files in; statements with typed parameters, or refusals, out."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from waymark_schema.database.statement import Nothing, Query, StatementFile, load, render


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "package_of_statements"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield name
    sys.modules.pop(name, None)


def _load(package: str, text: str) -> StatementFile:
    directory = importlib.import_module(package).__path__[0]
    Path(directory, "some.sql").write_text(text)
    return load(package, "some.sql")


def test_a_statement_takes_its_parameters_by_name_and_in_the_order_of_the_text(
    package: str,
) -> None:
    file = _load(
        package,
        "-- name: look\n-- A plain read.\n"
        "select $b::text from {schema}.t where a = $a::integer and c = any ($c1::bytea[]) or b = $b;\n",
    )
    statement = file.statement("look", Nothing)
    assert [(name, kind.name) for name, kind in statement.parameters] == [
        ("b", "text"),
        ("a", "integer"),
        ("c1", "bytea[]"),
    ]
    assert statement.purpose == "A plain read."
    assert statement.sql("jobs") == (
        b'select $1::text from "jobs".t where a = $2::integer and c = any ($3::bytea[]) or b = $1::text'
    )
    assert statement.bind(a=1, b="x", c1=[b""]) == Query(statement, ("x", 1, [b""]))


@pytest.mark.parametrize("values", [{}, {"a": 1, "b": 2}, {"b": 1}])
def test_a_missing_or_unknown_parameter_is_refused(package: str, values: dict[str, int]) -> None:
    statement = _load(package, "-- name: x\n-- Why.\nselect $a::integer").statement("x", Nothing)
    with pytest.raises(TypeError, match=r"takes \['a'\]"):
        statement.bind(**values)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-- name: x\nselect 1", "has no comment under its name"),
        ("-- name: x\n-- a\nselect 1\n-- name: x\n-- b\nselect 2", "names 'x' twice"),
    ],
)
def test_a_file_without_reasons_or_with_one_name_twice_is_refused(
    package: str, text: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        _load(package, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select $a", r"never says the type of \$a"),
        ("select $a::text, $a::bytea", r"uses \$a as text and as bytea"),
    ],
)
def test_a_parameter_has_exactly_one_type(package: str, text: str, says: str) -> None:
    file = _load(package, f"-- name: x\n-- Why.\n{text}")
    with pytest.raises(ValueError, match=says):
        file.statement("x", Nothing)


@pytest.mark.parametrize("schema", ["", "public", "pg_catalog", "Jobs", 'a"b', "a.b", "1a", "ä"])
def test_no_schema_name_can_break_out_of_its_quotes(schema: str) -> None:
    with pytest.raises(ValueError, match="cannot be the schema of Waymark"):
        render("select 1 from {schema}.t", schema)
