"""A function in, the same function registered as an action out."""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from waymark.dependencies import provide_dependencies, provide_dependencies_sync
from waymark.registry import ActionDefinition, importable_place, place_of, registry
from waymark.wiring import call_parameters, may_inject
from waymark_schema.ir.policies import NO_POLICY, Backoff, RetryPolicy, stored_policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

__all__ = ["DEFINITION", "action", "call_parameters", "call_with"]

P = ParamSpec("P")
R = TypeVar("R")

DEFINITION = "__waymark_action__"
"""Attribute of a decorated function that holds its ``ActionDefinition``."""


@overload
def action(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def action(
    *,
    name: str | None = None,
    retry: RetryPolicy | None = None,
    timeout: float | timedelta | None = None,
    backoff: Backoff | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def action(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry: RetryPolicy | None = None,
    timeout: float | timedelta | None = None,
    backoff: Backoff | None = None,
) -> Any:
    """Make an ``async def`` or ``def`` function the distributed work of workflows.

    Awaited in a workflow it runs in a worker process, a ``def`` one in a thread of it; called from
    anywhere else it is the ordinary function it was, with its dependencies resolved. Its key is
    ``module:name``. ``retry``, ``backoff`` and ``timeout`` (of one attempt; seconds or a timedelta)
    hold wherever ``self.run_action`` does not say otherwise; without them it is tried once.

    >>> @action(retry=RetryPolicy(attempts=3, backoff_seconds=2), timeout=30)
    ... async def charge(order: str, cents: int) -> str:
    ...     return f"{order}: {cents}"

    Raises:
        TypeError: it is not a function, a policy is not one, or it stands in ``__main__`` where no
            worker can import it.
        ValueError: another function has its key, or a policy's numbers make no sense.

    """
    policy = None
    if retry is not None or timeout is not None or backoff is not None:
        policy = stored_policy(retry=retry, timeout=timeout, backoff=backoff)
    _check_name(name)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        _check(function)
        module = importable_place(function, kind="action")
        definition = ActionDefinition(
            key=f"{module}:{name or function.__qualname__.rpartition('<locals>.')[2]}",
            name=name or function.__name__,
            module=module,
            function=function,
            signature=inspect.signature(function),
            policy=None if policy == NO_POLICY else policy,
            is_async=inspect.iscoroutinefunction(function),
            place=place_of(function, module=module, line=function.__code__.co_firstlineno),
        )
        registry.add(definition)
        visible = _injecting(definition) if may_inject(function) else function
        setattr(visible, DEFINITION, definition)
        return visible

    if function is None:
        return decorate
    return decorate(function)


def _check_name(name: object) -> None:
    if name is not None and not (isinstance(name, str) and name.strip()):
        msg = f"@action name is {name!r}; expected a text that is not empty"
        raise TypeError(msg)


def _check(function: object) -> None:
    if isinstance(function, staticmethod | classmethod):
        msg = f"@action stands above @{type(function).__name__}; expected it below, next to the function"
        raise TypeError(msg)
    if not inspect.isfunction(function):
        msg = (
            f"@action was given {function!r}; expected a function: write @action or @action(name=…)"
        )
        raise TypeError(msg)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        msg = (
            f"@action {function.__qualname__!r} is a generator; expected a function that returns one"
            " value. Return a list, or let the workflow call it once for each part"
        )
        raise TypeError(msg)
    if hasattr(function, DEFINITION):
        msg = f"@action stands twice above {function.__qualname__!r}; expected once"
        raise TypeError(msg)


def _injecting(definition: ActionDefinition) -> Callable[..., Any]:
    function = definition.function

    def bound(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        return definition.signature.bind_partial(*args, **kwargs).arguments

    if definition.is_async:

        @functools.wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            async with provide_dependencies(function, bound(args, kwargs)) as arguments:
                return await call_with(function, definition.signature, arguments)

        return call

    @functools.wraps(function)
    def call_sync(*args: Any, **kwargs: Any) -> Any:
        with provide_dependencies_sync(function, bound(args, kwargs)) as arguments:
            return call_with(function, definition.signature, arguments)

    return call_sync


def call_with(
    function: Callable[..., Any], signature: inspect.Signature, arguments: dict[str, Any]
) -> Any:
    """Call ``function`` with arguments by parameter name, whatever the parameters' kinds.

    ``*args`` is under its own name as a sequence, ``**kwargs`` under its own name as a dict.
    """
    given = OrderedDict(
        (name, arguments[name]) for name in signature.parameters if name in arguments
    )
    bound = inspect.BoundArguments(signature, given)
    bound.apply_defaults()
    return function(*bound.args, **bound.kwargs)
