"""Modules with newcomers' mistakes go in; what `waymark check` says of each, at its place, comes out."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from waymark import Workflow, workflow, workflow_registry
from waymark.checks.findings import Report
from waymark.checks.inspection import inspect_modules
from waymark.definitions import DEFINITION

HEAD = """\
from waymark import Workflow, action, workflow

@action
async def act(x: int = 0) -> int:
    return x

"""
Check = Callable[[str], Report]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Check]:
    """Check a module of this text, as in a fresh process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    modules, names = set(sys.modules), set(workflow_registry.names())

    def check(text: str) -> Report:
        (tmp_path / "mistaken.py").write_text(HEAD + text)
        return inspect_modules(["mistaken"])

    yield check
    for name in set(sys.modules) - modules:
        del sys.modules[name]
    for name in set(workflow_registry.names()) - names:
        workflow_registry.discard(name)


def told(report: Report) -> list[tuple[str, str]]:
    """Code and line of source of every finding."""
    return [(one.code, one.excerpt.partition("\n")[0].strip()) for one in report.findings]


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("    def run(self):\n        return 1", "def run(self):", "a plain function"),
        ("    async def run(self):\n        yield 1", "async def run(self):", "a generator"),
        (
            "    @staticmethod\n    async def run():\n        return 1",
            "async def run():",
            "a static method",
        ),
        ("    steps = 3", "class Wrong(Workflow):", "has no method `run`"),
    ],
    ids=["plain", "generator", "static", "none"],
)
def test_a_run_that_is_no_coroutine_function_costs_no_other_workflow_its_check(
    check: Check, body: str, line: str, message: str
) -> None:
    other = (
        "@workflow\nclass AlsoThere(Workflow):\n    async def run(self):\n        return missing\n"
    )
    report = check(f"@workflow\nclass Wrong(Workflow):\n{body}\n\n{other}")
    assert told(report) == [("WM132", line), ("WM120", "return missing")]
    assert message in report.findings[0].message
    assert (report.workflows, report.unreadable) == (("alsothere", "wrong"), False)


def test_the_decorator_itself_refuses_a_run_that_is_not_async() -> None:
    class Plain(Workflow):
        def run(self) -> int:
            return 1

    name = re.escape(Plain.__qualname__)
    with pytest.raises(TypeError, match=rf"^{name}\.run must be `async def`; expected a method"):
        workflow(Plain)
    assert DEFINITION not in vars(Plain)


def test_a_workflow_without_its_decorator_is_named_beside_the_others(check: Check) -> None:
    body = "(Workflow):\n    async def run(self):\n        return await act(1)\n\n"
    report = check(f"class Forgotten{body}@workflow\nclass WellMade{body}")
    assert told(report) == [("WM193", "class Forgotten(Workflow):")]
    assert report.findings[0].severity.value == "warning"
    assert report.workflows == ("wellmade",)


def test_a_workflow_without_its_decorator_is_named_where_it_is_the_only_one(check: Check) -> None:
    report = check("class Forgotten(Workflow):\n    async def run(self):\n        return 1\n")
    assert told(report) == [("WM191", ""), ("WM193", "class Forgotten(Workflow):")]
    assert report.unreadable


@pytest.mark.parametrize(
    "text",
    [
        "class Base(Workflow):\n    async def run(self):\n        return 1\n",
        "class Helpers(Workflow):\n    async def step(self):\n        return 1\n",
        "class _Private(Workflow):\n    async def run(self):\n        return 1\n",
        "import abc\nclass Abstract(Workflow, abc.ABC):\n    async def run(self):\n        return 1\n",
        "def f():\n    class Inner(Workflow):\n        async def run(self):\n            return 1\n\nf()\n",
        "# waymark: ignore[WM193]\nclass Silenced(Workflow):\n    async def run(self):\n        return 1\n",
    ],
    ids=["base", "without-run", "private", "abstract", "local", "silenced"],
)
def test_what_is_no_forgotten_workflow_is_not_warned_of(check: Check, text: str) -> None:
    parent = "Base" if "class Base" in text else "Workflow"
    report = check(
        f"{text}\n@workflow\nclass WellMade({parent}):\n    async def run(self):\n        return 2\n"
    )
    assert told(report) == []


@pytest.mark.parametrize(
    ("statement", "line", "instead"),
    [
        (
            "async def f(xs):\n    ü = list(map(lambda x: await act(x), xs))\n",
            "ü = list(map(lambda x: await act(x), xs))",
            "a lambda cannot await: use a nested `async def`",
        ),
        (
            "def f(x):\n    return [await act(x)]\n",
            "return [await act(x)]",
            "write `async def f(…)`",
        ),
        ("x = await act(1)\n", "x = await act(1)", "write what this Python can read"),
        ("x = (1\n", "x = (1", "write what this Python can read"),
    ],
    ids=["lambda", "def", "module", "other"],
)
def test_an_await_outside_of_async_functions_is_told_what_to_write(
    check: Check, statement: str, line: str, instead: str
) -> None:
    report = check(statement)
    assert told(report) == [("WM190", line)]
    assert report.findings[0].instead == instead


def ran(body: str, after: str = "") -> str:
    """A module whose workflow runs ``body``."""
    lines = "\n".join(f"        {line}" for line in body.split("\n"))
    return f"import asyncio\n\n@workflow\nclass Mistaken(Workflow):\n    async def run(self, n):\n{lines}\n{after}\n"


@pytest.mark.parametrize(
    "use",
    [
        "return x + 1",
        "return -x",
        "return x < 1",
        "return x[0]",
        "return x.total",
        "for each in x:\n    print(each)",
        "return [each for each in x]",
        "n += x",
        "def inner():\n    return x * 2\nreturn inner()",
    ],
)
def test_a_call_that_is_kept_and_taken_for_its_result_is_warned_of(check: Check, use: str) -> None:
    report = check(ran(f"x = act(1)\n{use}"))
    assert told(report) == [("WM301", "x = act(1)")]
    assert report.findings[0].instead == "write `await act(1)`"
    lines = Path("mistaken.py").read_text().splitlines()
    (line,) = (
        number
        for number, text in enumerate(lines, 1)
        if text.strip() in map(str.strip, use.split("\n")) and re.search(r"\bx\b", text)
    )
    assert f"which line {line} takes it for" in report.findings[0].message


@pytest.mark.parametrize(
    "body",
    [
        "x = act(1)\nreturn await x + 1",
        "x = act(1)\nif n:\n    x = 2\n    return x + 1\nreturn await x",
        "x = act(1)\nx = await x\nreturn x + 1",
        "x = act(1)\nreturn [n, x == n, x is None, not x, await x]",
        "x = act(1)\nx.close()",
        "x = asyncio.create_task(act(1))\nreturn x.done(), await x",
    ],
)
def test_a_call_that_is_kept_and_awaited_is_not_warned_of(check: Check, body: str) -> None:
    assert told(check(ran(body))) == []


ENDLESS = "while True:\n    await self.step(n)"
STEP = "    async def step(self, n):\n        {}\n    async def other(self, n):\n        {}\n"


@pytest.mark.parametrize(
    ("step", "other"),
    [
        ("return await act(n)", "pass"),
        ("await self.other(n)", "await act(n)"),
        ("await asyncio.gather(self.other(n), act(n))", "await self.step(n)"),
        ("await self.run_action(act(n))", "await asyncio.sleep(1)"),
    ],
)
def test_an_endless_loop_is_not_slowed_down_by_helpers_that_never_sleep(
    check: Check, step: str, other: str
) -> None:
    report = check(ran(ENDLESS, after=STEP.format(step, other)))
    assert told(report) == [("WM302", "while True:")]


@pytest.mark.parametrize(
    ("step", "other"),
    [
        ("await asyncio.sleep(1)", "pass"),
        ("await self.other(n)", "await asyncio.sleep(n)"),
        ("await asyncio.gather(self.other(n), act(n))", "await asyncio.sleep(n)"),
        ("await n.get()", "pass"),
        ("raise ValueError(await act(n))", "pass"),
        ("async with asyncio.Lock(): await act(n)", "pass"),
    ],
)
def test_an_endless_loop_whose_helper_sleeps_or_ends_it_is_not_warned_of(
    check: Check, step: str, other: str
) -> None:
    assert told(check(ran(ENDLESS, after=STEP.format(step, other)))) == []
