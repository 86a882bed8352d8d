"""The qualified name of a durable class and arguments in, an object made by its own code out."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
from typing import Any

from pydantic import BaseModel

from waymark.coercion.imports import parametrised
from waymark.executor.grafting import grafted
from waymark.registry import ActionDefinition, Place
from waymark_schema.values.parts import Path

KEY = "waymark:construct"


METHODS = frozenset({"model_validate", "model_validate_json", "model_dump", "model_dump_json"})
"""What else of a class's own code may run: methods of pydantic that call validators or serializers."""
REPLACE = "replace"
"""As a method: ``dataclasses.replace``."""


async def construct(
    type: str,  # noqa: A002 - the key in the arguments
    args: list[Any],
    kwargs: dict[str, Any],
    method: str = "",
    *,
    graft: bool = False,
    same: list[list[Path]] | None = None,
) -> object:
    """Make one object of a class whose construction needs its own code (validators, ``__post_init__``).

    ``method`` names a method of pydantic to call in place of the class, or is ``replace`` for that of dataclasses;
    an object comes as its first argument. With ``graft`` the outcome says where arguments are in it.
    ``same`` are places of arguments at which stands what is at another place, too.

    Raises:
        TypeError: ``type`` does not name a class whose objects can be kept durably, or ``method`` nothing
            that may be called; nothing is called.

    """
    call = _callable(type, method)
    if graft:
        return grafted(args, kwargs, same or [], lambda: call(*args, **kwargs))
    return call(*args, **kwargs)


def _callable(qualname: str, method: str) -> Any:
    cls = _durable_class(qualname)
    if not method:
        return cls
    if method == REPLACE and dataclasses.is_dataclass(cls):
        return dataclasses.replace
    if method not in METHODS or not issubclass(cls, BaseModel):
        msg = f"method {method!r} of {qualname!r}; expected one of {sorted(METHODS)} of a model"
        raise TypeError(msg)
    return getattr(cls, method)


def _durable_class(qualname: str) -> Any:
    module, _, path = qualname.partition(":")
    found: Any = importlib.import_module(module)
    path, bracket, _ = path.partition("[")
    for name in path.split("."):
        found = getattr(found, name)
    if bracket:
        # Whoever compiled the workflow has made the parametrised class, and a worker has.
        found = parametrised(found, qualname)
    if isinstance(found, type) and (
        issubclass(found, BaseModel | enum.Enum | BaseException)
        or dataclasses.is_dataclass(found)
        or (issubclass(found, tuple) and hasattr(found, "_fields"))
    ):
        return found
    msg = f"{qualname!r} is {found!r}; expected a model, dataclass, named tuple, enum or exception class"
    raise TypeError(msg)


CONSTRUCT = ActionDefinition(
    key=KEY,
    name="construct",
    module="waymark",
    function=construct,
    signature=inspect.signature(construct),
    policy=None,
    is_async=True,
    place=Place("waymark", "construct", __file__, 0),
)
