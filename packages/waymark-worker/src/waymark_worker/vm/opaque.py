"""A method of a model comes in; whether the class's own code has to carry it out, in a worker, goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from waymark_worker.vm.meter import METER
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.weights import children

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedProgram

_OF_CLASS = frozenset({"model_validate", "model_validate_json"})
INLINE_METHODS = _OF_CLASS | {"model_dump", "model_dump_json"}
"""Methods of models that run validators or serializers."""


def whose_code_runs(linked: LinkedProgram, receiver: Any, name: str) -> type | None:
    """The class whose own code a method needs, if the machine's class is not enough."""
    if isinstance(receiver, type):
        found = name in _OF_CLASS and receiver in linked.opaque
        return receiver if found and issubclass(receiver, BaseModel) else None
    if (
        isinstance(receiver, BaseModel)
        and name not in _OF_CLASS
        and _holds_opaque(linked, receiver)
    ):
        return type(receiver)
    return None


def _holds_opaque(linked: LinkedProgram, value: Any) -> bool:
    """Whether ``value`` or a part of it is a model that may have serializers of its own."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        METER.charge(1)
        if isinstance(part, BaseModel) and type(part) in linked.opaque:
            return True
        if not isinstance(part, str | bytes | int | float | None):
            waiting.extend(children(part))
    return False


def check_assignment(linked: LinkedProgram, value: Any, name: str) -> None:
    """Refuse an assignment that the class would validate with its own code."""
    kind = type(value)
    validated = isinstance(value, BaseModel) and kind.model_config.get("validate_assignment")
    if validated and kind in linked.opaque:
        what = (
            f"assigning to {name!r} of a {kind.__name__}, which validates it with code of its own"
        )
        raise unsupported_operation(what, "make a new object with the value in it")
