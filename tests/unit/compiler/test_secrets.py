"""What a module reads from its environment never becomes part of a program, wherever the module keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.compiling import imported, problems, workflow_of
from waymark import UnsupportedPatternError
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.digest import encode_spans

SECRET = "s3cr3t-of-the-environment"
HEAD = """
import os
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, NamedTuple
from pydantic import AfterValidator, BaseModel, Field, PrivateAttr
from waymark import Depends, Workflow, action, workflow

PLAIN = os.environ["WM_TEST_SECRET"]
FALLBACK = os.environ.get("WM_TEST_SECRET", "none")
INDIRECT = PLAIN
SLICED = PLAIN[:]
TEXT = f"Bearer {PLAIN}"
HELD = {"token": [PLAIN]}
MADE = [part for part in PLAIN.split(",")]
METHOD = "Bearer " + PLAIN.strip()

def read():
    return os.environ["WM_TEST_SECRET"]

CALLED = read()

def helper(x, token=PLAIN):
    return x, token

def hidden(x, *, token=os.environ["WM_TEST_SECRET"]):
    return x, token

class Keys(Enum):
    ONE = os.environ["WM_TEST_SECRET"]

class Settings(BaseModel):
    token: str = PLAIN

class Explicit(BaseModel):
    token: str = Field(default=os.environ["WM_TEST_SECRET"])

@dataclass
class Options:
    token: str = read()

class Pair(NamedTuple):
    token: str = TEXT

@dataclass(frozen=True)
class Holder:
    token: str

HOLDER = Holder(PLAIN)
MODEL = Settings(token=PLAIN)

@dataclass
class Filled:
    token: str = field(default_factory=read)

@dataclass
class Around:
    filled: Filled = field(default_factory=Filled)

class Privately(BaseModel):
    _token: str = PrivateAttr(default_factory=read)

class Afterwards(BaseModel):
    token: str = ""
    _known: bool = False
    def model_post_init(self, context):
        self.token = read()

class Validated(BaseModel):
    token: Annotated[str, AfterValidator(lambda given: read())]

@dataclass(frozen=True)
class Reading:
    n: int = 0
    def __add__(self, other):
        return self.text() + str(other.n)
    def __str__(self):
        import os as process
        return process.environ["WM_TEST_SECRET"]
    def __getitem__(self, key):
        return PLAIN
    def __bool__(self):
        return read() == ""
    def text(self):
        return read()

@dataclass
class Inheriting(Options):
    n: int = 0

class InheritingToo(Settings):
    n: int = 0

READING = Reading()
ADDED = Reading(1) + Reading(2)
SHOWN = f"{READING}"
TAKEN = [each for each in [READING]][0][1]
CHOSEN = 1 if READING else 2
FILLED = Filled()
AROUND = [Around()]
PRIVATELY = Privately()
AFTERWARDS = Afterwards()
VALIDATED = Validated(token="")

@action
async def act(x: object) -> object:
    return x

def settings() -> Settings:
    return Settings()

@action
async def injected(x: int, given: Settings = Depends(settings)) -> int:
    return x
"""
USES = {
    "a name": "return PLAIN",
    "a factory of a field": "return FILLED",
    "a factory in a factory": "return AROUND",
    "a private attribute": "return PRIVATELY",
    "what is run when it is made": "return AFTERWARDS.token",
    "a validator": "return VALIDATED.token",
    "an operator": "return ADDED",
    "a text of an object": "return SHOWN",
    "an item of an object": "return TAKEN",
    "whether an object is true": "return CHOSEN",
    "a fallback": "return FALLBACK",
    "another name": "return INDIRECT",
    "a part": "return SLICED",
    "a text": "return TEXT",
    "a container": "return HELD['token']",
    "a comprehension": "return MADE",
    "a method": "return METHOD",
    "a call": "return CALLED",
    "an object": "return HOLDER.token",
    "a model": "return MODEL",
    "an argument": "return await act(PLAIN)",
    "an f-string": "return f'{PLAIN}'",
    "a nested function": "f = lambda: PLAIN\n        return f()",
    "a default": "def f(x=PLAIN):\n            return x\n        return f()",
    "a default of a helper": "return helper(1)",
    "a keyword default of a helper": "return hidden(1)",
    "a member of an enum": "return Keys.ONE",
    "the default of a model": "return Settings()",
    "the explicit default of a model": "return Explicit(token='x')",
    "the default of a dataclass": "return Options()",
    "an inherited default of a dataclass": "return Inheriting()",
    "an inherited default of a model": "return InheritingToo()",
    "the default of a named tuple": "return Pair()",
    "the attribute of the class": "return self.token",
    "the attribute by the name of the class": "return W.token",
    "a method's default": "return self.method()",
    "the environment": "return os.environ['WM_TEST_SECRET']",
    "a policy": "return await self.run_action(act(1), retry=PLAIN)",
}
TEXTS = """
@workflow
class W(Workflow):
    token = PLAIN

    async def run(self{parameters}) -> object:
        {body}

    def method(self, token=PLAIN):
        return token
"""


def compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, body: str, parameters: str = ""
) -> Any:
    monkeypatch.setenv("WM_TEST_SECRET", SECRET)
    return workflow_of(imported(tmp_path, HEAD + TEXTS.format(body=body, parameters=parameters)))


@pytest.mark.parametrize("use", USES)
def test_what_a_module_read_from_its_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    workflow = compiled(tmp_path, monkeypatch, body=USES[use])
    with pytest.raises(UnsupportedPatternError) as caught:
        compile_workflow(workflow)
    assert SECRET not in str(caught.value)
    assert problems(workflow)


def test_what_is_not_used_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compile_workflow(compiled(tmp_path, monkeypatch, body="return await act(1)"))
    everything = found.program_bytes + encode_spans(found.spans)
    assert SECRET.encode() not in everything
    assert b"WM_TEST_SECRET" not in everything


@pytest.mark.parametrize("parameters", [", token=PLAIN", ", *, token=PLAIN", ", n=1, token=TEXT"])
def test_a_default_of_run_that_was_read_from_the_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameters: str
) -> None:
    workflow = compiled(tmp_path, monkeypatch, body="return token", parameters=parameters)
    with pytest.raises(UnsupportedPatternError) as caught:
        compile_workflow(workflow)
    assert SECRET not in str(caught.value)
    assert "WM127" in str(caught.value)
    assert "give it to start()" in str(caught.value)


def test_what_is_injected_into_an_action_is_no_part_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = compiled(tmp_path, monkeypatch, body="return await injected(1)")
    assert SECRET.encode() not in compile_workflow(workflow).program_bytes


def test_what_operators_of_values_compute_is_still_captured(tmp_path: Path) -> None:
    """Their methods see nothing but what they are given."""
    module = imported(
        tmp_path,
        """
from dataclasses import dataclass
from decimal import Decimal
from waymark import Workflow, workflow

@dataclass(frozen=True, order=True)
class Money:
    amount: Decimal
    def __add__(self, other):
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.rounded(self.amount + other.amount))
    def __str__(self):
        return f"{self.amount:.2f} EUR"
    @staticmethod
    def rounded(amount):
        return round(amount, 2)

PRICE = Money(Decimal("1.5"))
TOTAL = PRICE + Money(Decimal(2))
TEXT = f"{TOTAL}"
CHEAP = PRICE < TOTAL

@workflow
class W(Workflow):
    async def run(self) -> object:
        return TOTAL, TEXT, CHEAP
""",
    )
    assert not problems(workflow_of(module))


@pytest.mark.parametrize("made", ["Options()", "Settings()", "OPTIONS", "SETTINGS.token"])
def test_what_another_package_read_from_its_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str
) -> None:
    monkeypatch.setenv("WM_TEST_SECRET", SECRET)
    folder = tmp_path / f"elsewhere_{tmp_path.name}"
    folder.mkdir()
    (folder / "__init__.py").write_text(HEAD)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = imported(
        tmp_path,
        f"""
from {folder.name} import Options, Settings
from waymark import Workflow, workflow

OPTIONS = Options()
SETTINGS = Settings()

@workflow
class W(Workflow):
    async def run(self) -> object:
        return {made}
""",
    )
    with pytest.raises(UnsupportedPatternError) as caught:
        compile_workflow(workflow_of(module))
    assert SECRET not in str(caught.value)
