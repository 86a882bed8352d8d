"""One function in the making: what the syntax families share to turn its nodes into blocks."""

from __future__ import annotations

import ast
import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, NoReturn

from waymark.coercion.imports import keep_parametrised
from waymark.compiler.builder import CONSTANTS, ITERATORS, TEMPORARIES, Builder, Label
from waymark.compiler.diagnostics import Text, Unsupported
from waymark.compiler.scopes import Scope, Variable
from waymark.compiler.subset import ACCEPTED
from waymark.compiler.symbols import (
    Builtin,
    Compiled,
    Kind,
    Module,
    Namespace,
    Refused,
    Symbol,
    WorkflowClass,
    resolve_attribute,
    resolve_name,
    used_by,
)
from waymark.compiler.tables import Tables
from waymark.compiler.trees import walk
from waymark_schema.failures import SerializationError
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE

Lower = Callable[["Context", ast.expr, int | None], int]
Execute = Callable[["Context", ast.stmt], None]
Assign = Callable[["Context", ast.expr, int], None]


@dataclass(frozen=True, slots=True)
class Families:
    """Which lowering a node type has; what is in no table is not part of the language."""

    expressions: dict[type[ast.AST], Lower]
    statements: dict[type[ast.AST], Execute]
    targets: dict[type[ast.AST], Assign]
    symbol: Callable[[Context, Symbol, ast.expr, int | None], int]
    """A global name's value."""
    member: Lower
    """``self.name`` of the workflow, read as a value."""
    class_attribute: Callable[[Context, ast.Attribute, type], int]
    """``Workflow.NAME``, read as a value."""
    member_call: Callable[[Context, ast.Call, int | None], int | None]
    """``self.name(…)`` and ``super().name(…)``; None for any other call."""
    report_rest: Callable[[Context, ast.stmt], None]
    """What else is wrong with a statement that was refused."""


@dataclass(eq=False, slots=True)
class Loop:
    """A loop that ``break`` and ``continue`` may leave."""

    leave: Label
    again: Label
    iterator: int = NONE
    """Slot of what a ``for`` walks."""
    handler: Label = NONE
    """What protects the loop itself, around all that protects parts of its body."""
    handling: int = NONE


@dataclass(eq=False, slots=True)
class Finally:
    """A protected region (of ``finally`` or ``with``): every way out of it runs the block ``label`` first."""

    completion: int
    label: Label
    handling: int
    """Slot of what the body of ``finally`` handles, which holds None when nothing is in flight; NONE for a ``with``."""
    outer_handling: int
    returns: bool = False
    jumps: list[tuple[Loop, Label]] = field(default_factory=list)

    def jump(self, loop: Loop, label: Label) -> int:
        """Return the number of a jump out of this region."""
        if (loop, label) not in self.jumps:
            self.jumps.append((loop, label))
        return self.jumps.index((loop, label))


@dataclass(eq=False, slots=True)
class Named:
    """The body of ``except … as name``: the name is unbound on every way out."""

    variable: Variable


Region = Loop | Finally | Named


@dataclass(eq=False, slots=True)
class Context:
    """One frame being lowered."""

    tables: Tables
    families: Families
    builder: Builder
    scope: Scope
    namespace: Namespace
    text: Text
    qualname: str
    is_async: bool
    owner: type | None = None
    """Class whose method this is."""
    self_variable: Variable | None = None
    """The workflow itself: the first parameter of one of its methods."""
    class_variable: Variable | None = None
    """The workflow's class: the first parameter of one of its class methods."""
    has_walrus: bool = True
    inside_except: list[int] = field(default_factory=list)
    """Slots of the exceptions that the enclosing ``except`` blocks handle; NONE for a ``finally``."""
    regions: list[Region] = field(default_factory=list)
    surveying: bool = False
    """Whether a statement that was refused already is looked at for further problems."""
    asked: set[int] = field(default_factory=set)
    """``id`` of each node that is only asked for (in ``isinstance``, ``issubclass`` or a class pattern): an abstract
    class of the program or an alias of ``typing`` may stand there."""
    place: tuple[ast.AST, Text] | None = None
    """Where captured expressions of other modules are used."""

    @contextmanager
    def elsewhere(self, namespace: Namespace, node: ast.AST) -> Iterator[None]:
        """Lower a captured expression of another module as if it stood at ``node``: no local is visible in it."""
        before = self.namespace, self.place, self.scope
        self.namespace, self.place = namespace, self.place or (node, self.text)
        self.scope = Scope(node, None, is_frame=True)
        try:
            yield
        finally:
            self.namespace, self.place, self.scope = before

    # --- nodes -------------------------------------------------------------------------------

    def expr(self, node: ast.expr, into: int | None = None) -> int:
        """Lower an expression; its value is in the returned slot, which is ``into`` where that costs nothing."""
        lower = self.families.expressions.get(type(node))
        if lower is None:
            self._refuse(node)
        before = self.builder.span
        self.at(node)
        slot = lower(self, node, into)
        self.builder.span = before
        return slot

    def expr_into(self, node: ast.expr, target: int) -> None:
        """Lower an expression so that its value is in ``target``."""
        self.move(target, self.expr(node, target))

    def move(self, target: int, source: int) -> None:
        if target != source:
            self.builder.emit(ins.Move(target, source))

    def operands(self, nodes: Sequence[ast.expr]) -> list[int]:
        """Lower expressions left to right, so that each keeps the value it had when it was evaluated."""
        slots = []
        for index, node in enumerate(nodes):
            slot = self.expr(node)
            if self.has_walrus and slot < TEMPORARIES and self._rebinds(slot, nodes[index + 1 :]):
                slot = self.copy(slot)
            slots.append(slot)
        return slots

    def keep(self, slot: int, later: Sequence[ast.expr]) -> int:
        """Return a slot that still holds this value after ``later`` was evaluated."""
        if self.has_walrus and slot < TEMPORARIES and self._rebinds(slot, later):
            return self.copy(slot)
        return slot

    def copy(self, slot: int) -> int:
        target = self.builder.temporary()
        self.builder.emit(ins.Move(target, slot))
        return target

    def _rebinds(self, slot: int, nodes: Iterable[ast.expr]) -> bool:
        name = self.builder.names[slot]
        return any(
            isinstance(part, ast.NamedExpr) and part.target.id == name
            for node in nodes
            for part in walk(node)
        )

    def body(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """Lower one statement; a problem in it is reported and the next one goes on."""
        mark = self.builder.mark()
        produced, self.builder.produced = self.builder.produced, set()
        regions = len(self.regions)
        handled = len(self.inside_except)
        protection = self.builder.handler, self.builder.handling
        self.at(node)
        try:
            execute = self.families.statements.get(type(node))
            if execute is None:
                self._refuse(node)
            execute(self, node)
        except Unsupported:
            del self.regions[regions:]
            del self.inside_except[handled:]
            self.builder.handler, self.builder.handling = protection
            self.builder.fresh()
            if not self.surveying:
                self.surveying = True
                self.families.report_rest(self, node)
                self.surveying = False
        self.drop(sorted(self.builder.produced))
        self.builder.produced = produced
        self.builder.release(mark)

    def drop(self, slots: Iterable[int]) -> None:
        """Let go of values that are not needed any more: a generator suspended in ``finally`` ends then."""
        if self.tables.assumed.finalizers:
            for slot in slots:
                self.builder.emit(ins.Unbind(slot))

    def new_loop(self) -> Loop:
        """Return a loop with labels of its own."""
        return Loop(self.builder.label(), self.builder.label())

    def assign(self, target: ast.expr, slot: int) -> None:
        """Store ``slot`` into an assignment target."""
        assign = self.families.targets.get(type(target))
        if assign is None:
            self._refuse(target)
        before = self.builder.span
        self.at(target)
        assign(self, target, slot)
        self.builder.span = before

    def target(self, into: int | None) -> int:
        """Return where a result goes: ``into``, or a temporary."""
        return self.builder.temporary() if into is None else into

    def at(self, node: ast.AST) -> None:
        """Let what is emitted next stand at the place of ``node``."""
        where, text = self.place or (node, self.text)
        self.builder.span = text.span(where)

    # --- names and constants -------------------------------------------------------------------

    def cell_slot(self, variable: Variable) -> tuple[int, bool]:
        """Return the slot that holds the variable's cell in this frame, and whether it is captured."""
        frame = self.scope.frame
        captured = frame.free.get(variable.name)
        if captured is variable:
            return frame.captured_slots[variable.name], True
        return variable.slot, False

    def load(self, variable: Variable, into: int | None = None) -> int:
        if variable.cell:
            slot, free = self.cell_slot(variable)
            target = self.target(into)
            self.builder.emit(ins.LoadCell(target, slot, variable.name, free))
            return target
        self.builder.emit(ins.Check(variable.slot, variable.name))
        return variable.slot

    def store(self, variable: Variable, slot: int) -> None:
        if variable.cell:
            self.builder.emit(ins.StoreCell(self.cell_slot(variable)[0], slot))
        else:
            self.move(variable.slot, slot)

    def unbind(self, variable: Variable) -> None:
        if variable.cell:
            self.builder.emit(ins.StoreCell(self.cell_slot(variable)[0], NONE))
        else:
            self.builder.emit(ins.Unbind(variable.slot))

    def plain_local(self, target: ast.expr) -> int | None:
        """Return the slot of a target that is a plain local name: results may be written there directly."""
        if isinstance(target, ast.Name):
            variable = self.scope.find(target.id)
            if variable is not None and not variable.cell and variable is not self.self_variable:
                return variable.slot
        return None

    def constant(self, value: object, node: ast.AST) -> int:
        """Return the slot of an immutable value."""
        try:
            return self.builder.constant(self.tables.value(value))
        except SerializationError as error:
            self.reject("WM110", node, str(error), "use a durable value")

    def none(self) -> int:
        return self.builder.constant(self.tables.value(None))

    def builtin(self, name: str) -> int:
        return self.builder.constant(self.tables.builtin(name))

    def is_constant(self, slot: int) -> bool:
        return CONSTANTS <= slot < ITERATORS

    def is_typed_constructor(self, cls: type) -> bool:
        """Whether making an instance may run compiled code or an inline step."""
        if cls in self.tables.assumed.constructors:
            return True
        descriptor = self.tables.descriptor(cls)
        return descriptor.opaque or bool(descriptor.options.get("own_init"))

    def is_self(self, node: ast.expr) -> bool:
        """Whether an expression is the workflow itself."""
        return (
            isinstance(node, ast.Name)
            and self.self_variable is not None
            and self.scope.find(node.id) is self.self_variable
        )

    def symbol(self, node: ast.expr) -> Symbol | None:
        """What a name, attribute chain or generic class means without running it; None for values."""
        stand_in = self._stand_in(node) if self.tables.captures.follows else None
        if stand_in is not None:
            return stand_in
        found = self._meant(node)
        return None if found is None else used_by(self.tables.workflow.__module__, found, node)

    def _meant(self, node: ast.expr) -> Symbol | None:
        if self._is_own_class(node):
            return WorkflowClass(self.tables.workflow)
        match node:
            case ast.Name():
                return self._named(node)
            case ast.Subscript():
                return self._generic(node)
            case ast.Attribute(value=owner, attr=attribute):
                base = self.symbol(owner)
                if isinstance(base, Refused) and base.value in self.tables.workflow.__mro__:
                    return self._of_base(owner, node)
                if base is not None:
                    text = ast.unparse(node)
                    return resolve_attribute(base, attribute, text, self.tables.language)
            case _:
                pass
        return None

    def _stand_in(self, node: ast.expr) -> Symbol | None:
        """What a test has put in the place of a function of a module."""
        match node:
            case ast.Name(id=written) if self.scope.find(written) is None:
                module, name = self.namespace.module, self.namespace.mangled(written)
                if name in self.namespace.closure:
                    return None
            case ast.Attribute(value=owner, attr=name):
                base = self.symbol(owner)
                module = base.value if isinstance(base, Module) else None
            case _:
                return None
        value = None if module is None else vars(module).get(name)
        if module is None or not isinstance(value, FunctionType):
            return None
        if not self.tables.captures.stands_in(value, name, module):
            return None
        self.tables.stand_ins.add(value)
        return Compiled(value)

    def _of_base(self, owner: ast.expr, node: ast.Attribute) -> Symbol:
        """``Mixin.name``, where the workflow itself has it."""
        why = f"`{ast.unparse(owner)}` is a base of the workflow, which can be reached through it only"
        known = self.self_variable or self.class_variable
        if known is None:
            instead = "pass it as an argument, or keep it at the top of the module"
            return Refused("WM123", why, instead)
        return Refused("WM123", why, f"write `{known.name}.{node.attr}`")

    def _named(self, node: ast.Name) -> Symbol | None:
        variable = self.scope.find(node.id)
        if variable is not None:
            return WorkflowClass(self.tables.workflow) if variable is self.class_variable else None
        name = self.namespace.mangled(node.id)
        return resolve_name(name, self.namespace, self.tables.language)

    def _generic(self, node: ast.Subscript) -> Symbol | None:
        """``Box[int]`` of a generic class: of a model a class of its own, of others the class itself."""
        base = self.symbol(node.value)
        if not isinstance(base, Kind) or issubclass(base.cls, enum.Enum):
            return None
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        given = [self._type_argument(part) for part in parts]
        parametrised = getattr(base.cls, "__class_getitem__", None)
        if parametrised is None or None in given:
            return None
        made: Any = parametrised(tuple(given) if len(given) > 1 else given[0])
        if not isinstance(made, type):
            return base
        keep_parametrised(made)
        return Kind(made)

    def _type_argument(self, node: ast.expr) -> object | None:
        found = self.symbol(node)
        match found:
            case Kind(cls=cls):
                return cls
            case Builtin(value=type() as value):
                return value
            case _:
                return None

    def _is_own_class(self, node: ast.expr) -> bool:
        """``self.__class__`` or ``type(self)``."""
        match node:
            case ast.Attribute(value=owner, attr="__class__"):
                return self.is_self(owner)
            case ast.Call(func=ast.Name(id="type"), args=[owner], keywords=[]):
                return self.is_self(owner) and self.scope.find("type") is None
            case _:
                return False

    # --- problems ------------------------------------------------------------------------------

    def report(self, code: str, node: ast.AST, message: str, instead: str) -> None:
        where, text = self.place or (node, self.text)
        if self.surveying and self.tables.reporter.begins_at(text, where):
            return  # the same thing, said of a part of it
        self.tables.reporter.report(code, where, text, message, instead)

    def _refuse(self, node: ast.AST) -> NoReturn:
        """Give up what has no lowering; the check of the whole function has reported it, or else we do."""
        if type(node) in ACCEPTED:
            name = type(node).__name__.lower()
            self.report(
                "WM100", node, f"`{name}` cannot stand here", "write it with simpler statements"
            )
        raise Unsupported

    def reject(self, code: str, node: ast.AST, message: str, instead: str) -> NoReturn:
        """Report a problem and give the statement up."""
        raise self.rejected(code, node, message, instead)

    def rejected(self, code: str, node: ast.AST, message: str, instead: str) -> Unsupported:
        """Report a problem; raise what is returned to give the statement up."""
        self.report(code, node, message, instead)
        return Unsupported()
