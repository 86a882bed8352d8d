"""A function's signature in, what it asks to be given out; nothing is called here."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from waymark.registry import ActionDefinition

Scope = Literal["call", "worker"]
Kind = Literal["function", "coroutine", "generator", "async generator", "class"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """What ``Depends`` leaves in a signature."""

    provider: Callable[..., Any]
    scope: Scope = "call"


def Depends(provider: Callable[..., Any], *, scope: Scope = "call") -> Any:  # noqa: N802 - the public name
    """Ask for what a provider gives, in an ``Annotated`` or as a default.

    ``provider`` is a sync or async function, generator (what stands after its ``yield`` cleans up),
    ``@contextmanager`` or ``@asynccontextmanager``, or a class. Its own parameters may ask for
    dependencies; others get the argument of the same name from the action. One provider is called once
    per call of the action, and cleaned up after it however it ends; with ``scope="worker"`` once per
    process, cleaned up when that ends. A sync provider runs where the action runs: in the event loop
    for an ``async def`` action, in its thread for a ``def`` one.

    >>> def settings() -> dict[str, str]:
    ...     return {"sender": "hello@example.org"}
    >>> async def send(to: str, settings: Annotated[dict[str, str], Depends(settings)]) -> None: ...

    Raises:
        TypeError: the provider cannot be called, or the scope is unknown.

    """
    given: object = provider
    if not callable(given):
        msg = f"Depends was given {given!r}; expected a function, generator function or class"
        raise TypeError(msg)
    if scope not in get_args(Scope):
        msg = f"Depends scope is {scope!r}; expected 'call' or 'worker'"
        raise TypeError(msg)
    return Dependency(provider, scope)


Depend = Depends


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a function needs: injected parameters, and the names and necessity of the others."""

    kind: Kind
    injected: tuple[tuple[str, Dependency], ...]
    others: tuple[tuple[str, bool], ...]
    """Name and whether it is required, of parameters that take arguments of the call."""


@lru_cache(maxsize=4096)
def wiring(function: Callable[..., Any]) -> Wiring:
    """Return what ``function`` needs; raises ``TypeError`` naming an annotation that cannot be resolved."""
    injected: list[tuple[str, Dependency]] = []
    others: list[tuple[str, bool]] = []
    for parameter in resolved_signature(function).parameters.values():
        dependency = _dependency(parameter)
        if dependency is not None:
            injected.append((parameter.name, dependency))
        elif parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            others.append((parameter.name, parameter.default is parameter.empty))
    return Wiring(_kind(function), tuple(injected), tuple(others))


def resolved_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature with annotations as objects, not text.

    Raises:
        TypeError: an annotation names what its module does not have.

    """
    try:
        return inspect.signature(function, eval_str=True)
    except NameError as error:
        where = f"{function.__module__}.{getattr(function, '__qualname__', function)}"
        msg = (
            f"an annotation of {where} cannot be resolved: {error}. Expected names that exist in its"
            " module at run time; an import under TYPE_CHECKING is not enough"
        )
        raise TypeError(msg) from error
    except ValueError:  # a class of C code that does not tell its signature takes nothing from us
        return inspect.Signature()


def may_inject(function: Callable[..., Any]) -> bool:
    """Whether some parameter asks for a dependency, or might: an annotation cannot be resolved yet."""
    try:
        return bool(wiring(function).injected)
    except TypeError:
        return True


def _dependency(parameter: inspect.Parameter) -> Dependency | None:
    if isinstance(parameter.default, Dependency):
        return parameter.default
    if get_origin(parameter.annotation) is Annotated:
        for extra in get_args(parameter.annotation)[1:]:
            if isinstance(extra, Dependency):
                return extra
    return None


def _kind(provider: Callable[..., Any]) -> Kind:
    if inspect.isclass(provider):
        return "class"
    call = provider
    if not inspect.isroutine(provider) and not hasattr(provider, "func"):
        call = type(provider).__call__
    if inspect.iscoroutinefunction(call):
        return "coroutine"
    if inspect.isgeneratorfunction(call):
        return "generator"
    if inspect.isasyncgenfunction(call):
        return "async generator"
    return "function"


def call_parameters(definition: ActionDefinition) -> list[inspect.Parameter]:
    """Return the parameters that a caller of the action passes: all but the injected ones.

    Raises:
        TypeError: an annotation cannot be resolved.

    """
    injected = {name for name, _ in wiring(definition.function).injected}
    return [p for name, p in definition.signature.parameters.items() if name not in injected]
