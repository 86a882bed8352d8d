"""The qualified name of a durable class and arguments in, an object made by its own code out."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
from typing import Any

from pydantic import BaseModel

from waymark.registry import ActionDefinition, Place

KEY = "waymark:construct"


async def construct(type: str, args: list[Any], kwargs: dict[str, Any]) -> object:  # noqa: A002 - the key in the arguments
    """Make one object of a class whose construction needs its own code (validators, ``__post_init__``).

    Raises:
        TypeError: ``type`` does not name a class whose objects can be kept durably; nothing is called.

    """
    return _durable_class(type)(*args, **kwargs)


def _durable_class(qualname: str) -> Any:
    module, _, path = qualname.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
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
