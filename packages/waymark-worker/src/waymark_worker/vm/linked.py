"""The linked form of a program: blocks of closures, frame templates, constants as values. Never stored."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.binding import binder
from waymark_worker.vm.callables import UNBOUND, FunctionValue

if TYPE_CHECKING:
    from waymark_schema.ir.program import Function, Program, Spans
    from waymark_schema.values.codec import Codec
    from waymark_worker.vm.callables import Action
    from waymark_worker.vm.machine import Machine
    from waymark_worker.vm.types import ShadowTypes

Step = Callable[[list[Any], "Machine"], Any]
"""One instruction: slots and machine in. A block's last one returns the next block, or None if ``machine.frame`` changed."""


class LinkedBlock:
    """One block. ``dst`` and ``target`` say where the value goes that a suspended terminator waits for."""

    __slots__ = (
        "after", "code", "cost", "done", "dst", "function", "handler", "handling", "index", "raises", "reraises",
        "returns", "start", "target",
    )  # fmt: skip

    def __init__(self, function: LinkedFunction, index: int, cost: int, handling: int) -> None:
        self.function = function
        self.index = index
        self.cost = cost
        self.handling = handling
        self.code: tuple[Step, ...] = ()
        self.handler: LinkedBlock | None = None
        self.dst = -1
        self.target: LinkedBlock = self
        self.done: LinkedBlock = self
        """Of a ``next``: where to go when the iterator is exhausted."""
        self.returns = False
        """Whether ``dst`` then takes what the iterator returned."""
        self.reraises: Step | None = None
        """The terminator, if it propagates an exception as it is."""
        self.raises: Step | None = None
        """The terminator, if it raises an exception of the program's own."""
        self.start = 0
        """Number of its first instruction in the stored block of which it is the rest."""
        self.after: dict[Step, LinkedBlock] = {}
        """Its rest behind each instruction that has waited for a call."""

    def rest(self, step: Step, dst: int) -> LinkedBlock:
        """Give what is left of it behind ``step``, whose value goes to ``dst``, as a block to go on with."""
        found = self.after.get(step)
        if found is None:
            found = self.after[step] = LinkedBlock(self.function, self.index, 1, self.handling)
            done = self.code.index(step) + 1
            found.code, found.start = self.code[done:], self.start + done
            found.handler, found.dst = self.handler, dst
            found.reraises, found.raises = self.reraises, self.raises
        return found


class LinkedFunction:
    """One function: what a new frame is copied from, and its entry block."""

    __slots__ = (
        "binders", "blocks", "cells", "defaults", "entry", "kept", "kind", "name", "number", "parameters",
        "positional", "qualname", "simple", "template", "waits",
    )  # fmt: skip

    def __init__(self, number: int, stored: Function) -> None:
        self.number = number
        self.name = stored.name
        self.qualname = stored.qualname
        self.kind = stored.kind
        self.parameters = stored.parameters
        self.cells = tuple(stored.cells)
        plain = all(
            parameter.kind in {"positional_only", "positional"} for parameter in stored.parameters
        )
        self.simple = len(stored.parameters) if plain else -1
        """Number of positional arguments that need no binding, or -1."""
        self.positional = [
            index
            for index, parameter in enumerate(stored.parameters)
            if parameter.kind in {"positional_only", "positional"}
        ]
        self.template: list[Any] = [UNBOUND] * stored.slots
        constant_slots = {slot for slot, _ in stored.constants}
        self.kept = tuple(slot for slot in range(stored.slots) if slot not in constant_slots)
        """Slots that a snapshot stores."""
        self.waits = False
        """Whether its code might have to wait for a worker, what it is given apart."""
        self.defaults: dict[int, Any] = {}
        self.blocks: list[LinkedBlock] = []
        self.entry: LinkedBlock
        self.binders: dict[Any, Callable[..., tuple[Any, ...]]] = {}

    def bind(
        self, value: FunctionValue, args: list[Any], keywords: dict[str, Any] | None
    ) -> list[Any]:
        """Slots of a new frame with the arguments in place; raises CPython's TypeError."""
        slots = self.template.copy()
        if keywords or len(args) != self.simple:
            self._bind_fully(slots, value, args, keywords or {})
        else:
            slots[: self.simple] = args
        if self.cells:
            for slot, cell in zip(self.cells, value.cells, strict=True):
                slots[slot] = cell
        return slots

    def _bind_fully(
        self, slots: list[Any], value: FunctionValue, args: list[Any], keywords: dict[str, Any]
    ) -> None:
        variant = (len(value.defaults), frozenset(value.keyword_defaults))
        bind = self.binders.get(variant)
        if bind is None:
            optional = set(self.defaults) | set(
                self.positional[len(self.positional) - len(value.defaults) :]
            )
            optional |= {
                index
                for index, parameter in enumerate(self.parameters)
                if parameter.name in value.keyword_defaults
            }
            bind = self.binders[variant] = binder(
                self.name, self.qualname, self.parameters, optional
            )
        for index, bound in enumerate(bind(*args, **keywords)):
            slots[index] = self._default(value, index) if bound is UNBOUND else bound

    def _default(self, value: FunctionValue, index: int) -> Any:
        name = self.parameters[index].name
        if name in value.keyword_defaults:
            return value.keyword_defaults[name]
        if value.defaults and index in self.positional:
            place = self.positional.index(index) - (len(self.positional) - len(value.defaults))
            if place >= 0:
                return value.defaults[place]
        return self.defaults[index]


class LinkedProgram:
    """A program that is ready to run, shared by all instances of it."""

    __slots__ = (
        "abstract", "actions", "attributes", "classes", "codec", "constants", "digest", "functions", "members", "numbered", "opaque", "program",
        "spans", "types", "uncompiled",
    )  # fmt: skip

    def __init__(self, program: Program, digest: bytes, types: ShadowTypes, codec: Codec) -> None:
        self.program = program
        self.digest = digest
        self.types = types
        self.codec = codec
        self.functions: list[LinkedFunction] = []
        self.actions: list[Action] = []
        self.constants: list[Any] = []
        self.numbered: dict[int, int] = {}
        """``id`` of a constant that has an identity of its own → its number."""
        self.classes: list[type] = []
        self.members: dict[tuple[type, str], tuple[str, FunctionValue]] = {}
        """(class, name) → how a compiled member is reached (``method``, ``static``, ``class``, ``property``, ``cached``, ``setter``, ``deleter``, ``init``)."""
        self.opaque: set[type] = set()
        self.spans: Spans | None = None
        """Where in the source each instruction stands, if somebody knows: for people only."""
        self.abstract: dict[type, frozenset[str]] = {}
        """Class → the abstract classes that it passes for, by name."""
        self.attributes: dict[tuple[type, str], Any] = {}
        """(class, name) of plain class attributes → value."""
        self.uncompiled: dict[tuple[type, str], str] = {}
        """(class, name) of what a class has and the program lacks → why."""

    def value(self, wire: bytes) -> Any:
        """A value of the program itself. Equal texts are one object, as those of a module are."""
        found = self.codec.decode(wire)
        return sys.intern(found) if found.__class__ is str else found

    def qualname_of(self, cls: type) -> str:
        """Qualified name of a class of the type table."""
        return self.program.types[self.classes.index(cls)].descriptor.qualname
