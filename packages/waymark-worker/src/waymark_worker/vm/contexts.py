"""Arguments of ``contextlib``'s managers come in; the records that stand for the managers go out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from waymark_worker.vm.names import register


class Suppress:
    """``contextlib.suppress(*exceptions)``."""

    __slots__ = ("exceptions",)

    def __init__(self, exceptions: tuple[Any, ...]) -> None:
        self.exceptions = exceptions

    def swallows(self, error: BaseException) -> bool:
        """Whether ``error`` ends here; raises what is left of a group of exceptions, as this CPython does."""
        host = contextlib.suppress(*self.exceptions)
        return bool(host.__exit__(type(error), error, None))


class NullContext:
    """``contextlib.nullcontext(enter_result)``."""

    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result


class Traceback:
    """Third argument of a compiled ``__exit__`` that is told of an exception: nothing can be read of it."""

    __slots__ = ()


TRACEBACK = Traceback()


def _suppress(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> Suppress:
    contextlib.suppress(*args, **keywords)  # raises CPython's own TypeError
    return Suppress(tuple(args))


def _nullcontext(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> NullContext:
    return NullContext(contextlib.nullcontext(*args, **keywords).enter_result)


FUNCTIONS: dict[str, Callable[[Any, list[Any], dict[str, Any]], Any]] = {
    "contextlib.suppress": _suppress,
    "contextlib.nullcontext": _nullcontext,
}
"""What carries out a call of each name."""

register(Suppress, "suppress")
register(NullContext, "nullcontext")
register(Traceback, "traceback")
