"""A value that cannot be kept in, what to do about it out, in words."""

from __future__ import annotations

import types
from typing import Any

from waymark_schema.failures import SerializationError

_PATH_PARTS = 24
_SPLIT = "keep it in files or an object store and pass its key"
_ONE_RUN = "make it in run(), or inside the action that uses it: it belongs to one of them"
_AWAIT = "await it, and keep what it gives"
_BY_NAME = "pass its name, and look it up inside the action"
_AS_LIST = "pass list(...) of it"
_RECORDS = {
    "re.Pattern": "pass the pattern as text",
    "re.Match": "pass the pattern as text",
    **dict.fromkeys(("function", "method", "builtin_function_or_method"), _BY_NAME),
    **dict.fromkeys(("generator", "async_generator"), _AS_LIST),
    **dict.fromkeys(("_asyncio.Task", "_asyncio.Future", "_GatheringFuture"), _AWAIT),
    **dict.fromkeys(
        "Lock Event Condition Semaphore Queue PriorityQueue LifoQueue TaskGroup Timeout".split(),
        _ONE_RUN,
    ),
}
"""What the machine has in place of functions, generators and asyncio's classes; they bear their names, in no module of their own."""
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("_thread", "create it inside the action that uses it"),
    ("threading", "create it inside the action that uses it"),
    ("asyncio", _ONE_RUN),
    ("_asyncio", _AWAIT),
    ("socket", "open it inside the action that uses it"),
    ("_io", "pass the path, and open it inside the action"),
    ("sqlalchemy", "pass the key of the row, or a pydantic model of it"),
    ("django", "pass the key of the row, or a pydantic model of it"),
    ("numpy", "pass value.item() or value.tolist(), or keep the array in a file"),
    ("pandas", "keep it in a file and pass the path, or pass value.to_dict()"),
    ("re", "pass the pattern as text"),
)


def for_type(value: Any) -> str:
    """What to do about a value of a type that cannot be kept."""
    kind = type(value)
    if isinstance(value, types.CoroutineType) or kind.__qualname__ == "coroutine":
        return "put `await` in front of the call that made it"
    if isinstance(value, types.GeneratorType | types.AsyncGeneratorType):
        return _AS_LIST
    if isinstance(value, types.FunctionType | types.MethodType | types.BuiltinFunctionType | type):
        return _BY_NAME
    for native in (str, bytes, int, float, list, dict, set, tuple):
        if isinstance(value, native):
            return f"pass {native.__name__}(value), which leaves the subclass {kind.__qualname__} behind"
    root = kind.__module__.partition(".")[0]
    known = dict(_FAMILIES).get(root)
    if root == "builtins":
        known = _RECORDS.get(kind.__qualname__)
    return known or (
        "make it a pydantic model, a dataclass or an enum at the top level of a module, "
        "or pass the plain values that it is made of"
    )


def error(path: str, value: Any, *, problem: str, advice: str) -> SerializationError:
    """The error of a value at ``path``."""
    kind = type(value)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    what = problem or f"{name} cannot be kept as a durable value"
    return SerializationError(f"{path}: {what}; {advice}", path=path, type_name=name)


class Misfit(Exception):
    """Something in a value cannot be kept: on its way out it collects the path, then becomes the error."""

    def __init__(self, value: Any, problem: str, advice_text: str) -> None:
        self.value = value
        self.problem = problem
        self.advice = advice_text
        self.path: list[str] = []

    def explained(self, root: str) -> SerializationError:
        path = [root, *reversed(self.path)]
        if len(path) > _PATH_PARTS:
            path[_PATH_PARTS // 2 : -_PATH_PARTS // 2] = ["…"]
        return error("".join(path), self.value, problem=self.problem, advice=self.advice)


def depth(limit: int) -> tuple[str, str]:
    """Problem and advice of a value that is nested too deeply or holds itself."""
    return (
        f"the value is nested deeper than {limit} levels, or contains itself",
        "flatten it, or refer to the parts by key",
    )


def size(limit: int) -> tuple[str, str]:
    """Problem and advice of a value that grows past the limit while it is written."""
    return f"the value is larger than {limit} bytes (WAYMARK_MAX_VALUE_BYTES)", _SPLIT


def too_deep(path: str, value: Any, limit: int) -> SerializationError:
    """A value whose nesting exhausts the stack."""
    problem, advice = depth(limit)
    return error(path, value, problem=problem, advice=advice)


def too_big(path: str, value: Any, found: int, limit: int) -> SerializationError:
    """A value whose wire form is larger than allowed."""
    problem = f"the value takes {found} bytes; at most {limit} are kept (WAYMARK_MAX_VALUE_BYTES)"
    return error(path, value, problem=problem, advice=_SPLIT)
