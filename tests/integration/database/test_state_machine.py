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
    return _cells(section)[0]


def _cells(section: str) -> list[list[list[str]]]:
    """The tables of a section, each without its head."""
    blocks = re.findall(r"(?:^\|.*\n)+", section + "\n", re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
        for block in blocks
    ]


def _section(heading: str) -> str:
    return PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]


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


_CONDITION = (
    r"\b(?:{aliases})\.state"
    r"(?: = (?P<one>\d)| in \((?P<several>[\d, ]+)\)|(?P<cases>(?: when \d then \S+)+) else false end)"
)


def _sources(statement: str) -> set[str]:
    """The states from which a statement takes rows, as its own conditions say."""
    if "insert into {schema}.instances" in statement:
        return {NOWHERE}
    aliases = "|".join(set(re.findall(r"\{schema\}\.instances as (\w+)", statement)))
    asked = [
        frozenset(re.findall(r"\d", found["one"] or found["several"] or ""))
        | frozenset(re.findall(r"when (\d)", found["cases"] or ""))
        for found in re.finditer(_CONDITION.replace("{aliases}", aliases), statement)
    ]
    conditions = re.findall(rf"\b(?:{aliases})\.state\b", statement)
    assert len(conditions) == len(asked), "a condition on the state that this test cannot read"
    if asked:
        assert len(set(asked)) == 1, (
            f"rows are looked for by one state and taken by another: {asked}"
        )
        return {InstanceState(int(number)).name.lower() for number in asked[0]}
    assert re.search(rf"\b(?:{aliases})\.owner = ", statement), "it asks for no state and no owner"
    return {row[0] for row in _rows("What a row holds in each state") if row[2] != "no"}


def test_the_page_says_from_which_states_each_statement_takes_its_rows() -> None:
    texts = _moving()
    page = {name.strip("`"): set(f.split(", ")) for f, _, name, _ in _rows("Who moves what")}
    assert page == {name: _sources(text) for name, text in texts.items()}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("i.state in (1, 3) and i.wake_at <= now()", {"delayed", "waiting"}),
        ("(i.state = 3) is true", {"waiting"}),
        ("case i.state when 3 then true when 1 then a.cancelled else false end", {"delayed", "waiting"}),
        ("i.owner = $1::bigint", {"running"}),
    ],
)  # fmt: skip
def test_conditions_on_states_are_read_in_every_form_that_statements_have(
    condition: str, expected: set[str]
) -> None:
    assert _sources("update {schema}.instances as i set state = 0 where " + condition) == expected


@pytest.mark.parametrize("condition", ["i.state < 4", "i.state <> 2", "i.id = $1::uuid"])
def test_a_condition_on_states_that_cannot_be_read_is_no_silent_yes(condition: str) -> None:
    with pytest.raises(AssertionError):
        _sources("update {schema}.instances as i set state = 0 where " + condition)


def _arrows(section: str) -> set[tuple[str, str]]:
    picture = section.split("```mermaid\n")[1].split("```", maxsplit=1)[0]
    return {
        (source.replace("[*]", NOWHERE), target.replace("[*]", NOWHERE))
        for source, target in re.findall(r"^ +(\S+) --> ([^\s:]+):", picture, re.MULTILINE)
        if source != target
    }


def _moves(rows: list[list[str]]) -> set[tuple[str, str]]:
    return {
        (source, target)
        for sources, targets, *_ in rows
        for source in sources.split(", ")
        for target in targets.split(", ")
        if source != target and (sources != targets or "," not in sources)
    }


def test_every_arrow_of_the_picture_is_in_the_table() -> None:
    rows = {
        (source, target)
        for sources, targets, *_ in _rows("Who moves what")
        for source in sources.split(", ")
        for target in targets.split(", ")
        if source != target
    }
    assert _arrows(PAGE) == rows


@pytest.mark.parametrize("heading", ["A lease", "An offer"])
def test_the_picture_and_the_table_of_leases_and_offers_agree(heading: str) -> None:
    section = _section(heading)
    rows = _cells(section)[-1]
    assert _arrows(section) == _moves(rows)
    picture = section.split("```mermaid\n")[1].split("```")[0]
    named = {row[2].strip("`") for row in rows if row[0] != row[1]} - {"adopt"}
    shown = set(re.findall(r"[a-z_]+", " ".join(re.findall(r": (.*)", picture))))
    assert named <= shown


@pytest.mark.parametrize(
    ("heading", "table"), [("A lease", "leases"), ("An offer", "offers"), ("The inbox", "inbox")]
)
def test_every_statement_that_writes_leases_offers_and_inbox_is_on_the_page(
    heading: str, table: str
) -> None:
    writing = {
        statement.name.partition(":")[2]
        for statement in every_statement()
        if re.search(rf"(update|insert into|delete from) \{{schema\}}\.{table}\b", statement.text)
    }
    assert {row[2].strip("`") for row in _cells(_section(heading))[-1]} == writing


def test_the_offers_take_what_the_page_allows_and_nothing_else(
    connection: psycopg.Connection,
) -> None:
    allowed = {
        (by == "yes", at == "yes", int(takes))
        for _, by, at, takes in _cells(_section("An offer"))[0]
    }
    found = set()
    for by, at, takes in itertools.product((True, False), (True, False), range(-1, 4)):
        connection.execute("savepoint one")
        try:
            connection.execute(
                "insert into waymark.offers (instance, owner, call, attempt, action, inputs, program,"
                " taken_by, taken_at, takes) values (%s, 1, 0, 1, '', '', 1, %s, %s, %s)",
                (uuid4(), 2 if by else None, "2026-01-01T00:00Z" if at else None, takes),
            )
        except psycopg.errors.CheckViolation:
            connection.execute("rollback to one")
        else:
            found.add((by, at, takes))
    assert found == allowed
