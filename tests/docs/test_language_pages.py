"""What the reference says of the language and its values goes in; whether it is so comes out.

``WAYMARK_UPDATE_GOLDEN=1`` writes the generated page anew.
"""

import math
import os
import re
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretBytes, SecretStr

from tests.support import language_page
from tests.support.checkout import ROOT
from waymark.coercion import codec
from waymark_schema.failures import SerializationError
from waymark_schema.ir import language, library
from waymark_schema.values import scalars

VALUES = (ROOT / "docs" / "reference" / "values.md").read_text()
NAMES: dict[str, Any] = {
    each.__name__: each
    for each in (
        *(
            Counter,
            OrderedDict,
            defaultdict,
            deque,
            date,
            datetime,
            time,
            timedelta,
            timezone,
            Decimal,
        ),
        *(Fraction, Path, PurePosixPath, PureWindowsPath, ip_address, ip_interface, ip_network),
        *(UUID, ZoneInfo, SecretBytes, SecretStr, threading, os, re),
    )
} | {"UTC": UTC}


def rows(title: str) -> list[tuple[str, str]]:
    """Expression and remark of every row of the first table below a heading."""
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", VALUES, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| `(.+?)` \| (.*) \|$", section, re.MULTILINE)


@pytest.mark.parametrize("written", [expression for expression, _ in rows("What is kept")])
def test_a_value_that_the_page_promises_comes_back(written: str) -> None:
    value = eval(written, dict(NAMES))
    back = codec().decode(codec().encode(value))
    assert type(back) is type(value)
    assert repr(back) == repr(value)
    assert back == value
    if isinstance(value, float):
        assert math.copysign(1, back) == math.copysign(1, value)
    if isinstance(value, datetime):
        assert (back.fold, back.tzinfo) == (value.fold, value.tzinfo)


def test_the_page_has_a_row_for_every_type_that_is_kept() -> None:
    shown = {type(eval(written, dict(NAMES))) for written, _ in rows("What is kept")}
    addresses = {kind for kind in scalars.WRAPS if kind.__module__ == "ipaddress"}
    kept = {*scalars.WRAPS, *scalars.CONTAINERS, list, dict, defaultdict, bool, int, float, str}
    assert kept - shown - addresses == set()
    assert {kind.__name__[4:] for kind in addresses} == {
        kind.__name__[4:] for kind in shown & addresses
    }


@pytest.mark.parametrize(("written", "advice"), rows("What is not"))
def test_a_value_that_the_page_refuses_is_refused_with_that_advice(
    written: str, advice: str
) -> None:
    value = eval(written, dict(NAMES))
    try:
        with pytest.raises(SerializationError) as refused:
            codec().encode({"items": [1, value]}, path="result")
    finally:
        if hasattr(value, "close"):
            value.close()
    assert refused.value.path in {"result.items[1]", "result['items'][1]"}
    assert advice.replace("`", "") in str(refused.value)


def test_the_language_page_is_what_the_cases_say() -> None:
    if os.environ.get("WAYMARK_UPDATE_GOLDEN"):
        language_page.main()
    assert language_page.PAGE.read_text() == language_page.page(), (
        "run: python -m tests.support.language_page"
    )


def test_the_language_page_names_everything_of_the_language() -> None:
    page = language_page.PAGE.read_text()
    for name in language.BUILTINS.keys() - set(language.ACCESSORS):
        assert f"`{name}`" in page or f"`{name.rpartition('.')[2]}`" in page, name
    for name in library.COMPILED:
        module, _, last = name.partition(".")
        assert f"`{last}`" in row(page, module), name
    tables = (
        *(language.METHODS, language.ATTRIBUTES),
        *(language.CLASS_METHODS, language.CLASS_ATTRIBUTES),
    )
    for table in tables:
        for kind, names in table.items():
            assert [name for name in names if f"`{name}`" not in row(page, kind)] == []
    for made, names in language.RECORD_METHODS.items():
        by = {"asyncio.Task": "asyncio.create_task"}.get(made, made)
        assert [name for name in names if f"`{name}`" not in row(page, f"{by}()")] == []


def row(page: str, first: str) -> str:
    """The last row of a table whose first cell begins with that name."""
    (found,) = re.findall(rf"^\| `{re.escape(first)}`.*`.*$", page, re.MULTILINE)[-1:]
    return str(found)
