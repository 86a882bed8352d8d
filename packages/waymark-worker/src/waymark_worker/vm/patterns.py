"""A subject and one step of a pattern come in; whether it fits, and the parts that inner patterns look at, go out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_worker.vm.builtins import BUILTINS
from waymark_worker.vm.callables import UNBOUND
from waymark_worker.vm.calls import call_function
from waymark_worker.vm.formatting import represent
from waymark_worker.vm.iterators import EXHAUSTED
from waymark_worker.vm.linked import Step
from waymark_worker.vm.members import get_attribute, property_of
from waymark_worker.vm.names import type_name
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.refusals import UnsupportedOperation
from waymark_worker.vm.state import PUSHED, NativeFrame, push_native
from waymark_worker.vm.steps import Place, makes

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Slots = list[Any]
SEQUENCES = (list, tuple, range, deque)
"""Classes whose instances a sequence pattern may match."""
_OWN_VALUE = (
    bool, bytearray, bytes, dict, float, OrderedFrozenset, frozenset, int, list, OrderedSet, set, str, tuple,
)  # fmt: skip
"""Classes whose only positional sub-pattern is the subject itself, if they don't name others."""
_is_instance = BUILTINS["isinstance"]


@makes(ir.MatchSequence)
def _match_sequence(node: ir.MatchSequence, place: Place) -> Step:
    dst, src, count, more = node.dst, node.src, node.count, node.more

    def match_sequence(s: Slots, m: Machine) -> None:
        value = s[src]
        s[dst] = isinstance(value, SEQUENCES) and (
            len(value) >= count if more else len(value) == count
        )

    return match_sequence


@makes(ir.MatchMapping)
def _match_mapping(node: ir.MatchMapping, place: Place) -> Step:
    dst, src, count = node.dst, node.src, node.count

    def match_mapping(s: Slots, m: Machine) -> None:
        value = s[src]
        s[dst] = isinstance(value, dict) and len(value) >= count

    return match_mapping


@makes(ir.MatchKeys)
def _match_keys(node: ir.MatchKeys, place: Place) -> Step:
    dst, src, keys = node.dst, node.src, tuple(node.keys)

    def match_keys(s: Slots, m: Machine) -> None:
        s[dst] = values_of(s[src], [s[key] for key in keys])

    return match_keys


def values_of(mapping: Any, keys: list[Any]) -> tuple[Any, ...] | None:
    """Give the values of all ``keys``, or None; a key that comes twice is CPython's ValueError."""
    if not isinstance(mapping, dict):
        msg = f"the keys of a {type_name(mapping)} are asked for; no compiler writes that"
        raise TypeError(msg)
    seen: dict[Any, None] = {}
    found = []
    for key in keys:
        if key in seen:
            msg = f"mapping pattern checks duplicate key ({represent(key)})"
            raise ValueError(msg)
        seen[key] = None
        value = dict.get(mapping, key, UNBOUND)
        if value is UNBOUND:
            return None
        found.append(value)
    return tuple(found)


class Attributes(NativeFrame):
    """Collects the attributes that a class pattern asks for; some may be compiled properties."""

    __slots__ = ("found", "names", "subject")

    def __init__(self, subject: Any, names: list[str], found: list[Any]) -> None:
        self.subject = subject
        self.names = names
        self.found = found

    def resume(self, machine: Machine, value: Any) -> Any:
        """Keep what a property gave, then go on; ``EXHAUSTED`` if an attribute is missing."""
        if value is not EXHAUSTED:
            self.found.append(value)
        while len(self.found) < len(self.names):
            name = self.names[len(self.found)]
            getter = property_of(machine.linked, self.subject, name)
            if getter is not None:
                if machine.frame is not self:
                    push_native(machine, self)
                return call_function(machine, getter, [self.subject], {})
            try:
                self.found.append(get_attribute(machine, self.subject, name))
            except AttributeError:
                return EXHAUSTED
        return tuple(self.found)

    def fail(self, machine: Machine, error: BaseException) -> BaseException | None:
        """Let a property that raises ``AttributeError`` be a missing one."""
        if not isinstance(error, AttributeError):
            return error
        caller: Any = self.caller
        machine.frame = caller
        caller.next = caller.at.done
        return None


def attribute_names(
    machine: Machine, cls: Any, positional: int, named: list[str]
) -> list[str] | None:
    """Names of all attributes that a pattern of ``cls`` asks for; None: the subject itself, then ``named``.

    Raises CPython's TypeError for more positional ones than the class knows, or for one that comes twice.
    """
    known = _match_args(machine, cls) if positional else ()
    itself = known is None and issubclass(cls, _OWN_VALUE)
    allowed = 1 if itself else len(known or ())
    if allowed < positional:
        plural = "" if allowed == 1 else "s"
        msg = f"{_full_name(cls)}() accepts {allowed} positional sub-pattern{plural} ({positional} given)"
        raise TypeError(msg)
    first = [] if itself else list(known or ())[:positional]
    seen: set[str] = set()
    for name in (*first, *named):
        if not isinstance(name, str):
            msg = f"__match_args__ elements must be strings (got {type_name(name)})"
            raise TypeError(msg)
        if name in seen:
            msg = f"{_full_name(cls)}() got multiple sub-patterns for attribute {name!r}"
            raise TypeError(msg)
        seen.add(name)
    return None if itself else [*first, *named]


def _no_class(kind: Any) -> TypeError:
    """Give the error of ``case value():`` in the words of this version."""
    try:
        match None:
            case kind():
                found = "it is a class"
            case _:
                found = "it is a class"
    except TypeError as error:
        found = str(error)
    return TypeError(found)


_WRITTEN_IN_C = 1 << 8
"""Flag of types that cannot be changed: CPython's messages name those with their module."""


def _full_name(cls: type) -> str:
    if cls.__flags__ & _WRITTEN_IN_C and cls.__module__ != "builtins":
        return f"{cls.__module__}.{cls.__name__}"
    return cls.__name__


def _match_args(machine: Machine, cls: type) -> tuple[Any, ...] | None:
    why = machine.linked.uncompiled.get((cls, "__match_args__"))
    if why is not None:
        text = f"{cls.__name__}.__match_args__ was not captured: {why}"
        raise UnsupportedOperation("WM201", text, "name the attributes: `case Cls(name=pattern)`")
    for base in cls.__mro__:
        found = machine.linked.attributes.get((base, "__match_args__"), UNBOUND)
        if found is UNBOUND:
            found = vars(base).get("__match_args__", UNBOUND)
        if found is not UNBOUND:
            if not isinstance(found, tuple):
                msg = f"{_full_name(cls)}.__match_args__ must be a tuple (got {type_name(found)})"
                raise TypeError(msg)
            return found
    return None


@makes(ir.MatchClass)
def _match_class(node: ir.MatchClass, place: Place) -> Step:
    block = place.block
    block.dst, block.target, block.done = node.dst, place.target(node.body), place.target(node.done)
    dst, src, cls, positional, named = node.dst, node.src, node.cls, node.positional, node.names
    body, done = block.target, block.done

    def match_class(s: Slots, m: Machine) -> Any:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        value, kind = s[src], s[cls]
        if not isinstance(kind, type):
            raise _no_class(kind)
        if not _is_instance(m, [value, kind], {}):
            return done
        names = attribute_names(m, kind, positional, named)
        if names is None:
            found = Attributes(value, ["", *named], [value]).resume(m, EXHAUSTED)
        else:
            found = Attributes(value, names, []).resume(m, EXHAUSTED)
        if found is PUSHED:
            return None
        if found is EXHAUSTED:
            return done
        s[dst] = found
        return body

    return match_class
