"""Every `.sql` file in; statements that nobody uses, explains or guards out."""

import re
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.statements import every_statement
from waymark_schema.database.statement import Statement, load
from waymark_schema.tables import settle

_FOLDER = ROOT / "packages/waymark-schema/src/waymark_schema"
_CTE = re.compile(
    r"^(?:with |)(?P<name>[a-z_]+) as (?:materialized )?\($(?P<body>.*?)^\)",
    re.MULTILINE | re.DOTALL,
)
_WRITES = re.compile(r"^\s*(insert into|update|delete from)\b", re.MULTILINE)
_WRITTEN = re.compile(r"\b(?:insert into|update|delete from) {schema}\.(?P<table>[a-z_]+)")
_FENCE = re.compile(
    r"with fence as materialized \(\n"
    r"    select 1 as held from {schema}\.leases where id = \$\d+::bigint and not fenced for key share\n"
    r"\)"
)
_OF_A_LEASE = {"instances", "journal", "snapshots", "offers", "inbox", "in_flight"}
"""What no runloop may write to any more once its lease is fenced."""
_LETS_GO = {"give_back", "drop_taken", "take_back", "withdraw"}
"""Statements by which a lease only lets go of rows that name it: done late, they take nothing from anybody."""
_NEWER_THAN_14 = re.compile(
    r"\b(merge into|uuidv7|nulls not distinct|returning old|transaction_timeout|any_value|random_normal)\b"
)


def _names(statement: Statement[Any]) -> str:
    return statement.name


def test_every_named_query_is_taken_by_a_module() -> None:
    named = {
        f"{path.name}:{name}"
        for path in _FOLDER.rglob("*.sql")
        if path.parent.name != "migrations"
        for name in load(
            "waymark_schema" if path.parent == _FOLDER else f"waymark_schema.{path.parent.name}",
            path.name,
        ).texts
    }
    assert named == {statement.name for statement in every_statement()}


@pytest.mark.parametrize("statement", [settle.SETTLE, settle.SETTLE_NARROW], ids=_names)
def test_every_writing_cte_of_an_owner_selects_from_the_marker(statement: Statement[Any]) -> None:
    bodies = {match["name"]: match["body"] for match in _CTE.finditer(statement.text)}
    writing = {name for name, body in bodies.items() if _WRITES.search(body)}
    assert {"mark", "entries", "updated"} <= writing
    assert len(writing) == len(_WRITES.findall(statement.text))
    assert "for key share" in bodies["fence"]
    assert "from fence" in bodies["mark"]
    for name in writing - {"mark"}:
        assert re.search(r"\b(from|using) mark\b", bodies[name]), (
            f"{name} writes without the marker"
        )
        others = (bodies.keys() - {name, "mark", "fence"}) - {"t"}
        read = {
            other
            for other in others
            if re.search(rf"\b(from|join|using|,) {other}\b", bodies[name])
        }
        assert read == set(), f"{name} depends on what {read} wrote"


def _written_under_a_lease() -> list[Statement[Any]]:
    return [
        statement
        for statement in every_statement()
        if "lease" in dict(statement.parameters)
        and _OF_A_LEASE & set(_WRITTEN.findall(statement.text))
    ]


@pytest.mark.parametrize("statement", _written_under_a_lease(), ids=_names)
def test_what_is_written_under_a_lease_begins_with_its_fence_or_lets_go(
    statement: Statement[Any],
) -> None:
    if statement.name.partition(":")[2] in _LETS_GO:
        assert re.search(r"\bf\.(owner|taken_by) = \$\d+::bigint", statement.text)
    else:
        assert _FENCE.match(statement.text)
        assert re.search(r"\bfrom fence\b", statement.text)


def test_those_who_claim_commit_adopt_take_mark_and_finish_are_among_them() -> None:
    found = {statement.name.partition(":")[2] for statement in _written_under_a_lease()}
    fenced = {"claim", "settle", "settle_narrow", "offer", "adopt", "take", "take_foreign"}
    assert found == fenced | {"mark_alone", "finish"} | _LETS_GO


def test_the_narrow_commit_is_the_wide_one_with_parts_left_out() -> None:
    wide = {match["name"]: match["body"] for match in _CTE.finditer(settle.SETTLE.text)}
    narrow = {match["name"]: match["body"] for match in _CTE.finditer(settle.SETTLE_NARROW.text)}
    unnumbered = {
        name: [re.sub(r"\$\d+", "$", body) for body in (narrow[name], wide[name])]
        for name in narrow
    }
    assert all(one == other for one, other in unnumbered.values())


@pytest.mark.parametrize("statement", every_statement(), ids=_names)
def test_every_statement_names_its_schema_and_nothing_newer_than_14(
    statement: Statement[Any],
) -> None:
    assert not _NEWER_THAN_14.search(statement.text.lower())
    assert not re.search(
        r"\b(from|into|update|join|using)\s+(instances|journal|leases|inbox)\b", statement.text
    )
    assert len(statement.purpose) > 20


def test_the_claim_and_every_taker_of_rows_skips_what_others_hold() -> None:
    for statement in every_statement():
        for lock in re.findall(r"for (?:no key )?update of \w+.*", statement.text):
            assert "skip locked" in lock, statement.name
