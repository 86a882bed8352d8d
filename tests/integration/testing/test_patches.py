"""Test files that put other things in the place of a workflow's names in; runs that follow them, and what is refused, out."""

import pytest

from tests.integration.testing.test_plugin import passed, users

__all__ = ["users"]

CONFIG = "FACTOR = 2\n"
FLOWS = """
import asyncio
from dataclasses import dataclass
from pydantic import BaseModel
from waymark import RetryPolicy, Workflow, action, workflow
from config import FACTOR

LIMIT = 5
RATES = {"a": 1}
BASE = 10
DERIVED = BASE * 2
POLICY = RetryPolicy(attempts=3, backoff_seconds=60)
ERRORS = (KeyError, ValueError)
SEEN: dict[str, int] = {}

class Order(BaseModel):
    item: str
    def total(self) -> int:
        return 3

@action
async def charge(item: str) -> str:
    SEEN[item] = 1
    return f"real {item}"

@action
async def fails() -> str:
    raise ConnectionError("x")

def helper(x: int) -> int:
    return x + 1

@workflow
class W(Workflow):
    RATE = 7
    version = "1"
    async def run(self, item: str) -> str:
        got = await charge(item)
        order = Order(item=item)
        return f"{got} {LIMIT} {RATES['a']} {helper(1)} {FACTOR} {DERIVED} {self.RATE} {order.total()} {self.step()} {len(SEEN)}"
    def step(self) -> str:
        return "step"

@workflow
class P(Workflow):
    async def run(self) -> str:
        try:
            return await self.run_action(fails(), retry=POLICY)
        except ERRORS:
            return "errors"
        except ConnectionError:
            return "connection"
"""
HEAD = """
from unittest import mock
import patched_flows as flows
import pytest
from patched_flows import P, W
from waymark import RetryPolicy, UnsupportedPatternError

PLAIN = "real tea 5 1 2 2 20 7 3 step 0"

"""


@pytest.fixture
def patching(users: pytest.Pytester) -> pytest.Pytester:
    users.makepyfile(patched_flows=FLOWS, config=CONFIG)
    return users


CASES = {
    "constant": ("""
    monkeypatch.setattr(flows, "LIMIT", 1)
""", "real tea 1 1 2 2 20 7 3 step 0"),
    "dict": ("""
    monkeypatch.setattr(flows, "RATES", {"a": 9})
""", "real tea 5 9 2 2 20 7 3 step 0"),
    "what_a_constant_was_made_of": ("""
    monkeypatch.setattr(flows, "BASE", 1000)
""", "real tea 5 1 2 2 20 7 3 step 0"),
    "computed_constant": ("""
    monkeypatch.setattr(flows, "DERIVED", 8)
""", "real tea 5 1 2 2 8 7 3 step 0"),
    "imported_constant": ("""
    monkeypatch.setattr(flows, "FACTOR", 8)
""", "real tea 5 1 2 8 20 7 3 step 0"),
    "helper": ("""
    def fake(x):
        return 100
    monkeypatch.setattr(flows, "helper", fake)
""", "real tea 5 1 100 2 20 7 3 step 0"),
    "helper_by_lambda": ("""
    monkeypatch.setattr(flows, "helper", lambda x: x + 200)
""", "real tea 5 1 201 2 20 7 3 step 0"),
    "action_by_function": ("""
    async def fake(item):
        return "fake"
    monkeypatch.setattr(flows, "charge", fake)
""", "fake 5 1 2 2 20 7 3 step 0"),
    "class_attribute": ("""
    monkeypatch.setattr(W, "RATE", 70)
""", "real tea 5 1 2 2 20 70 3 step 0"),
    "method": ("""
    monkeypatch.setattr(W, "step", lambda self: f"S{self.RATE}")
""", "real tea 5 1 2 2 20 7 3 S7 0"),
    "method_of_a_model": ("""
    monkeypatch.setattr(flows.Order, "total", lambda self: 33)
""", "real tea 5 1 2 2 20 7 33 step 0"),
}  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--waymark-crash-everywhere",)], ids=["plain", "crash"])
def test_what_a_test_puts_there_is_what_runs(
    patching: pytest.Pytester, options: tuple[str, ...]
) -> None:
    parts = [HEAD]
    for name, (body, expected) in CASES.items():
        parts.append(f"""
def test_{name}(monkeypatch):
{body}
    assert W().run_sync("tea") == {expected!r}

def test_without_{name}():
    assert W().run_sync("tea") == PLAIN
""")
    passed(patching, "".join(parts), *options)


def test_the_first_run_follows_as_well(patching: pytest.Pytester) -> None:
    patch, expected = CASES["dict"]
    passed(
        patching,
        f"{HEAD}\ndef test_first(monkeypatch):\n{patch}\n    assert W().run_sync('tea') == {expected!r}\n",
    )


def test_one_version_has_the_programs_of_a_test_and_runs_go_on_with_theirs(
    patching: pytest.Pytester,
) -> None:
    passed(
        patching,
        HEAD
        + """
def test_in_flight(monkeypatch, waymark_runtime):
    assert W.version == "1"
    run = W.start_sync("tea")
    monkeypatch.setattr(flows, "LIMIT", 1)
    assert W().run_sync("tea") == "real tea 1 1 2 2 20 7 3 step 0"
    assert run.result_sync() == PLAIN
""",
    )


def test_policies_and_tuples_of_exceptions_are_followed(patching: pytest.Pytester) -> None:
    passed(
        patching,
        HEAD
        + """
def test_plain(waymark_runtime):
    assert P().run_sync() == "connection"
    assert waymark_runtime.calls[0].attempts == 3

def test_policy(monkeypatch, waymark_runtime):
    monkeypatch.setattr(flows, "POLICY", RetryPolicy(attempts=1))
    assert P().run_sync() == "connection"
    assert waymark_runtime.calls[0].attempts == 1

def test_errors(monkeypatch):
    monkeypatch.setattr(flows, "ERRORS", (ConnectionError, KeyError))
    assert P().run_sync() == "errors"
""",
    )


def test_a_mock_is_refused_whenever_it_comes(patching: pytest.Pytester) -> None:
    passed(
        patching,
        HEAD
        + """
def test_mock():
    with mock.patch("patched_flows.charge"), pytest.raises(UnsupportedPatternError, match="stub"):
        W().run_sync("tea")

def test_plain():
    assert W().run_sync("tea") == PLAIN

def test_mock_again():
    with mock.patch("patched_flows.charge"), pytest.raises(UnsupportedPatternError, match="stub"):
        W().run_sync("tea")
""",
    )


def test_what_changed_in_place_is_refused_as_in_production(patching: pytest.Pytester) -> None:
    patching.makepyfile(patched_flows=FLOWS.replace("BASE = 10\n", "BASE = 10\nRATES['a'] = 2\n"))
    passed(
        patching,
        HEAD
        + """
def test_changed():
    with pytest.raises(UnsupportedPatternError, match="has changed since its module bound it"):
        W().run_sync("tea")
""",
    )


def test_only_runs_in_process_follow(patching: pytest.Pytester) -> None:
    passed(
        patching,
        HEAD
        + """
from waymark import build_workflow_ir

def test_in_process(monkeypatch):
    assert W().run_sync("tea") == PLAIN
    monkeypatch.setattr(flows, "LIMIT", 1)
    assert W().run_sync("tea") == "real tea 1 1 2 2 20 7 3 step 0"

@pytest.mark.waymark_real
def test_real():
    before = build_workflow_ir(W)
    with mock.patch("patched_flows.LIMIT", 1):
        assert build_workflow_ir(W) == before
""",
    )
