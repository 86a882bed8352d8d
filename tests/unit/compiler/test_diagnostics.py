import sys
from pathlib import Path

import pytest

from tests.support.compiling import diagnosed, imported, problems, run_text, workflow_of
from waymark import UnsupportedPatternError
from waymark.compiler.diagnostics import TITLES
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.wellformed import MAX_SLOTS, load

BEFORE = """
import contextlib, datetime, math, os, random, time, uuid
from datetime import datetime as moment
from enum import Enum
from typing import NamedTuple
import logging

log = logging.getLogger(__name__)
TWICE = 1
TWICE = 2
MADE = os.environ.get("HOME", "")
STAMP = time.time()
GROWN = {"a": 1}
GROWN["b"] = 2
KEY = lambda x: x

class Plain:
    pass

class Loud(Exception):
    def __getattr__(self, name):
        return "loud"

def with_default(x=[]):
    return x

def decorate(f):
    def inner():
        return f()
    return inner

@decorate
def decorated():
    return 1

@contextlib.contextmanager
def managed():
    yield

def generator():
    yield 1

def clock():
    return time.monotonic()

async def sub():
    with open("f") as t:
        pass

"""

REFUSED = {
    "with open('f') as f:\n    pass": "WM102",
    "with contextlib.ExitStack():\n    pass": "WM102",
    "(x async for x in y)": "WM103",
    "class Inner:\n    pass": "WM107",
    "global TWICE\nTWICE = 1": "WM108",
    "import json": "WM109",
    "from json import dumps": "WM109",
    "return ...": "WM110",
    "return super(W, self)": "WM112",
    "return self": "WM113",
    "await act(self)": "WM113",
    "self.run = 1": "WM113",
    "return missing": "WM120",
    "return math.nothing": "WM120",
    "return TWICE": "WM121",
    "return MADE": "WM121",
    "return STAMP": "WM121",
    "return GROWN": "WM121",
    "return log": "WM121",
    "log.setLevel(10)": "WM124",
    "return KEY(1)": "WM130",
    "return decorated()": "WM122",
    "return clock()": "WM125",
    "await sub()": "WM102",
    "return with_default()": "WM127",
    "return Plain()": "WM123",
    "raise Loud('x')": "WM123",
    "return open('f')": "WM124",
    "return id(1)": "WM124",
    "return hash(1)": "WM124",
    "return eval('1')": "WM124",
    "return globals()": "WM124",
    "return setattr(self, 'a', 1)": "WM124",
    "return os.environ['HOME']": "WM125",
    "return os.getcwd()": "WM124",
    "return math": "WM124",
    "return [].__len__()": "WM124",
    "return [].__dict__": "WM124",
    "async with contextlib.AsyncExitStack() as g:\n    pass": "WM102",
    "return time.perf_counter()": "WM125",
    "return uuid.getnode()": "WM125",
    "return os.urandom(4)": "WM125",
    "return time.monotonic()": "WM125",
    "return uuid.uuid1()": "WM125",
    "return random.seed(1)": "WM125",
    "return random.getstate": "WM125",
    "await W().run()": "WM128",
    "await W.start()": "WM128",
    "await W.options(priority=1).start()": "WM128",
    "await self.wait_event('x')": "WM128",
    "self.log.info('x')": "WM128",
    "self.set_tag('a', 'b')": "WM128",
    "await self.run_action()": "WM140",
    "await self.run_action(act(), attempts=3)": "WM140",
    "await self.run_action(*[act()])": "WM140",
    "any(await act(x) for x in [1])": "WM105",
    "self = 1": "WM113",
    "def f():\n    nonlocal self\n    self = 1": "WM113",
    "f = lambda: (yield)": "WM105",
    "def f(a: print()):\n    pass": "WM106",
    "def f(a: missing):\n    pass": "WM120",
    "import functools\n@functools.wraps(y)\ndef f():\n    pass": "WM109",
    "@contextlib.wraps(y)\ndef f():\n    pass": "WM133",
    "@property\ndef f():\n    pass": "WM133",
    "def f():\n    return super().run()": "WM112",
}


@pytest.mark.parametrize(("body", "code"), REFUSED.items())
def test_each_pattern_is_refused_with_its_code(tmp_path: Path, body: str, code: str) -> None:
    found = diagnosed(tmp_path, f"y = []\nx = 1\n{body}", before=BEFORE)
    assert [one.code for one in found] == [code], [str(one) for one in found]
    assert code in TITLES
    assert found[0].recommendation
    assert "^" in found[0].excerpt or "line" not in found[0].filename


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("re.TEMPLATE", sys.version_info < (3, 13)),
        ("re.RegexFlag.T", sys.version_info < (3, 13)),
        ("http.HTTPStatus.CONTENT_TOO_LARGE", sys.version_info >= (3, 13)),
    ],
)
def test_a_member_that_not_every_python_has_is_refused(
    tmp_path: Path, name: str, *, there: bool
) -> None:
    found = diagnosed(tmp_path, f"return {name}", before="import http, re")
    assert found or not there
    if there:
        assert "not every Python has a member of this name" in found[0].message


def test_the_place_is_exact_to_the_column(tmp_path: Path) -> None:
    (one,) = diagnosed(tmp_path, "ä = 'ü' + missing_name + 'x'")
    line = next(
        text for text in Path(one.filename).read_text().splitlines() if "missing_name" in text
    )
    assert line[one.column : one.end_column] == "missing_name"
    assert one.excerpt.splitlines() == [
        "            ä = 'ü' + missing_name + 'x'",
        "                      ^^^^^^^^^^^^",
    ]
    assert str(one).startswith(f"{one.filename}:{one.line}:{one.column + 1}: WM120 ")


def test_tabs_before_the_place_keep_the_carets_below_it(tmp_path: Path) -> None:
    text = (
        run_text("pass").replace("        pass", "\t\tx =\tmissing").replace("    async", "\tasync")
    )
    (one,) = problems(workflow_of(imported(tmp_path, text)))
    assert one.excerpt.splitlines()[1] == "    \t\t   \t^^^^^^^"


def test_every_problem_of_a_class_is_in_one_error_in_source_order(tmp_path: Path) -> None:
    after = "    def helper(self):\n        import os\n        return os.environ\n"
    module = imported(
        tmp_path,
        run_text(
            "a = nope\nclass Inner:\n    pass\nb = self.helper() + also_nope\nreturn b", after=after
        ),
    )
    with pytest.raises(UnsupportedPatternError) as caught:
        compile_workflow(workflow_of(module))
    error = caught.value
    found = problems(workflow_of(module))
    assert error.diagnostics == found
    assert [one.code for one in found] == ["WM120", "WM107", "WM120", "WM109"]
    lines = [one.line for one in found]
    assert lines == sorted(lines)
    first = found[0]
    assert (error.line, error.col, error.filename) == (first.line, first.column, first.filename)
    assert error.recommendation == first.recommendation
    assert "4 problems" in error.message


def test_a_class_without_run_says_so(tmp_path: Path) -> None:
    module = imported(tmp_path, "from waymark import Workflow\nclass W(Workflow):\n    pass\n")
    with pytest.raises(UnsupportedPatternError, match="WM132"):
        compile_workflow(workflow_of(module))


def test_a_failed_class_fails_again_with_the_same_problems(tmp_path: Path) -> None:
    workflow = workflow_of(imported(tmp_path, run_text("return missing")))
    texts = []
    for _ in range(2):
        with pytest.raises(UnsupportedPatternError) as caught:
            compile_workflow(workflow)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def large(literal: str, *, named: bool) -> str:
    head = "from waymark import Workflow, workflow\n"
    table = f"TABLE = {literal}\n" if named else ""
    used = "TABLE" if named else literal
    body = f"    async def run(self) -> int:\n        return len({used})\n"
    return f"{head}{table}\n@workflow\nclass W(Workflow):\n{body}"


def test_a_function_that_no_worker_could_load_is_refused_and_the_advice_works(
    tmp_path: Path,
) -> None:
    literal = "{" + ", ".join(f"{number}: 'n'" for number in range(MAX_SLOTS)) + "}"
    found = problems(workflow_of(imported(tmp_path, large(literal, named=False))))
    assert [one.code for one in found] == ["WM100"]
    assert found[0].message == "`run` has more values at once than a program can hold"
    loaded = compile_workflow(workflow_of(imported(tmp_path, large(literal, named=True))))
    assert load(loaded.program_bytes).workflow


def test_a_program_that_no_worker_would_read_is_refused(tmp_path: Path) -> None:
    text = large("'n' * 9_000_000", named=True).replace("len(TABLE)", "len(TABLE) + len(OTHER)")
    module = imported(tmp_path, f"OTHER = 'm' * 9_000_000\n{text}")
    found = problems(workflow_of(module))
    assert [one.code for one in found] == ["WM100"]
    assert "at most 16,777,216 are read" in found[0].message
