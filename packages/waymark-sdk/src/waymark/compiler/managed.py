"""A host function comes in; the generator under ``@contextmanager`` or ``@asynccontextmanager``, if it is one, goes out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from types import FunctionType
from typing import Any


@dataclass(frozen=True, slots=True)
class Managed:
    """A generator function of the user's, and the decorator that makes context managers of it."""

    function: FunctionType
    maker: str
    """Name of the decorator in ``ir.language.BUILTINS``."""


def _nothing() -> Any:
    """Stand in for a generator function: only the wrapper around it is of interest."""


_MAKERS = {
    getattr(maker(_nothing), "__code__", None): f"contextlib.{maker.__name__}"
    for maker in (contextlib.contextmanager, contextlib.asynccontextmanager)
}
"""Code of the wrapper that each decorator puts around every function."""


def managed(value: object) -> Managed | None:
    """What is under the decorator, if ``value`` is a function that it made."""
    if not isinstance(value, FunctionType):
        return None
    maker = _MAKERS.get(value.__code__)
    inner = getattr(value, "__wrapped__", None)
    if maker is None or not isinstance(inner, FunctionType):
        return None
    return Managed(inner, maker)


def is_maker(decorator: object) -> bool:
    """Whether a decorator is one of the two."""
    return decorator in {contextlib.contextmanager, contextlib.asynccontextmanager}
