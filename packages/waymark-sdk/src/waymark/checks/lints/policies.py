"""A function in; retries that may hang for ever (WM303) and policies that cannot be read (WM304) out."""

from __future__ import annotations

import ast
import datetime as dt
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from waymark.checks.lints.reading import Reading
from waymark.compiler import members
from waymark.compiler.source import SourceChanged, SourceMissing
from waymark.compiler.symbols import Builtin, Captured, Constant, Kind
from waymark.registry import ActionDefinition
from waymark_schema.ir.policies import Backoff, RetryPolicy, stored_policy

HANGS = "WM303"
_LIMITED = (
    "add `timeout=seconds`, the time that one attempt may take; it ends the call, unless `exception_types`"
    ' names "ActionTimeout", as in [Exception, "ActionTimeout"]'
)
UNREADABLE = "WM304"
_MAKERS: dict[str, Any] = {
    "waymark.RetryPolicy": RetryPolicy,
    "waymark.Backoff": Backoff,
    "waymark.BackoffPolicy": Backoff,
    "datetime.timedelta": dt.timedelta,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_PLAIN = (int, float, str, type(None), dt.timedelta, RetryPolicy, Backoff)
_LIBRARIES = ("site-packages", "dist-packages")


class _Unknown(Exception):
    """The value is known at run time only."""


@dataclass(frozen=True, slots=True)
class _Faulty(Exception):
    """Making the value fails."""

    error: Exception


def check(reading: Reading) -> None:
    """Read every policy of a function; look at the policies of the actions that it calls without one."""
    given = set()
    for node in reading.nodes(ast.Call):
        assert isinstance(node, ast.Call)
        if reading.is_framework(node, "run_action") and node.args:
            given.add(node.args[0])
            _run_action(reading, node)
    for node in reading.nodes(ast.Call):
        definition = reading.action(node)
        if definition is not None and node not in given:
            _decorated(reading, definition)


def _run_action(reading: Reading, node: ast.Call) -> None:
    definition = reading.action(node.args[0])
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    read: dict[str, Any] = {}
    for name in ("retry", "timeout", "backoff"):
        if name not in named:
            continue
        try:
            read[name] = _read(reading, named[name])
            stored_policy(**{name: read[name]})
        except _Unknown:
            _unreadable(reading, name, named[name])
            return
        except (_Faulty, TypeError, ValueError) as error:
            _faulty(
                reading, name, named[name], error.error if isinstance(error, _Faulty) else error
            )
            return
    policy = definition.policy if definition is not None else None
    if read.get("timeout") is not None or (policy is not None and policy.timeout):
        return
    if read.get("retry") is None and read.get("backoff") is None:
        if definition is not None:
            _decorated(reading, definition)
        return
    if stored_policy(**read).attempts > 1:
        place = named.get("retry", named.get("backoff"))
        assert place is not None
        _hangs(reading, place, "this call")


def _hangs(reading: Reading, place: ast.expr, what: str) -> None:
    reading.warn(
        HANGS,
        place,
        f"{what} is retried but has no timeout: an attempt that never answers keeps the run waiting for ever",
        _LIMITED,
    )


def _unreadable(reading: Reading, name: str, node: ast.expr) -> None:
    reading.warn(
        UNREADABLE,
        node,
        f"`{name}={ast.unparse(node)}` is known at run time only, so nothing can say before whether it is sound",
        "write the policy here, or bind it once at module level: `POLICY = RetryPolicy(attempts=5)`",
    )


def _faulty(reading: Reading, name: str, node: ast.expr, error: Exception) -> None:
    reading.warn(
        UNREADABLE,
        node,
        f"`{name}` cannot be read: {type(error).__name__}: {error}",
        f"give `{name}` a value that makes sense; as it is, the call fails whenever it is reached",
    )


def _decorated(reading: Reading, definition: ActionDefinition) -> None:
    """Warn once, at the decorator, about an action that is retried without a timeout."""
    policy = definition.policy
    if policy is None or policy.attempts <= 1 or policy.timeout:
        return
    try:
        node, file = reading.reader.function(definition.function)  # type: ignore[arg-type]  # a def, as @action checks
    except (SourceMissing, SourceChanged):
        return
    if any(part in file.text.filename for part in _LIBRARIES):
        return
    for place in _policies(node.decorator_list):
        reading.reporter.report(
            HANGS,
            place,
            file.text,
            f"action `{definition.name}` is retried but has no timeout: an attempt that never answers"
            " keeps the run waiting for ever",
            _LIMITED,
        )


def _policies(decorators: list[ast.expr]) -> Iterator[ast.expr]:
    for decorator in decorators:
        if isinstance(decorator, ast.Call):
            found = {one.arg: one.value for one in decorator.keywords}
            place = found.get("retry", found.get("backoff"))
            if place is not None:
                yield place


def _read(reading: Reading, node: ast.expr) -> Any:
    """Value of an expression that means the same in every run; raises ``_Unknown`` or ``_Faulty``."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _computed(lambda: -_read(reading, operand))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            compute = _ARITHMETIC[type(op)]
            return _computed(lambda: compute(_read(reading, left), _read(reading, right)))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_read(reading, item) for item in items]
        case ast.Call():
            return _made(reading, node)
        case ast.Name() | ast.Attribute():
            return _named(reading, node)
        case _:
            raise _Unknown


def _made(reading: Reading, node: ast.Call) -> Any:
    maker = _MAKERS.get(reading.builtin(node) or "")
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if maker is None or len(named) < len(node.keywords):
        raise _Unknown
    args = [_read(reading, one) for one in node.args]
    keywords = {name: _read(reading, value) for name, value in named.items()}
    return _computed(lambda: maker(*args, **keywords))


def _named(reading: Reading, node: ast.expr) -> Any:
    match reading.symbol(node):
        case Builtin(value=value) | Constant(value=value) | Captured(value=value):
            return _plain(value)
        case Kind(cls=cls) if issubclass(cls, BaseException):
            return cls
    found = reading.member(node)
    if isinstance(found, members.Attribute):
        return _plain(found.value)
    raise _Unknown


def _plain(value: Any) -> Any:
    if isinstance(value, _PLAIN) or (isinstance(value, type) and issubclass(value, BaseException)):
        return value
    raise _Unknown


def _computed(make: Any) -> Any:
    try:
        return make()
    except (_Unknown, _Faulty):
        raise
    except Exception as error:
        raise _Faulty(error) from error
