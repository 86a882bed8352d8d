"""Values and exceptions of either side come in; plain data that can be compared goes out."""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(slots=True)
class Observation:
    """What one run of a workflow shows: its ending, the calls it made, in order, and what it printed."""

    ending: str = "unfinished"
    """``returned``, ``raised``, ``cancelled`` or ``ended`` (a limit, or an unsupported operation)."""
    value: Any = None
    """Normal form of the result or of the exception."""
    trace: list[tuple[str, Any]] = field(default_factory=list)
    """Name and arguments of every logical call, in the order in which they started."""
    printed: str = ""


def normal(value: Any) -> Any:
    """Reduce a value to plain data: exact types by name, sets without an order, floats by their text."""
    kind = type(value)
    if kind in {int, str, bytes, bool, type(None)}:
        return value
    if kind in {list, tuple, deque}:
        return [kind.__name__, *map(normal, value)]
    if kind in {set, frozenset}:
        return [kind.__name__, *sorted((normal(item) for item in value), key=repr)]
    if kind in {dict, OrderedDict, Counter, defaultdict}:
        return [kind.__name__, *([normal(key), normal(item)] for key, item in value.items())]
    if isinstance(value, BaseException):
        return fault(value)
    return _object(value, kind)


def _object(value: Any, kind: type) -> Any:
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, enum.Enum):
        return [name, value.name]
    if isinstance(value, BaseModel):
        extra = value.__pydantic_extra__ or {}
        return [name, normal({**vars(value), **extra}), sorted(value.model_fields_set)]
    if dataclasses.is_dataclass(value):
        return [
            name,
            *([each.name, normal(getattr(value, each.name))] for each in dataclasses.fields(value)),
        ]
    if isinstance(value, tuple):
        return [name, *map(normal, value)]
    return [name, repr(value)]


def fault(error: BaseException, depth: int = 4) -> Any:
    """Reduce an exception: type, text, arguments, attributes, notes and what stands behind it."""
    kind = type(error)
    attributes = {name: held for name, held in vars(error).items() if not name.startswith("__")}
    shown: dict[str, Any] = {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "text": str(error),
        "args": normal(error.args),
        "attributes": normal(attributes),
        "notes": list(getattr(error, "__notes__", ())),
    }
    if depth:
        for name in ("__cause__", "__context__"):
            behind = getattr(error, name)
            if behind is not None and not (name == "__context__" and error.__suppress_context__):
                shown[name] = fault(behind, depth - 1)
    return shown
