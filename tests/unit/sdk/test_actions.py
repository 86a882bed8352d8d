"""Functions under @action in; definitions, keys and refusals out."""

import functools
import importlib
import inspect
import sys
import types
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest

from waymark.actions import action, call_parameters, call_with
from waymark.dependencies import Depends
from waymark.registry import ActionDefinition, registry
from waymark_schema.ir.policies import Backoff, RetryPolicy


@pytest.fixture(autouse=True)
def forget_new() -> Iterator[None]:
    before = set(registry.names())
    yield
    for key in set(registry.names()) - before:
        registry.discard(key)


def definition(function: Any) -> ActionDefinition:
    found: ActionDefinition = function.__waymark_action__
    return found


def test_an_action_without_dependencies_is_the_function_itself() -> None:
    async def double(x: int) -> int:
        return 2 * x

    assert action(double) is double
    known = definition(double)
    assert known.key == f"{__name__}:double"
    assert known.is_async
    assert known.policy is None
    assert registry.get(known.key) is known


def test_name_and_policies_are_taken_from_the_decorator() -> None:
    @action(
        name="renamed",
        retry=RetryPolicy(attempts=3, exception_types=[OSError]),
        backoff=Backoff(base=1, factor=2),
        timeout=timedelta(minutes=2),
    )
    def work() -> None: ...

    known = definition(work)
    assert known.key == f"{__name__}:renamed"
    assert not known.is_async
    assert known.policy is not None
    assert (known.policy.attempts, known.policy.timeout, known.policy.factor) == (3, 120.0, 2.0)
    assert known.policy.exception_types == ("OSError",)


async def test_a_direct_call_resolves_dependencies() -> None:
    opened = []

    def connection() -> Iterator[str]:
        opened.append("open")
        yield "db"
        opened.append("close")

    @action
    async def fetch(key: str, db: Annotated[str, Depends(connection)]) -> str:
        return f"{db}:{key}"

    @action
    def fetch_sync(key: str, db: str = Depends(connection)) -> str:
        return f"{db}:{key}"

    assert await fetch("a") == "db:a"  # type: ignore[call-arg] # injected
    assert fetch_sync(key="b") == "db:b"
    assert opened == ["open", "close"] * 2
    assert await fetch("a", "mine") == "mine:a"
    assert [p.name for p in call_parameters(definition(fetch))] == ["key"]


async def test_a_direct_call_with_wrong_arguments_fails_as_python_does() -> None:
    @action
    async def fetch(key: str, db: str = Depends(lambda: "db")) -> str:
        return key + db

    with pytest.raises(TypeError, match="unexpected keyword argument 'kee'"):
        await fetch(kee="a")  # type: ignore[call-arg] # wrong on purpose
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'key'"):
        await fetch()  # type: ignore[call-arg] # wrong on purpose


def test_another_function_under_a_taken_key_is_refused() -> None:
    @action(name="taken")
    def first() -> None: ...

    with pytest.raises(ValueError, match=r"already defined by .*first.*found another: .*second"):

        @action(name="taken")
        def second() -> None: ...


def test_a_second_function_of_the_same_name_in_a_module_is_refused(tmp_path: Path) -> None:
    source = "from waymark.actions import action\n@action\ndef f(): ...\n@action\ndef f(): ...\n"
    with pytest.raises(ValueError, match="already defined"):
        imported(tmp_path, "twice_defined", source)


def imported(directory: Path, name: str, source: str) -> types.ModuleType:
    (directory / f"{name}.py").write_text(source)
    sys.path.insert(0, str(directory))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(directory))


def test_reloading_and_importing_again_replace_the_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "from waymark.actions import action\n@action\ndef f(): return 1\n"
    module = imported(tmp_path, "reloaded_actions", source)
    first = registry.get("reloaded_actions:f")
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "reloaded_actions.py").write_text("\n\n" + source)
    importlib.reload(module)
    second = registry.get("reloaded_actions:f")
    assert second is not None
    assert second is not first
    monkeypatch.delitem(sys.modules, "reloaded_actions")
    importlib.import_module("reloaded_actions")
    assert registry.get("reloaded_actions:f") is not second


def test_a_definition_that_is_executed_again_is_the_same_one() -> None:
    for _ in range(2):

        @action
        def local() -> None: ...


class Callable:
    def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Callable(), "expected a function"),
        (7, "expected a function"),
        (functools.partial(print), "expected a function"),
        (staticmethod(len), "expected it below"),
    ],
)
def test_what_is_not_a_function_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        action(wrong)


def test_generators_are_refused() -> None:
    def many() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="Return a list"):
        action(many)


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        ({"timeout": 0}, ValueError),
        ({"timeout": "soon"}, TypeError),
        ({"retry": 3}, TypeError),
        ({"backoff": 1}, TypeError),
        ({"name": ""}, TypeError),
        ({"name": 5}, TypeError),
    ],
)
def test_policies_are_checked_at_decoration(policy: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        action(**policy)(lambda: None)


def test_arguments_by_name_reach_parameters_of_every_kind() -> None:
    def every(a: Any, b: Any = 2, /, c: Any = 3, *rest: Any, d: Any, **more: Any) -> Any:
        return a, b, c, rest, d, more

    signature = inspect.signature(every)
    assert call_with(every, signature, {"a": 1, "d": 4}) == (1, 2, 3, (), 4, {})
    given = {"a": 1, "b": 0, "c": 0, "rest": [8, 9], "d": 4, "more": {"x": 1}}
    assert call_with(every, signature, given) == (1, 0, 0, (8, 9), 4, {"x": 1})
    with pytest.raises(TypeError, match="missing"):
        call_with(every, signature, {"d": 1})
