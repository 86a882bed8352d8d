"""An action and what it shall do instead in; the outcome of each of its attempts out."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from waymark.executor.arguments import Plan
from waymark.wiring import Wiring
from waymark_schema.errors import WaymarkError

NOTHING: Any = object()
_NO_WIRING = Wiring("coroutine", (), ())


class Stub:
    """What an action does instead, until it is removed; also a context manager that removes it."""

    def __init__(
        self,
        key: str,
        remove: Callable[[Stub], None],
        *,
        returns: Any = NOTHING,
        raises: BaseException | type[BaseException] | None = None,
        side_effect: Callable[..., Any] | Iterable[Any] | None = None,
        takes: float | timedelta = 0.0,
    ) -> None:
        given = [returns is not NOTHING, raises is not None, side_effect is not None]
        if sum(given) > 1:
            msg = f"the stub of {key!r} takes one of returns, raises and side_effect, not several"
            raise TypeError(msg)
        self.key = key
        self.takes = takes.total_seconds() if isinstance(takes, timedelta) else float(takes)
        """Seconds of virtual time that each attempt takes."""
        self.arguments: list[dict[str, Any]] = []
        """Of each attempt, by parameter name, in the types that the action asks for."""
        self._remove = remove
        self._returns = None if returns is NOTHING else returns
        self._raises = raises
        self._function, self._outcomes = _split(key, side_effect)

    @property
    def attempts(self) -> int:
        """How many attempts it has served."""
        return len(self.arguments)

    def remove(self) -> None:
        """Let the action do its own work again."""
        self._remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def plan(self, real: Plan) -> Plan:
        """Return how to call this instead: arguments are checked and coerced as those of the action."""
        signature = real.definition.signature
        injected = {name for name, _ in real.wiring.injected}
        passed = [p for p in signature.parameters.values() if p.name not in injected]
        visible = signature.replace(parameters=passed)

        async def perform(**arguments: Any) -> Any:
            self.arguments.append(arguments)
            return await self._perform(visible, arguments)

        definition = dataclasses.replace(real.definition, function=perform, is_async=True)
        return dataclasses.replace(
            real, definition=definition, function=perform, wiring=_NO_WIRING, by_name=True
        )

    async def _perform(self, signature: inspect.Signature, arguments: dict[str, Any]) -> Any:
        if self._function is not None:
            bound: Any = inspect.BoundArguments(signature, arguments)
            value = self._function(*bound.args, **bound.kwargs)
            return await value if inspect.isawaitable(value) else value
        if self._raises is not None:
            raise self._raises
        if self._outcomes is None:
            return self._returns
        value = next(self._outcomes, NOTHING)
        if value is NOTHING:
            msg = f"the stub of {self.key!r} has no outcome left for attempt {self.attempts}; give it more"
            raise WaymarkError(msg)
        if isinstance(value, BaseException) or _is_exception_class(value):
            raise value
        return value


def _split(
    key: str, side_effect: Callable[..., Any] | Iterable[Any] | None
) -> tuple[Callable[..., Any] | None, Iterator[Any] | None]:
    if side_effect is None:
        return None, None
    if callable(side_effect):
        return side_effect, None
    try:
        return None, iter(side_effect)
    except TypeError:
        msg = f"side_effect of the stub of {key!r} is {side_effect!r}; expected a function or several outcomes"
        raise TypeError(msg) from None


def _is_exception_class(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)
