"""Bytes from anywhere go in; a program whose every number and name is sound, or one error, comes out.

What passes here can be linked without another look: slots and blocks are in range, every slot is bound
before it is read, iterators, cells and completion slots hold nothing else, names belong to the language.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from waymark_schema.errors import WaymarkError
from waymark_schema.ir.digest import decode
from waymark_schema.ir.instructions import NONE
from waymark_schema.ir.language import BUILTINS
from waymark_schema.ir.program import (
    FORMAT,
    SEMANTICS,
    ActionConstant,
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
from waymark_schema.ir.wellformed_blocks import Malformed, check_blocks, expect
from waymark_schema.values.descriptors import KINDS

MAX_PROGRAM_BYTES = 16 * 1024 * 1024
MAX_FUNCTIONS = 10_000
MAX_SLOTS = 65_535
MAX_PARAMETERS = 1_000
MAX_ANNOTATION_DEPTH = 32

FUNCTION_KINDS = frozenset({"sync", "async", "generator", "async_generator"})
PARAMETER_KINDS = ("positional_only", "positional", "var_positional", "keyword_only", "var_keyword")


class MalformedProgram(WaymarkError, ValueError):
    """These bytes are not a program that any compiler of this version writes."""


class ProgramTooNew(MalformedProgram):
    """The program was compiled by a newer Waymark than the one that reads it."""


def load(program_bytes: bytes) -> Program:
    """Read a program and check it.

    Raises:
        MalformedProgram: it is not one, or a number or name in it is out of range.
        ProgramTooNew: its format or semantics is newer than this code.
    """
    if len(program_bytes) > MAX_PROGRAM_BYTES:
        msg = f"a program of {len(program_bytes)} bytes; at most {MAX_PROGRAM_BYTES} are read"
        raise MalformedProgram(msg)
    try:
        program = decode(program_bytes)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _unreadable(program_bytes, error) from error
    check(program)
    return program


def _unreadable(program_bytes: bytes, error: Exception) -> MalformedProgram:
    """Tell a newer format from garbage: its first number can be read whatever follows."""
    try:
        head = msgspec.msgpack.decode(program_bytes)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError):
        head = None
    if isinstance(head, list) and len(head) > 1 and isinstance(head[0], int) and head[0] > FORMAT:
        return _too_new("format", head[0], FORMAT)
    return MalformedProgram(f"these bytes are not a program: {error}")


def _too_new(what: str, found: int, known: int) -> ProgramTooNew:
    return ProgramTooNew(
        f"the program has {what} {found}, this version of Waymark knows {known}; upgrade this process"
    )


def check(program: Program) -> None:
    """Check a program that was read; raises as ``load`` does."""
    for what, found, known in (
        ("format", program.format, FORMAT),
        ("semantics", program.semantics, SEMANTICS),
    ):
        if found > known:
            raise _too_new(what, found, known)
    try:
        _check(program)
    except Malformed as problem:
        msg = f"program {program.workflow!r:.100} is malformed: {problem}"
        raise MalformedProgram(msg) from None


def _check(program: Program) -> None:
    expect(min(program.format, program.semantics) >= 1, "an unknown format or semantics")
    expect(0 < len(program.functions) <= MAX_FUNCTIONS, "no function, or too many")
    _check_shallow(program.returns)
    for constant in program.constants:
        _check_constant(program, constant)
    for action in program.actions:
        expect(":" in action.key, f"action key {action.key!r:.100} is not module:name")
        _check_parameters(action.parameters, f"action {action.key!r:.100}")
    for entry in program.types:
        _check_type(program, entry)
    for number, function in enumerate(program.functions):
        try:
            _check_function(program, function)
        except Malformed as problem:
            msg = f"function {number} ({function.qualname!r:.100}): {problem}"
            raise Malformed(msg) from None
    run = program.functions[0]
    expect(run.kind == "async" and bool(run.parameters), "function 0 is not a run() with self")


def _check_shallow(annotation: object) -> None:
    """Refuse annotations nested deeper than the grammar allows; what they say is checked by who uses them."""
    waiting = [(annotation, 0)]
    while waiting:
        part, depth = waiting.pop()
        expect(depth <= MAX_ANNOTATION_DEPTH, "an annotation is nested too deep")
        if isinstance(part, list | tuple):
            waiting += [(inner, depth + 1) for inner in part]


def _check_constant(program: Program, constant: Constant) -> None:
    match constant:
        case ValueConstant(wire=wire):
            expect(bool(wire), "an empty constant")
        case FunctionConstant(function=number):
            expect(0 <= number < len(program.functions), f"constant of function {number}")
        case BuiltinConstant(name=name):
            expect(name in BUILTINS, f"builtin {name!r:.100} is not in the language")
        case ActionConstant(action=number):
            expect(0 <= number < len(program.actions), f"constant of action {number}")
        case TypeConstant(entry=number):
            expect(0 <= number < len(program.types), f"constant of type {number}")


def _check_type(program: Program, entry: TypeEntry) -> None:
    name = f"type {entry.descriptor.qualname!r:.100}"
    expect(entry.descriptor.kind in KINDS, f"{name} is of an unknown kind")
    for field in entry.descriptor.fields:
        _check_shallow(field.annotation)
    numbers = [
        *entry.methods.values(),
        *entry.static_methods.values(),
        *entry.class_methods.values(),
        *entry.properties.values(),
    ]
    if entry.constructor != NONE:
        numbers.append(entry.constructor)
    expect(_within(numbers, len(program.functions)), f"{name} has a method without function")


def _within(numbers: Iterable[int], limit: int) -> bool:
    return all(0 <= number < limit for number in numbers)


def _check_parameters(parameters: list[Parameter], name: str) -> None:
    expect(len(parameters) <= MAX_PARAMETERS, f"{name} has {len(parameters)} parameters")
    expect(
        len({one.name for one in parameters}) == len(parameters),
        f"{name} has two parameters of one name",
    )
    ranks = []
    for one in parameters:
        expect(one.kind in PARAMETER_KINDS, f"{name} has a parameter of kind {one.kind!r:.100}")
        ranks.append(PARAMETER_KINDS.index(one.kind))
    variadic = {PARAMETER_KINDS.index("var_positional"), PARAMETER_KINDS.index("var_keyword")}
    expect(
        all(low < high or (low == high and low not in variadic) for low, high in pairwise(ranks)),
        f"{name} has its parameters in an impossible order",
    )


def _check_function(program: Program, function: Function) -> None:
    expect(function.kind in FUNCTION_KINDS, f"kind {function.kind!r:.100}")
    _check_parameters(function.parameters, "it")
    expect(0 <= function.slots <= MAX_SLOTS, f"{function.slots} slots")
    expect(len(function.names) <= function.slots, "more names than slots")
    expect(len(function.parameters) <= len(function.names), "parameters without names")
    for parameter in function.parameters:
        if parameter.default != NONE:
            expect(
                _within([parameter.default], len(program.constants))
                and isinstance(program.constants[parameter.default], ValueConstant),
                f"default of {parameter.name!r:.100} is no constant value",
            )
    preloaded = [slot for slot, _ in function.constants]
    taken = [*range(len(function.parameters)), *preloaded, *function.cells]
    expect(_within(taken, function.slots), "a constant or cell outside the frame")
    expect(len(set(taken)) == len(taken), "a slot that is constant, cell or parameter at once")
    expect(
        _within((number for _, number in function.constants), len(program.constants)),
        "a constant that the program lacks",
    )
    check_blocks(program, function)
