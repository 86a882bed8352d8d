"""A query as a typed value: the text of a `.sql` file goes in, a `Statement[Row]` comes out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Generic, TypeVar

from waymark_schema.database.parameters import TYPES, ParameterType

Row = TypeVar("Row")

_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_TYPE_NAMES = "|".join(sorted((re.escape(name) for name in TYPES), key=len, reverse=True))
_PARAMETER = re.compile(rf"\$(?P<name>[a-z_][a-z0-9_]*)(?:::(?P<type>{_TYPE_NAMES}))?")
_NAME_LINE = re.compile(r"^-- name: (?P<name>[a-z_]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Nothing:
    """The row class of a statement that returns no columns."""


@dataclass(frozen=True, slots=True)
class Statement(Generic[Row]):
    """One named query: its text with `{schema}` for the schema, its parameters, the class of its rows.

    `purpose` is the sentence under the name in the file: why the query is right under concurrency.
    """

    name: str
    purpose: str
    text: str
    parameters: tuple[tuple[str, ParameterType], ...]
    row: type[Row]

    def bind(self, **values: object) -> "Query[Row]":
        """Give every parameter its value, None for NULL.

        Raises TypeError when a name is missing or unknown.
        """
        names = [name for name, _ in self.parameters]
        if values.keys() != set(names):
            raise TypeError(
                f"statement {self.name!r} takes {sorted(names)}, got {sorted(values)};"
                " pass every parameter by name, None for NULL"
            )
        return Query(self, tuple(values[name] for name in names))

    def sql(self, schema: str) -> bytes:
        """The text as the server gets it, for one schema."""
        return _rendered(self.text, schema)


@dataclass(frozen=True, slots=True)
class Query(Generic[Row]):
    """A statement with the values of its parameters: all that is left is to run it."""

    statement: Statement[Row]
    values: tuple[object, ...]


@lru_cache(maxsize=1024)
def _rendered(text: str, schema: str) -> bytes:
    return render(text, schema).encode()


def render(text: str, schema: str) -> str:
    """Put the quoted schema name wherever the text says `{schema}`.

    Raises ValueError for a name that is not a plain identifier.

    >>> render("select 1 from {schema}.leases", "waymark")
    'select 1 from "waymark".leases'
    """
    return text.replace("{schema}", f'"{checked_schema(schema)}"')


def checked_schema(name: str) -> str:
    """Return a schema name that is safe to write into SQL, channel names and lock keys.

    Raises ValueError: lower-case letters, digits and underscores, at most 40 of them, neither `public`
    nor one of Postgres's own.
    """
    if (
        not _SCHEMA_NAME.fullmatch(name)
        or name in {"public", "information_schema"}
        or name[:3] == "pg_"
    ):
        raise ValueError(
            f"{name!r} cannot be the schema of Waymark; expected lower-case letters, digits and"
            " underscores, 40 at most, not starting with a digit or pg_, and not public"
        )
    return name


@dataclass(frozen=True, slots=True)
class StatementFile:
    """The named texts of one `.sql` file, from which statements are taken by name."""

    file: str
    texts: Mapping[str, tuple[str, str]]

    def statement(self, name: str, row: type[Row]) -> Statement[Row]:
        """Take one statement out of the file.

        Raises KeyError for a name that the file does not have.
        """
        purpose, text = self.texts[name]
        return _parsed(f"{self.file}:{name}", purpose, text, row)


def load(package: str, file: str) -> StatementFile:
    """Read a `.sql` file that lies beside the modules of a package.

    Every query begins with `-- name: …` and at least one comment line that says why it is right.
    """
    content = (files(package) / file).read_text(encoding="utf-8")
    marks = list(_NAME_LINE.finditer(content))
    ends = [mark.start() for mark in marks[1:]] + [len(content)]
    texts: dict[str, tuple[str, str]] = {}
    for mark, end in zip(marks, ends, strict=True):
        name = mark["name"]
        if name in texts:
            raise ValueError(f"{file} names {name!r} twice; statement names are unique in a file")
        texts[name] = _split_purpose(content[mark.end() : end].strip(), f"{file}:{name}")
    return StatementFile(file, texts)


def _split_purpose(body: str, where: str) -> tuple[str, str]:
    lines = body.splitlines()
    count = next(
        (index for index, line in enumerate(lines) if not line.startswith("--")), len(lines)
    )
    purpose = " ".join(line.removeprefix("--").strip() for line in lines[:count])
    if not purpose:
        raise ValueError(
            f"{where} has no comment under its name; say in one sentence why it is right when two run"
        )
    return purpose, "\n".join(lines[count:]).strip().rstrip(";")


def _parsed(name: str, purpose: str, text: str, row: type[Row]) -> Statement[Row]:
    declared: dict[str, ParameterType | None] = {}
    for match in _PARAMETER.finditer(text):
        kind = TYPES[match["type"]] if match["type"] else None
        known = declared.setdefault(match["name"], kind)
        if known is None:
            declared[match["name"]] = kind
        elif kind is not None and kind is not known:
            raise ValueError(
                f"{name} uses ${match['name']} as {known.name} and as {kind.name}; give it one type"
            )
    parameters: list[tuple[str, ParameterType]] = []
    for parameter, kind in declared.items():
        if kind is None:
            raise ValueError(
                f"{name} never says the type of ${parameter}; write ${parameter}::type"
            )
        parameters.append((parameter, kind))
    positions = {parameter: index for index, parameter in enumerate(declared, 1)}
    numbered = _PARAMETER.sub(lambda match: _numbered(match, positions, declared), text)
    return Statement(name, purpose, numbered, tuple(parameters), row)


def _numbered(
    match: re.Match[str], positions: Mapping[str, int], declared: Mapping[str, ParameterType | None]
) -> str:
    kind = declared[match["name"]]
    assert kind is not None
    return f"${positions[match['name']]}::{kind.name}"
