"""Decoded arguments of a call in, keyword arguments of their annotated types out."""

from __future__ import annotations

import inspect
import types
from dataclasses import dataclass
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from waymark.coercion import coerce
from waymark.wiring import resolved_signature, wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from waymark.registry import ActionDefinition
    from waymark.wiring import Wiring

# Values of exactly these types already have the annotated type: nothing is inside them.
_EXACT: dict[Any, frozenset[type]] = {
    int: frozenset({int}),
    float: frozenset({float, int}),
    str: frozenset({str}),
    bool: frozenset({bool}),
    bytes: frozenset({bytes}),
    None: frozenset({type(None)}),
    type(None): frozenset({type(None)}),
    list: frozenset({list}),
    dict: frozenset({dict}),
    set: frozenset({set}),
    tuple: frozenset({tuple}),
}
_NOTHING: frozenset[type] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """How to call one action, worked out once."""

    definition: ActionDefinition
    function: Callable[..., Any]
    wiring: Wiring
    annotations: Mapping[str, Any]
    """Annotation of every parameter that a call may pass; ``Any`` where there is none."""
    exact: Mapping[str, frozenset[type]]
    """Exact types whose values need no coercion; of all parameters that have any."""
    unchecked: frozenset[str]
    by_name: bool
    """Whether every parameter can be passed by name."""

    def arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments in their annotated types; unknown names raise what Python raises."""
        exact = self.exact
        for name, value in given.items():
            if type(value) not in exact.get(name, _NOTHING):
                return self._coerced(given)
        return given

    def _coerced(self, given: dict[str, Any]) -> dict[str, Any]:
        coerced = {}
        for name, value in given.items():
            if name in self.unchecked:
                coerced[name] = value
                continue
            if name not in self.annotations:
                msg = f"{self.definition.name}() got an unexpected keyword argument {name!r}"
                raise TypeError(msg)
            if type(value) in self.exact.get(name, _NOTHING):
                coerced[name] = value
            else:
                coerced[name] = coerce(value, self.annotations[name], path=name)
        return coerced


def plan_of(definition: ActionDefinition) -> Plan:
    """Work out how to call an action.

    Raises:
        TypeError: one of its annotations cannot be resolved.

    """
    function = definition.function
    needs = wiring(function)
    parameters = resolved_signature(function).parameters
    injected = {name for name, _ in needs.injected}
    annotations = {p.name: _annotation(p) for p in parameters.values() if p.name not in injected}
    exact = {name: types for name, note in annotations.items() if (types := exact_types(note))}
    by_name = all(p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in parameters.values())
    return Plan(
        definition=definition,
        function=function,
        wiring=needs,
        annotations=annotations,
        exact=exact,
        unchecked=frozenset(name for name, note in annotations.items() if note is Any),
        by_name=by_name,
    )


def _annotation(parameter: inspect.Parameter) -> Any:
    note = Any if parameter.annotation is parameter.empty else parameter.annotation
    if note is Any:
        return Any
    if parameter.kind is parameter.VAR_POSITIONAL:
        return GenericAlias(tuple, (note, ...))
    if parameter.kind is parameter.VAR_KEYWORD:
        return GenericAlias(dict, (str, note))
    return note


def exact_types(annotation: Any) -> frozenset[type]:
    """Return the exact types whose every value has this annotation; none when it takes a closer look.

    >>> sorted(t.__name__ for t in exact_types(int | None))
    ['NoneType', 'int']
    """
    if get_origin(annotation) in (Union, types.UnionType):
        members = [exact_types(member) for member in get_args(annotation)]
        return frozenset().union(*members) if all(members) else _NOTHING
    try:
        return _EXACT.get(annotation, _NOTHING)
    except TypeError:  # an annotation that cannot be hashed is not one of ours
        return _NOTHING
