"""Bindings of a module in; whether, and why not, a workflow may capture what they bind comes out."""

import dataclasses
from collections import deque
from pathlib import Path

import pytest

from tests.support.compiling import compiled, diagnosed, imported, run_text
from waymark.compiler import made
from waymark.compiler.capture import Captures, Earlier
from waymark.compiler.durable import Writer
from waymark.compiler.language import Names
from waymark.compiler.source import SourceReader

LONG = "x" * 300


def refused(folder: Path, before: str, used: str = "X") -> str:
    """Why a workflow that returns ``used`` of a module that begins with ``before`` is refused."""
    (found,) = diagnosed(folder, f"return {used}", before=before)
    return found.message


CHANGED = {
    "a pattern": "import re\nX = re.compile('b')\nglobals()['X'] = re.compile('a')",
    "a long pattern": f"import re\nX = re.compile('{LONG}b')\nglobals()['X'] = re.compile('{LONG}a')",
    "a policy": "X = RetryPolicy(2)\nglobals()['X'] = RetryPolicy(3)",
    "a backoff": "X = Backoff(2)\nglobals()['X'] = Backoff(3)",
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_is_made_anew_is_what_the_module_has(tmp_path: Path, what: str) -> None:
    used = 'X.match("a")' if "pattern" in what else "X"
    assert "it has changed since its module bound it" in refused(tmp_path, CHANGED[what], used)


MOVED = """
try:
    from pydantic import BaseSettings as found
except ImportError:
    def found():
        return 2
"""


def test_a_module_may_refuse_a_name_with_any_error(tmp_path: Path) -> None:
    module = imported(tmp_path, run_text("return found()", before=MOVED))
    assert not Captures(SourceReader(), Names(), Earlier()).stands_in(module.found, "found", module)
    (found,) = diagnosed(tmp_path, "return pydantic.BaseSettings", before="import pydantic")
    assert "module `pydantic` has no attribute `BaseSettings`" in found.message


SETS = """
import dataclasses
from collections import deque
from datetime import datetime, timedelta, timezone
from pydantic import BaseModel
class Listed(BaseModel):
    items: list[str] = []
    tags: set[str] = set()
@dataclasses.dataclass(frozen=True)
class Tagged:
    tags: frozenset[str]
S = {"a", "b", "c"}
NESTED = [S]
TABLE = {"x": 1.5, "y": 2}
AT = datetime(2026, 1, 2, tzinfo=timezone.utc)
"""
ORDERED = """
list(S) ;; tuple({"a", "b"}) ;; ",".join(S) ;; str(S) ;; repr(NESTED) ;; f"{S}" ;; f"{NESTED!r}" ;; "%s" % (S,)
[x for x in S] ;; {x: 1 for x in S} ;; [y for x in NESTED for y in x] ;; [list(x) for x in NESTED]
[x for y in ["a", "b"] for x in {y, "c"}] ;; [str({x}) for x in "ab"] ;; list(x for x in S)
min(S, key=len) ;; max({"aa", "bb"}, key=len) ;; sorted(S, key=len) ;; [*S] ;; (1, *{"a", "b"})
dict.fromkeys(S) ;; dict(zip(S, S)) ;; list(enumerate(S)) ;; deque(S) ;; "{}".format(S) ;; list(TABLE.keys() & {"x"})
sum({("a",), ("b",)}, ()) ;; sum(TABLE[x] for x in TABLE.keys() | {"x"}) ;; Listed(items=S) ;; list(frozenset(S))
list(S | {"d"}) ;; list(S if S else []) ;; list(NESTED[0]) ;; [x for x in (y for y in S)] ;; list(frozenset(S).union("d"))
sorted({frozenset("a"), frozenset("b")}) ;; list(S)[0] == "a" ;; [set(S), [*S]]
"""
BLIND = """
S ;; S | {"x"} ;; S - {"a"} ;; len(S) ;; sorted(S) ;; "a" in S ;; any(S) ;; all(x for x in S) ;; sum({1, 2}) ;; min(S) ;; max(S)
sum(len(x) for x in S) ;; sorted(x + "!" for x in S) ;; sorted([x + "!" for x in S]) ;; ",".join(sorted(S))
{x.upper() for x in S} ;; frozenset(x for x in S) ;; set(list(S)) ;; f"{len(S)}" ;; [len(x) for x in NESTED] ;; NESTED ;; [*NESTED]
[sorted(x) for x in NESTED] ;; {"k": S} ;; [x for x in ["a", "d"] if x in S] ;; {x: x in S for x in "ad"} ;; S == {"a"}
Listed(tags=S) ;; Tagged(frozenset(S)) ;; list(TABLE.items()) ;; list(TABLE.keys()) ;; {*S, "d"} ;; frozenset(S).union("d") ;; len(list(S))
tuple(sorted(S)) ;; {x: S for x in "ab"} ;; sorted(TABLE, key=len)
"""


def expressions(text: str) -> list[str]:
    return [one.strip() for line in text.strip().splitlines() for one in line.split(" ;; ")]


@pytest.mark.parametrize("bound", expressions(ORDERED))
def test_the_order_of_a_set_is_not_captured(tmp_path: Path, bound: str) -> None:
    assert "follows the order of a set" in refused(tmp_path, f"{SETS}X = {bound}")


@pytest.mark.parametrize("bound", expressions(BLIND))
def test_sets_are_captured_and_what_is_blind_to_their_order(tmp_path: Path, bound: str) -> None:
    compiled(tmp_path, "return X", before=f"{SETS}X = {bound}")


@dataclasses.dataclass(frozen=True)
class Tagged:
    tags: frozenset[int]


def test_a_set_in_an_object_is_written_in_one_order() -> None:
    one, other = frozenset([0, 8]), frozenset([8, 0])
    assert list(one) != list(other)
    for value in (Tagged, lambda tags: [Tagged(tags)], lambda tags: deque([tags])):
        assert Writer().encode(value(one)) == Writer().encode(value(other))


ZONED = [
    "datetime.fromtimestamp(0)", "datetime.fromtimestamp(0, None)", "datetime.fromtimestamp(0, tz=None)",
    "datetime(2026, 1, 2).timestamp()", "AT.astimezone()", "datetime(2026, 1, 2).astimezone(timezone.utc)",
    "[datetime.fromtimestamp(x) for x in (1, 2)]",
]  # fmt: skip
UNZONED = [
    "datetime.fromtimestamp(0, timezone.utc)", "datetime.fromtimestamp(0, tz=timezone.utc)", "AT.timestamp()",
    "AT.astimezone(timezone(timedelta(hours=2)))", "[datetime.fromtimestamp(x, timezone.utc) for x in (1, 2)]",
]  # fmt: skip


@pytest.mark.parametrize("bound", ZONED)
def test_the_time_zone_of_the_process_is_not_captured(tmp_path: Path, bound: str) -> None:
    assert "depends on the time zone" in refused(tmp_path, f"{SETS}X = {bound}")


@pytest.mark.parametrize("bound", UNZONED)
def test_times_with_a_zone_are_captured(tmp_path: Path, bound: str) -> None:
    compiled(tmp_path, "return X", before=f"{SETS}X = {bound}")


IMPORTS = """
import logging
LOG = logging.getLogger("log")
try:
    import json as found
    HAVE = True
except ImportError:
    HAVE = False
else:
    KIND = "fast"
try:
    from json import nothing_of_that_name as missing
except ModuleNotFoundError:
    raise
except ImportError:
    pass
try:
    from json import no_such
except ImportError:
    no_such = None
try:
    from math import tau
except ImportError as error:
    raise RuntimeError("no tau") from error
"""


@pytest.mark.parametrize("name", ["HAVE", "KIND", "no_such", "HAVE + 1", "(1 if HAVE else 2)"])
def test_what_is_installed_does_not_choose_values(tmp_path: Path, name: str) -> None:
    found = refused(tmp_path, f"{IMPORTS}X = {name}")
    assert "depends on what is installed" in found


def test_imports_that_must_succeed_and_functions_are_no_choice(tmp_path: Path) -> None:
    compiled(tmp_path, "return tau, found.dumps(1)", before=IMPORTS)


def test_levels_are_all_that_is_captured_of_logging(tmp_path: Path) -> None:
    compiled(tmp_path, "return X, logging.WARN", before=f"{IMPORTS}X = [logging.INFO]")
    (found,) = diagnosed(
        tmp_path, "return raiseExceptions", before="from logging import raiseExceptions"
    )
    assert "cannot be captured" in found.message


@pytest.mark.parametrize(
    "bound", ["str(LOG)", "[LOG]", 'f"{LOG}"', 'str(logging.getLogger("log"))', "LOG.level"]
)
def test_no_value_is_made_of_a_logger(tmp_path: Path, bound: str) -> None:
    assert "cannot be captured" in refused(tmp_path, f"{IMPORTS}X = {bound}")


def test_a_logger_may_have_two_names(tmp_path: Path) -> None:
    compiled(tmp_path, "LOG.info('a')\nX.info('b')", before=f"{IMPORTS}X = LOG")


SHARED = """
import dataclasses
@dataclasses.dataclass
class Box:
    items: list
@dataclasses.dataclass(frozen=True)
class Fixed:
    number: int
X = []
A, C = X, 1
D = E = {}
F = D
BOX = Box([])
FIXED = Fixed(1)
TABLE = {"a": [1], "b": (1, 2)}
"""


@pytest.mark.parametrize(
    "names", ["X A", "D E F", "BOX Z"], ids=lambda names: names.replace(" ", "-")
)
def test_names_of_one_object_are_captured_once(tmp_path: Path, names: str) -> None:
    listed = ", ".join(names.split())
    found = compiled(tmp_path, f"return {listed}", before=f"{SHARED}Z = BOX")
    assert len(found.program.globals) == 1


@pytest.mark.parametrize(
    "bound", ['TABLE["a"]', 'TABLE.get("a")', "BOX.items", "X if not X else []"]
)
def test_an_object_that_stands_in_another_one_is_taken_from_there(
    tmp_path: Path, bound: str
) -> None:
    """Where the program uses both: otherwise nobody can tell it from a copy."""
    alone = compiled(tmp_path, "return Z", before=f"{SHARED}Z = {bound}")
    both = compiled(tmp_path, "return TABLE, BOX, X, Z", before=f"{SHARED}Z = {bound}")
    assert len(alone.program.functions) == 1 < len(both.program.functions)


def test_what_shares_nothing_stays_in_the_program(tmp_path: Path) -> None:
    found = compiled(tmp_path, "return X, D, BOX, TABLE", before=SHARED)
    assert [len(found.program.functions), len(found.program.globals)] == [1, 4]


@pytest.mark.parametrize(
    "bound",
    ["[*X]", "list(X)", "[FIXED]", 'TABLE["b"]', "len(X)", "sorted(TABLE)", "Box([*X])", "FIXED"],
)
def test_copies_and_what_cannot_change_are_captured(tmp_path: Path, bound: str) -> None:
    compiled(tmp_path, "return Z", before=f"{SHARED}Z = {bound}")


NESTED_TABLE = """
TABLE = {"a": [1], "b": [2]}
HOLDER = [TABLE]
ROW = [3]
ROWS = {"a": [ROW], "b": [ROW]}
"""


def test_what_stands_in_a_table_is_not_shared_because_the_table_is(tmp_path: Path) -> None:
    before = NESTED_TABLE
    program = compiled(tmp_path, "return HOLDER[0] is TABLE", before=before).program
    assert [function.name for function in program.functions] == ["run", "HOLDER"]


def test_what_is_too_large_to_be_made_by_a_run_is_captured_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made, "MAX_SLOTS", 3)
    program = compiled(tmp_path, "return ROWS, ROW", before=NESTED_TABLE).program
    assert [function.name for function in program.functions] == ["run"]
    assert len(program.globals) == 2
    before = f"{NESTED_TABLE}\nCALLS = {{0: len, 1: max, 2: min, 3: sum}}"
    assert "too large for a program" in refused(tmp_path, before, "CALLS")
