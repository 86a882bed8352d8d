"""A program goes in; text that people and golden tests read, the same for the same program, comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from waymark_schema.ir import instructions as ins
from waymark_schema.ir.flow import Operation
from waymark_schema.ir.instructions import NONE
from waymark_schema.ir.program import (
    ActionConstant,
    ActionEntry,
    Block,
    BuiltinConstant,
    Constant,
    Function,
    FunctionConstant,
    Parameter,
    Program,
    TypeConstant,
    TypeEntry,
    ValueConstant,
)
from waymark_schema.values.codec import Codec
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.records import RecordBinding

_codec = Codec(RecordBinding())
_BLOCKS = ("target", "then", "otherwise", "body", "done", "returning")


def text(program: Program) -> str:
    """Return the whole program as text, one line for each instruction.

    Spans are not part of it, so a comment or a moved line does not change it.
    """
    return "\n".join(_lines(program)) + "\n"


def _lines(program: Program) -> Iterator[str]:
    yield f"program {program.workflow} format {program.format} semantics {program.semantics}"
    yield f"returns {_annotation(program.returns)}"
    for number, action in enumerate(program.actions):
        yield f"action {number} {_action(action)}"
    for number, entry in enumerate(program.types):
        yield f"type {number} {_type(entry)}"
    for number, wire in enumerate(program.globals):
        yield f"global {number} {_value(wire)}"
    for name, wire in program.attributes.items():
        yield f"attribute {name} {_value(wire)}"
    for number, function in enumerate(program.functions):
        yield ""
        yield from _function(program, number, function)


def _annotation(form: Any) -> str:
    if isinstance(form, list | tuple) and form:
        head, *rest = form
        return f"{head}[{', '.join(map(_annotation, rest))}]"
    return str(form)


def _action(action: ActionEntry) -> str:
    shown = [f"{_starred(one)}{'' if one.default == NONE else '?'}" for one in action.parameters]
    policy = "" if action.policy is None else f" {action.policy}"
    return f"{action.key}({', '.join(shown)}){policy}"


def _starred(parameter: Parameter) -> str:
    stars = {"var_positional": "*", "var_keyword": "**"}.get(parameter.kind, "")
    return f"{stars}{parameter.name}"


def _type(entry: TypeEntry) -> str:
    descriptor = entry.descriptor
    parts = [descriptor.qualname, descriptor.kind, f"({', '.join(descriptor.bases)})"]
    parts += [field.name for field in descriptor.fields]
    parts += [name for name, _ in descriptor.members]
    if descriptor.opaque:
        parts.append("opaque")
    for what in ("methods", "static_methods", "class_methods", "properties"):
        for name, number in getattr(entry, what).items():
            parts.append(f"{what}.{name}=f{number}")
    if entry.constructor != NONE:
        parts.append(f"constructor=f{entry.constructor}")
    parts += [f"{name}={_value(wire)}" for name, wire in entry.attributes.items()]
    parts += [
        f"{member}.{name}={_value(wire)}"
        for member, own in entry.member_attributes.items()
        for name, wire in own.items()
    ]
    parts += [f"without.{name}" for name in entry.uncompiled]
    return " ".join(parts)


def _value(wire: bytes) -> str:
    try:
        return repr(_codec.decode(wire))
    except MalformedValue:
        return f"0x{wire.hex()}"


def _constant(program: Program, constant: Constant) -> str:
    match constant:
        case ValueConstant(wire=wire):
            return _value(wire)
        case FunctionConstant(function=number):
            return f"f{number}"
        case BuiltinConstant(name=name):
            return name
        case ActionConstant(action=number):
            return f"@{program.actions[number].name}"
        case TypeConstant(entry=number):
            return program.types[number].descriptor.qualname


def _function(program: Program, number: int, function: Function) -> Iterator[str]:
    names = _slot_names(program, function)
    parameters = []
    for one in function.parameters:
        default = ""
        if one.default != NONE:
            default = f"={_constant(program, program.constants[one.default])}"
        parameters.append(_starred(one) + default)
    yield f"f{number} {function.kind} {function.qualname}({', '.join(parameters)})"
    if function.cells:
        yield f"  cells {', '.join(names[slot] for slot in function.cells)}"
    for at, block in enumerate(function.blocks):
        yield _heading(at, block, names)
        for operation in (*block.instructions, block.terminator):
            yield f"    {_operation(operation, names)}"


def _heading(at: int, block: Block, names: list[str]) -> str:
    handler = "" if block.handler == NONE else f" handler b{block.handler}"
    handling = "" if block.handling == NONE else f" handling {names[block.handling]}"
    return f"  b{at}{handler}{handling}"


def _slot_names(program: Program, function: Function) -> list[str]:
    names = [f"%{slot}" for slot in range(function.slots)]
    for slot, name in enumerate(function.names):
        twice = function.names.count(name) > 1
        names[slot] = f"{name}.{slot}" if twice else name
    for slot, constant in function.constants:
        names[slot] = _constant(program, program.constants[constant])
    return names


def _operation(operation: Operation, names: list[str]) -> str:
    shown = [str(operation.__struct_config__.tag)]
    slots = {*operation.reads, *operation.writes}
    for name, default in zip(operation.__struct_fields__, _defaults(operation), strict=True):
        value = getattr(operation, name)
        if value == default or (value == NONE and name in slots):
            continue
        shown.append(f"{name}={_field(operation, name, value, names)}")
    return " ".join(shown)


def _defaults(operation: Operation) -> list[Any]:
    given = operation.__struct_defaults__
    factories = [one.factory() if hasattr(one, "factory") else one for one in given]
    missing = object()
    required: list[Any] = [missing] * (len(operation.__struct_fields__) - len(given))
    return [*required, *factories]


def _field(operation: Operation, name: str, value: Any, names: list[str]) -> str:
    if name in {*operation.reads, *operation.writes}:
        if isinstance(value, list):
            return f"[{', '.join(names[slot] for slot in value)}]"
        return str(names[value])
    if name in _BLOCKS and not isinstance(operation, ins.Complete):
        return f"b{value}"
    if name == "jumps":
        return f"[{', '.join(f'b{block}' for block in value)}]"
    if name == "function":
        return f"f{value}"
    return str(value)
