"""A class in, the name that it has on the wire out; and whether a text is such a name."""

from __future__ import annotations

import re
from typing import Any, get_origin

from waymark_schema.importable import importable_module

_LONGEST = 1000
_MODULE = re.compile(r"[\w.]+:")
_SHAPE = re.compile(
    r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):"
    r"(?P<path>[^\W\d]\w*(?:\.(?:<locals>|[^\W\d]\w*))*)"
    r"(?P<arguments>\[[\w .,:|\[\]<>'\"-]*\])?"
)


def qualified_name(cls: type) -> str:
    """``module:Qual.Name``, with the importable name of a program that runs as ``__main__``.

    A parametrised generic model is called after its origin, its arguments in brackets.
    """
    generic = getattr(cls, "__pydantic_generic_metadata__", None)
    if generic and generic["origin"] is not None:
        arguments = ", ".join(map(_argument, generic["args"]))
        return f"{qualified_name(generic['origin'])}[{arguments}]"
    return f"{module_of(cls)}:{cls.__qualname__}"


def module_of(cls: type) -> str:
    """The module of a class as every other process imports it; of a class that we made, as it was named."""
    if "__waymark_stand_in__" in vars(cls) or "__waymark_shadow__" in vars(cls):
        return cls.__module__
    return importable_module(cls.__module__) or cls.__module__


def _argument(argument: Any) -> str:
    if isinstance(argument, type) and get_origin(argument) is None:
        return argument.__name__ if argument.__module__ == "builtins" else qualified_name(argument)
    return repr(argument)


def plain_name(qualname: str) -> str:
    """The class's own name, as its ``__name__`` has it."""
    path = qualname.partition(":")[2]
    head, bracket, arguments = path.partition("[")
    return head.rpartition(".")[2] + bracket + _MODULE.sub("", arguments)


def is_qualified_name(text: str) -> bool:
    """Whether ``text`` has the shape of ``module:Qual.Name`` (with arguments, for a generic model)."""
    return len(text) <= _LONGEST and _SHAPE.fullmatch(text) is not None
