"""A record of the language's asyncio and a name come in; the method as a value, or the attribute, goes out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from waymark_schema.ir.program import Parameter
from waymark_worker.vm.binding import binder
from waymark_worker.vm.callables import UNBOUND
from waymark_worker.vm.invoking import RESOLVERS, Implementation
from waymark_worker.vm.names import RECORDS, public_name, register, type_name
from waymark_worker.vm.refusals import unsupported_method, unsupported_operation

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

_KINDS: dict[Any, str] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional_only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword_only",
}


class Signature:
    """What carries out a call of a name: ``function(machine, …)``, its arguments bound as CPython binds them."""

    __slots__ = ("_bind", "_function", "_names")

    def __init__(self, name: str, qualname: str, function: Callable[..., Any]) -> None:
        _, *parameters = inspect.signature(function).parameters.values()
        kept = [Parameter(each.name, _KINDS[each.kind]) for each in parameters]
        optional = {
            index
            for index, each in enumerate(parameters)
            if each.default is not inspect.Parameter.empty
        }
        self._bind = binder(name, qualname, kept, optional)
        self._function = function
        self._names = [each.name for each in parameters]

    def call(self, machine: Machine, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Call it; raises CPython's TypeError for arguments that do not fit."""
        bound = zip(self._names, self._bind(*args, **keywords), strict=True)
        given = {name: value for name, value in bound if value is not UNBOUND}
        return self._function(machine, **given)


class RecordMethod:
    """A method of a record, looked up but not called yet."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Any, name: str) -> None:
        self.receiver = receiver
        self.name = name

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not RecordMethod:
            return NotImplemented
        return self.receiver is other.receiver and self.name == other.name

    __hash__ = None  # type: ignore[assignment] # CPython hashes the receiver's address


METHODS: dict[type, dict[str, Signature]] = {}
"""Methods of each kind of record."""
ATTRIBUTES: dict[type, dict[str, Callable[[Any], Any]]] = {}
"""Attributes and properties of each kind of record."""
FUNCTIONS: dict[str, Implementation] = {}
"""Functions and classes that make records, by their name in ``ir.language``."""

_F = TypeVar("_F", bound=Callable[..., Any])


def method(*kinds: type, name: str = "") -> Callable[[_F], _F]:
    """Make ``function(machine, self, …)`` a method of records of ``kinds``."""

    def keep(function: _F) -> _F:
        known_as = name or function.__name__.removeprefix("_")
        for kind in kinds:
            signature = Signature(known_as, f"{public_name(kind)}.{known_as}", function)
            METHODS.setdefault(kind, {})[known_as] = signature
        return function

    return keep


def asyncio_function(name: str) -> Callable[[_F], _F]:
    """Make ``function(machine, …)`` what carries out ``asyncio.name()``."""

    def keep(function: _F) -> _F:
        signature = Signature(name, name, function)

        def run(machine: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
            if machine is None:
                raise unsupported_operation(f"asyncio.{name} as a key function", "write a loop")
            return signature.call(machine, args, keywords)

        FUNCTIONS[f"asyncio.{name}"] = run
        return function

    return keep


def asyncio_class(name: str, owner: str = "") -> Callable[[_F], _F]:
    """As ``asyncio_function``, where CPython has a class: its messages speak of ``__init__`` and count ``self``."""

    def keep(function: _F) -> _F:
        label = f"{owner or name}.__init__"

        def construct(machine: Any, itself: None, *args: Any, **keywords: Any) -> Any:
            return function(machine, *args, **keywords)

        construct.__signature__ = _with_self(function)  # type: ignore[attr-defined] # read by inspect
        signature = Signature("__init__", label, construct)

        def run(machine: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
            if machine is None:
                raise unsupported_operation(f"asyncio.{name} as a key function", "write a loop")
            return signature.call(machine, [None, *args], keywords)

        FUNCTIONS[f"asyncio.{name}"] = run
        return function

    return keep


def _with_self(function: Callable[..., Any]) -> inspect.Signature:
    machine, *parameters = inspect.signature(function).parameters.values()
    itself = inspect.Parameter("itself", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Signature([machine, itself, *parameters])


def call_record_method(
    machine: Machine, callee: Any, args: list[Any], keywords: dict[str, Any]
) -> Any:
    """Call what was looked up before."""
    if callee.__class__ is not RecordMethod:
        msg = f"{type_name(callee)!r} object is not callable"
        raise TypeError(msg)
    signature = METHODS[callee.receiver.__class__][callee.name]
    return signature.call(machine, [callee.receiver, *args], keywords)


def _of_method(callee: RecordMethod) -> Implementation:
    def run(machine: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        if machine is None:
            raise unsupported_operation(f"{callee.name}() as a key function", "write a loop")
        return call_record_method(machine, callee, args, keywords)

    return run


HOSTS: dict[type, type] = {}
"""CPython's own class for each kind of record, to know what names it has."""


def get_record_attribute(value: Any, name: str) -> Any:
    """Give ``value.name``; raises CPython's AttributeError, or a refusal if CPython has the name."""
    kind = value.__class__
    if name in METHODS[kind]:
        return RecordMethod(value, name)
    reader = ATTRIBUTES.get(kind, {}).get(name)
    if reader is not None:
        return reader(value)
    if name.startswith("_") or hasattr(HOSTS[kind], name):
        raise unsupported_method(public_name(kind), name)
    raise AttributeError(f"{RECORDS[kind]!r} object has no attribute {name!r}", name=name)


RESOLVERS[RecordMethod] = _of_method
register(RecordMethod, "method", callable=True)
