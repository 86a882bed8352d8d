"""A compiled program goes in; one that no compiler writes, sound in its bytes and with a digest of its own, comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from waymark_schema.ir import instructions as ins
from waymark_schema.ir.digest import decode
from waymark_schema.ir.program import BuiltinConstant, Program, ValueConstant
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding

BODY = """
kept = [1]
parts = (len(text), text.casefold(), type(kept).copy(kept), callable(text))
if text:
    parts += ("{0.real}".format(3), len(text).real.imag)
return parts
"""
"""What the tampered programs are made of: the body of a ``run`` that takes a ``text``."""
_RANGE = 9_999
_wire = Codec(RecordBinding())


@dataclass(frozen=True, slots=True)
class Tampering:
    """One change of a program, and what ends it: ``refused`` before it runs, or a code while it does."""

    name: str
    change: Callable[[Program], Program]
    says: str
    refused: bool = False

    def __call__(self, stored: bytes) -> bytes:
        changed = msgspec.msgpack.encode(self.change(decode(stored)))
        assert changed != stored, f"nothing of the program is what {self.name!r} changes"
        return changed


def _nodes(change: Callable[[Any], Any]) -> Callable[[Program], Program]:
    """Give every instruction and terminator to ``change``."""

    def apply(program: Program) -> Program:
        functions = []
        for function in program.functions:
            blocks = [
                msgspec.structs.replace(
                    block,
                    instructions=[change(node) for node in block.instructions],
                    terminator=change(block.terminator),
                )
                for block in function.blocks
            ]
            functions.append(msgspec.structs.replace(function, blocks=blocks))
        return msgspec.structs.replace(program, functions=functions)

    return apply


def _constants(change: Callable[[Any], Any]) -> Callable[[Program], Program]:
    def apply(program: Program) -> Program:
        return msgspec.structs.replace(program, constants=[*map(change, program.constants)])

    return apply


def _named(**names: str) -> Callable[[Program], Program]:
    """Other names of attributes and methods."""

    def change(node: Any) -> Any:
        known = isinstance(node, ins.CallMethod | ins.LoadMethod | ins.GetAttr | ins.Access)
        if known and node.name in names:
            return msgspec.structs.replace(node, name=names[node.name])
        return node

    return _nodes(change)


def _texts(old: str, new: str) -> Callable[[Program], Program]:
    def change(constant: Any) -> Any:
        if isinstance(constant, ValueConstant) and constant.wire == _wire.encode(old):
            return ValueConstant(_wire.encode(new))
        return constant

    return _constants(change)


def _builtins(old: str, new: str) -> Callable[[Program], Program]:
    def change(constant: Any) -> Any:
        return BuiltinConstant(new) if constant == BuiltinConstant(old) else constant

    return _constants(change)


def _jumps(node: Any) -> Any:
    if isinstance(node, ins.Branch):
        return msgspec.structs.replace(node, then=_RANGE)
    return node


def _slots(node: Any) -> Any:
    if isinstance(node, ins.GetAttr):
        return msgspec.structs.replace(node, obj=_RANGE)
    return node


ALL = (
    Tampering("bases of a class", _named(real="__class__", imag="__mro__"), "WM201"),
    Tampering("globals of a method", _named(casefold="__init__", real="__globals__"), "WM2"),
    Tampering("subclasses of a class", _named(copy="__subclasses__"), "WM201"),
    Tampering("classes by way of a format", _texts("{0.real}", "{0.__class__.__mro__}"), "WM2"),
    Tampering(
        "functions by way of a format", _texts("{0.real}", "{0.__init__.__globals__[os]}"), "WM2"
    ),
    Tampering("a builtin that is none", _builtins("callable", "eval"), "'eval' is not", refused=True),
    Tampering("a jump out of range", _nodes(_jumps), str(_RANGE), refused=True),
    Tampering("a slot out of range", _nodes(_slots), str(_RANGE), refused=True),
)  # fmt: skip
