"""Bytes of a stored program come in; its linked form, checked and remembered by digest, goes out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec

from waymark_schema.ir import instructions as ir
from waymark_schema.ir import program as stored
from waymark_schema.ir.digest import decode_spans
from waymark_schema.ir.library import ANSWERS
from waymark_schema.ir.policies import NO_POLICY
from waymark_schema.ir.wellformed import MalformedProgram, load
from waymark_schema.values.codec import Codec
from waymark_worker.vm import (
    async_iteration,
    builtins,
    generator_managers,
    generators,
    managers,
    patterns,
    steps_calls,
    steps_control,
    steps_groups,
    steps_operators,
    steps_values,
)
from waymark_worker.vm.binding import binder
from waymark_worker.vm.callables import Action, FunctionValue
from waymark_worker.vm.hosted import host_specials, inherit_texts, specials
from waymark_worker.vm.limits import bounds
from waymark_worker.vm.linked import LinkedBlock, LinkedFunction, LinkedProgram
from waymark_worker.vm.members import refuse_special, special_names
from waymark_worker.vm.steps import MAKERS, Place
from waymark_worker.vm.types import ShadowTypes

_KEPT = 256
"""Programs that stay linked; the one used longest ago goes first."""
_linked: OrderedDict[tuple[bytes, int], LinkedProgram] = OrderedDict()
ROOMS = (
    async_iteration,
    generator_managers,
    generators,
    managers,
    patterns,
    steps_calls,
    steps_control,
    steps_groups,
    steps_operators,
    steps_values,
)
"""Imported for the makers that they register."""

__all__ = ["LinkedProgram", "link", "link_program"]


def link(program_bytes: bytes, digest: bytes, *, spans: bytes = b"") -> LinkedProgram:
    """Link a stored program, or give the linked form that ``digest`` has already.

    ``spans`` (as a worker reports them) put line numbers into tracebacks. Raises ``MalformedProgram`` for bytes that are no well-formed program.
    """
    key = (digest, bounds().value_bytes)
    known = _linked.get(key)
    if known is not None:
        _linked.move_to_end(key)
        _add_spans(known, spans)
        return known
    made = link_program(load(program_bytes), digest)
    _add_spans(made, spans)
    _linked[key] = made
    if len(_linked) > _KEPT:
        _linked.popitem(last=False)
    return made


def _add_spans(linked: LinkedProgram, spans: bytes) -> None:
    if not spans or linked.spans is not None:
        return
    try:
        linked.spans = decode_spans(spans)
    except msgspec.DecodeError:
        return  # they are for people: a program without line numbers runs as well


def link_program(program: stored.Program, digest: bytes) -> LinkedProgram:
    """Link a program that has been checked."""
    types = ShadowTypes([entry.descriptor for entry in program.types])
    special = special_names(program.types)
    hosted = specials(program.types) or any(entry.member_attributes for entry in program.types)
    if special or hosted:
        # Classes that refuse what others of the same descriptor may do, or that do it with code of this
        # program, are this program's own.
        types.flavour = f"machine without {special}"
    if hosted:
        types.flavour = f"machine of {digest.hex()}"
    codec = Codec(types, known=types.known, max_bytes=bounds().value_bytes)
    linked = LinkedProgram(program, digest, types, codec)
    linked.functions = [
        LinkedFunction(number, each) for number, each in enumerate(program.functions)
    ]
    linked.actions = [_action(number, entry) for number, entry in enumerate(program.actions)]
    linked.classes = [types.class_of(entry.descriptor) for entry in program.types]
    _add_member_attributes(linked)
    linked.constants = [_constant(linked, each) for each in program.constants]
    linked.numbered = {
        id(value): number
        for number, value in enumerate(linked.constants)
        if not isinstance(value, int | type | None) and not _is_single(value)
    }
    _add_members(linked, special)
    for function, each in zip(linked.functions, program.functions, strict=True):
        _fill_function(linked, function, each)
    return linked


def _is_single(value: Any) -> bool:
    """Whether the host keeps one object of it, constant or not: a text of one character at most."""
    return isinstance(value, str | bytes) and len(value) <= 1


def _action(number: int, entry: stored.ActionEntry) -> Action:
    optional = [index for index, each in enumerate(entry.parameters) if each.default >= 0]
    simple = not optional and all(
        each.kind in {"positional", "positional_only"} for each in entry.parameters
    )
    return Action(
        number,
        key=entry.key,
        name=entry.name,
        names=tuple(each.name for each in entry.parameters),
        bind=binder(entry.name, entry.name, entry.parameters, optional),
        policy=entry.policy or NO_POLICY,
        simple=simple,
    )


def _constant(linked: LinkedProgram, constant: stored.Constant) -> Any:
    match constant:
        case stored.ValueConstant(wire=wire):
            return linked.value(wire)
        case stored.FunctionConstant(function=number):
            return FunctionValue(linked.functions[number])
        case stored.BuiltinConstant(name=name):
            return builtins.value(name)
        case stored.ActionConstant(action=number):
            return linked.actions[number]
        case stored.TypeConstant(entry=number):
            return linked.classes[number]


def _add_members(linked: LinkedProgram, special: list[tuple[str, str]]) -> None:
    """Note how compiled members are reached, inherited ones too: the nearest class that says so wins."""
    own: dict[type, dict[str, tuple[str, FunctionValue]]] = {}
    for cls, entry in zip(linked.classes, linked.program.types, strict=True):
        own[cls] = {
            name: (how, FunctionValue(linked.functions[number]))
            for name, how, number in _members(entry)
        }
        if entry.descriptor.opaque:
            linked.opaque.add(cls)
        _add_attributes(linked, cls, entry)
        host_specials(cls, entry.descriptor, own[cls])
        _refuse(linked, cls, entry, special)
    for cls, entry in zip(linked.classes, linked.program.types, strict=True):
        for base in reversed(cls.__mro__):
            for name, member in own.get(base, {}).items():
                if base is cls or not _ends_here(member[0], name, entry):
                    linked.members[cls, name] = member
    for cls, entry in zip(linked.classes, linked.program.types, strict=True):
        if entry.descriptor.options.get("own_init") and "__init__" not in own[cls]:
            linked.opaque.add(cls)
        inherit_texts(cls, linked, own[cls])


def _add_attributes(linked: LinkedProgram, cls: type, entry: stored.TypeEntry) -> None:
    for name, wire in entry.attributes.items():
        value = linked.value(wire)
        if name != ANSWERS:
            linked.attributes[cls, name] = value
        elif isinstance(value, tuple):
            linked.abstract[cls] = frozenset(each for each in value if isinstance(each, str))


def _ends_here(how: str, name: str, entry: stored.TypeEntry) -> bool:
    """Whether a class does not have what its base has: a property's setter that it leaves out, a property that it hides."""
    if how in {"setter", "deleter"}:
        return True
    hidden = name in entry.attributes or any(
        field.name == name for field in entry.descriptor.fields
    )
    return how in {"property", "cached"} and hidden


def _add_member_attributes(linked: LinkedProgram) -> None:
    for cls, entry in zip(linked.classes, linked.program.types, strict=True):
        members = getattr(cls, "__members__", {})
        for member, own in entry.member_attributes.items():
            for name, wire in own.items():
                members[member].__dict__[name] = linked.codec.decode(wire)


def _refuse(
    linked: LinkedProgram, cls: type, entry: stored.TypeEntry, special: list[tuple[str, str]]
) -> None:
    for name, why in entry.uncompiled.items():
        linked.uncompiled[cls, name] = why
        if (entry.descriptor.qualname, name) in special:
            refuse_special(cls, name, why)


_PARTS_OF_PROPERTIES = frozenset({"setter", "deleter", "cached"})


def _members(entry: stored.TypeEntry) -> Iterator[tuple[str, str, int]]:
    for how, table in (
        ("method", entry.methods),
        ("static", entry.static_methods),
        ("class", entry.class_methods),
        ("property", entry.properties),
    ):
        for name, number in table.items():
            own, _, kind = name.rpartition(".")
            if how == "property" and kind in _PARTS_OF_PROPERTIES and own:
                yield own if kind == "cached" else name, kind, number
            else:
                yield name, how, number
    if entry.constructor >= 0:
        yield "__init__", "init", entry.constructor


def _check_defaults(function: LinkedFunction) -> None:
    """Parameters with a default come after those without: the host's own functions have no other form."""
    given = [function.parameters[index].default >= 0 for index in function.positional]
    if given != sorted(given):
        msg = f"function {function.qualname!r} has a required parameter behind an optional one"
        raise MalformedProgram(msg)


_CALLING = (ir.Access, ir.Call, ir.MakeFunction, ir.Send, ir.Throw)


def _waits(function: stored.Function, constants: dict[int, Any]) -> bool:
    """Whether a function might reach a class's own code: it calls something, or loops over what is in a loop."""
    nodes = [node for block in function.blocks for node in (*block.instructions, block.terminator)]
    calls = any(isinstance(node, _CALLING) for node in nodes)
    loops = sum(isinstance(node, ir.Next) for node in nodes)
    return calls or loops > 1 or any(isinstance(each, FunctionValue) for each in constants.values())


def _fill_function(linked: LinkedProgram, function: LinkedFunction, each: stored.Function) -> None:
    constants: dict[int, Any] = {}
    for slot, number in each.constants:
        constants[slot] = function.template[slot] = linked.constants[number]
    _check_defaults(function)
    function.defaults = {
        index: linked.constants[parameter.default]
        for index, parameter in enumerate(each.parameters)
        if parameter.default >= 0
    }
    function.waits = _waits(each, constants)
    function.blocks = [
        LinkedBlock(function, index, block.cost, block.handling)
        for index, block in enumerate(each.blocks)
    ]
    function.entry = function.blocks[0]
    for made, block in zip(function.blocks, each.blocks, strict=True):
        made.handler = None if block.handler < 0 else function.blocks[block.handler]
        place = Place(linked, function, made, constants)
        made.code = tuple(
            MAKERS[type(node)](node, place) for node in (*block.instructions, block.terminator)
        )
