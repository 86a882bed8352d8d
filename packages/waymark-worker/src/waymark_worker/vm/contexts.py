"""Arguments of ``contextlib``'s managers come in; the records that stand for the managers go out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from waymark_worker.vm.names import register, share
from waymark_worker.vm.weights import weigh


class Suppress:
    """``contextlib.suppress(*exceptions)``."""

    __slots__ = ("exceptions",)

    def __init__(self, exceptions: tuple[Any, ...]) -> None:
        self.exceptions = exceptions

    def swallows(self, error: BaseException) -> bool:
        """Whether ``error`` ends here; raises what is left of a group of exceptions, as this CPython does."""
        # Tuples of tuples are looked through, each as often as it stands there.
        weigh(self.exceptions)
        host = contextlib.suppress(*self.exceptions)
        return bool(host.__exit__(type(error), error, None))


class NullContext:
    """``contextlib.nullcontext(enter_result)``."""

    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result


class ManagerFunction:
    """What ``@contextmanager`` makes of a function: a call of it gives a manager."""

    __slots__ = ("asynchronous", "function")

    def __init__(self, function: Any, *, asynchronous: bool) -> None:
        self.function = function
        self.asynchronous = asynchronous


class GeneratorManager:
    """A manager whose ``with`` runs a generator up to its ``yield``, then to its end."""

    __slots__ = ("entered", "generator")

    def __init__(self, generator: Any) -> None:
        self.generator = generator
        self.entered = False


class AsyncGeneratorManager(GeneratorManager):
    """The same for ``async with`` and an async generator."""

    __slots__ = ()


class Traceback:
    """Third argument of a compiled ``__exit__`` that is told of an exception: nothing can be read of it."""

    __slots__ = ()


TRACEBACK = Traceback()


def _suppress(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> Suppress:
    contextlib.suppress(*args, **keywords)  # raises CPython's own TypeError
    return Suppress(tuple(args))


def _nullcontext(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> NullContext:
    return NullContext(contextlib.nullcontext(*args, **keywords).enter_result)


def _contextmanager(func: Any) -> ManagerFunction:
    return ManagerFunction(func, asynchronous=False)


def _asynccontextmanager(func: Any) -> ManagerFunction:
    return ManagerFunction(func, asynchronous=True)


for _each in (_contextmanager, _asynccontextmanager):
    _each.__name__ = _each.__qualname__ = _each.__name__.removeprefix("_")


def _decorator(
    make: Callable[[Any], ManagerFunction],
) -> Callable[[Any, list[Any], dict[str, Any]], ManagerFunction]:
    return lambda _ctx, args, keywords: make(*args, **keywords)


FUNCTIONS: dict[str, Callable[[Any, list[Any], dict[str, Any]], Any]] = {
    "contextlib.suppress": _suppress,
    "contextlib.nullcontext": _nullcontext,
    "contextlib.contextmanager": _decorator(_contextmanager),
    "contextlib.asynccontextmanager": _decorator(_asynccontextmanager),
}
"""What carries out a call of each name."""

register(Suppress, "suppress")
register(NullContext, "nullcontext")
register(ManagerFunction, "function", callable=True)
share(ManagerFunction)
register(GeneratorManager, "_GeneratorContextManager")
register(AsyncGeneratorManager, "_AsyncGeneratorContextManager")
register(Traceback, "traceback")
