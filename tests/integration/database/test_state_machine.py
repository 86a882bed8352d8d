"""The page about states in; what the table's constraints and the statements say otherwise out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest

from tests.support.checkout import ROOT
from tests.support.statements import every_statement
from waymark_schema.kinds import InstanceState

PAGE = (ROOT / "docs/reference/state-machine.md").read_text(encoding="utf-8")
COLUMNS = ("owner", "ready_at", "wake_at", "started_at", "finished_at", "result", "error")
SET = {"owner": 1, "result": b"\x00", "error": b"\x00"}
"""What a column holds when it is set; the others are times."""
NOWHERE = "\N{EN DASH}"
ALLOWED = {"yes": {True}, "no": {False}, "may": {True, False}}


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as connection:
        yield connection


def test_the_page_knows_every_state_by_its_number() -> None:
    found = {row[0]: int(row[1]) for row in _rows("What a row holds in each state")}
    assert found == {state.name.lower(): state.value for state in InstanceState}


@pytest.mark.parametrize("row", _rows("What a row holds in each state"), ids=lambda row: row[0])
def test_the_table_takes_what_the_page_allows_and_nothing_else(
    connection: psycopg.Connection, row: list[str]
) -> None:
    state, rules = int(row[1]), row[2:]
    assert len(rules) == len(COLUMNS)
    wrong = []
    for held in itertools.product((True, False), repeat=len(COLUMNS)):
        allowed = all(one in ALLOWED[rule] for one, rule in zip(held, rules, strict=True))
        if _takes(connection, state, held) != allowed:
            wrong.append(dict(zip(COLUMNS, held, strict=True)))
    assert wrong == []


def _takes(connection: psycopg.Connection, state: int, held: tuple[bool, ...]) -> bool:
    values = [
        SET.get(name, "2026-01-01T00:00Z") if one else None
        for name, one in zip(COLUMNS, held, strict=True)
    ]
    connection.execute("savepoint one")
    try:
        connection.execute(
            "insert into waymark.instances (id, program, inputs, state, owner, ready_at, wake_at,"
            " started_at, finished_at, result, error) values (%s, 1, '', %s, %s, %s, %s, %s, %s, %s, %s)",
            (uuid4(), state, *values),
        )
    except psycopg.errors.CheckViolation:
        connection.execute("rollback to one")
        return False
    return True


def _moving() -> dict[str, str]:
    return {
        statement.name.partition(":")[2]: statement.text
        for statement in every_statement()
        if re.search(r"(update|insert into) \{schema\}\.instances", statement.text)
    }


def test_every_statement_that_moves_a_run_is_on_the_page() -> None:
    assert {row[2].strip("`") for row in _rows("Who moves what")} == _moving().keys()


def test_the_page_says_to_which_state_each_statement_leads() -> None:
    texts = _moving()
    for _, to, name, _ in _rows("Who moves what"):
        fixed = re.search(r"\bset state = (\d)", texts[name.strip("`")])
        if fixed is not None:
            assert to == InstanceState(int(fixed[1])).name.lower(), name
        else:
            assert "," in to, f"{name} sets more than one state"


def test_every_arrow_of_the_picture_is_in_the_table() -> None:
    picture = PAGE.split("```mermaid\n")[1].split("```")[0]
    arrows = {
        (source.replace("[*]", NOWHERE), target)
        for source, target in re.findall(r"^ +(\S+) --> (\w+):", picture, re.MULTILINE)
    }
    rows = {
        (source, target)
        for sources, targets, *_ in _rows("Who moves what")
        for source in sources.split(", ")
        for target in targets.split(", ")
        if source != target
    }
    assert arrows == rows
