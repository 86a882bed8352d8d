"""A migrated schema in a database goes in; the text of ``docs/reference/schema.sql`` comes out.

``python -m tests.support.declared_schema`` writes it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.checkout import ROOT
from tests.support.databases import migrate

PAGE = ROOT / "docs" / "reference" / "schema.sql"
HEAD = """\
-- Waymark's tables as all migrations together leave them. Generated (python -m tests.support.declared_schema) and
-- tested: a migrated database is this one. To create it, run `waymark migrate up`, or the SQL of `waymark migrate dump`,
-- which also records what was applied; this page is for reading.
"""
_TABLES = """
select c.oid, c.relname, obj_description(c.oid, 'pg_class'), array_to_string(c.reloptions, ', '),
    (select array_to_string(t.reloptions, ', ') from pg_class t where t.oid = c.reltoastrelid)
from pg_class c where c.relnamespace = %s::regnamespace and c.relkind = 'r' order by c.relname
"""
_COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
    pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
# From 18 on, `not null` is listed here too; it stands with its column.
_CONSTRAINTS = """
select k.conname, pg_get_constraintdef(k.oid) from pg_constraint k
where k.conrelid = %s and k.contype <> 'n' order by k.contype desc, k.conname
"""
_INDEXES = """
select pg_get_indexdef(i.indexrelid) from pg_index i
where i.indrelid = %s and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
order by i.indexrelid::regclass::text
"""
_FUNCTIONS = """
select pg_get_functiondef(p.oid), p.oid::regprocedure::text, obj_description(p.oid, 'pg_proc')
from pg_proc p where p.pronamespace = %s::regnamespace order by p.proname
"""
_OTHERS = """
select c.relkind::text, c.relname from pg_class c
where c.relnamespace = %s::regnamespace and c.relkind not in ('r', 'i', 'S')
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table as the catalogue lists it, options as they are spelled after ``with``."""

    oid: int
    name: str
    comment: str | None
    options: str | None
    toast: str | None


def declared(connection: psycopg.Connection, schema: str) -> str:
    """Spell a schema as SQL that creates it, the same on every PostgreSQL that we support."""
    with connection.transaction():
        connection.execute("set local search_path to pg_catalog")
        others = connection.execute(_OTHERS, [schema]).fetchall()
        if others:
            msg = f"{others} cannot be spelled yet; teach tests/support/declared_schema.py"
            raise ValueError(msg)
        tables = [Table(*row) for row in connection.execute(_TABLES, [schema]).fetchall()]
        made = [HEAD, f"create schema {schema};\n", *_functions(connection, schema)]
        return "\n".join([*made, *("\n".join(_table(connection, schema, each)) for each in tables)])


def _functions(connection: psycopg.Connection, schema: str) -> Iterator[str]:
    for text, signature, comment in connection.execute(_FUNCTIONS, [schema]).fetchall():
        said = f"comment on function {signature} is {_quoted(comment)};\n" if comment else ""
        yield f"{text.rstrip()};\n{said}"


def _table(connection: psycopg.Connection, schema: str, table: Table) -> Iterator[str]:
    columns = connection.execute(_COLUMNS, [table.oid]).fetchall()
    constraints = connection.execute(_CONSTRAINTS, [table.oid]).fetchall()
    name = f"{schema}.{table.name}"
    lines = [_column(*column[:5]) for column in columns]
    lines += [f"    constraint {key} {text}" for key, text in constraints]
    stored = [table.options] if table.options else []
    if table.toast:
        stored += [f"toast.{option}" for option in table.toast.split(", ")]
    yield f"create table {name} (\n" + ",\n".join(lines)
    yield f") with ({', '.join(stored)});" if stored else ");"
    if table.comment:
        yield f"comment on table {name} is {_quoted(table.comment)};"
    for column in columns:
        if column[5]:
            yield f"comment on column {name}.{column[0]} is {_quoted(column[5])};"
    for (index,) in connection.execute(_INDEXES, [table.oid]).fetchall():
        yield f"{index};"
    yield ""


def _column(name: str, kind: str, required: bool, identity: str, default: str | None) -> str:
    words = [name, kind, "not null" if required else ""]
    words.append({"a": "generated always as identity", "": ""}[identity])
    words.append(f"default {default}" if default else "")
    return "    " + " ".join(word for word in words if word)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def main() -> int:
    """Migrate a database on a server of its own and write the page."""
    from waymark_worker.embedded import EmbeddedServer  # noqa: PLC0415 - the tests have a server already

    with (
        tempfile.TemporaryDirectory(prefix="waymark-schema-") as folder,
        EmbeddedServer(Path(folder)) as server,
    ):
        migrate(server.dsn)
        with psycopg.connect(server.dsn) as connection:
            PAGE.write_text(declared(connection, "waymark"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
