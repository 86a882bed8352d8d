"""Blocks of a function go in; what they read and write, where control goes and what is surely bound come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Protocol

from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE, Instruction, Terminator

Operation = Instruction | Terminator


class FlowBlock(Protocol):
    """What the analysis needs of a block: a stored one, or one that a compiler still works on."""

    @property
    def instructions(self) -> Sequence[Instruction]: ...
    @property
    def terminator(self) -> Terminator: ...
    @property
    def handler(self) -> int: ...


class TooTangled(Exception):
    """The analysis did not settle within its bound: no compiler writes such a program."""


def _slots(operation: Operation, names: tuple[str, ...]) -> list[int]:
    found: list[int] = []
    for name in names:
        value = getattr(operation, name)
        if isinstance(value, list):
            found += value
        elif value != NONE:
            found.append(value)
    return found


def reads(operation: Operation) -> list[int]:
    """Slots that an instruction or terminator reads."""
    return _slots(operation, operation.reads)


def writes(operation: Operation) -> list[int]:
    """Slots that an instruction or terminator writes."""
    return _slots(operation, operation.writes)


def map_slots(operation: Any, number: Callable[[int], int]) -> Any:
    """Return the same operation with every slot renumbered."""
    fields = []
    for name, holds_slots in _fields(operation.__class__):
        value = getattr(operation, name)
        if holds_slots:
            if isinstance(value, list):
                value = [number(slot) for slot in value]
            elif value != NONE:
                value = number(value)
        fields.append(value)
    return type(operation)(*fields)


@cache
def _fields(kind: type[Operation]) -> tuple[tuple[str, bool], ...]:
    """Names of an operation's fields, in order, and whether each holds slots."""
    slots = {*kind.reads, *kind.writes}
    return tuple((name, name in slots) for name in kind.__struct_fields__)


def targets(terminator: Terminator) -> tuple[int, ...]:
    """Blocks that control may enter next; a handler is not among them."""
    match terminator:
        case ins.Branch(then=then, otherwise=otherwise):
            return then, otherwise
        case (
            ins.AsyncNext(body=body, done=done)
            | ins.MatchClass(body=body, done=done)
            | ins.Next(body=body, done=done)
            | ins.Send(body=body, done=done)
            | ins.Throw(body=body, done=done)
        ):
            return body, done
        case ins.EndFinally(target=target, returning=returning, jumps=jumps):
            return (target, *jumps) if returning == NONE else (target, returning, *jumps)
        case ins.Return() | ins.Raise() | ins.Reraise():
            return ()
        case _:
            return (terminator.target,)


def map_targets(terminator: Any, number: Callable[[int], int]) -> Any:
    """Return the same terminator with every block renumbered."""
    if isinstance(terminator, ins.Return | ins.Raise | ins.Reraise):
        return terminator
    fields = {name: getattr(terminator, name) for name in terminator.__struct_fields__}
    for name in ("target", "then", "otherwise", "body", "done", "returning"):
        if fields.get(name, NONE) != NONE:
            fields[name] = number(fields[name])
    if isinstance(terminator, ins.EndFinally):
        fields["jumps"] = [number(block) for block in fields["jumps"]]
    return type(terminator)(**fields)


def _bits(slots: Iterable[int], limit: int) -> int:
    bits = 0
    for slot in slots:
        if slot < limit:
            bits |= 1 << slot
    return bits


class Transfer:
    """What a block does to the set of bound slots, as masks."""

    __slots__ = ("bound", "edges", "handler", "lost", "unbound")

    def __init__(self, block: FlowBlock, limit: int) -> None:
        """Fold the instructions of ``block``; slots from ``limit`` on are left out."""
        bound = lost = unbound = 0
        for instruction in block.instructions:
            if isinstance(instruction, ins.Unbind):
                bit = _bits((instruction.dst,), limit)
                bound &= ~bit
                unbound |= bit
                lost |= bit
                continue
            bound_here = (
                (instruction.src,) if isinstance(instruction, ins.Check) else writes(instruction)
            )
            bit = _bits(bound_here, limit)
            bound |= bit
            unbound &= ~bit
        self.bound, self.unbound, self.lost = bound, unbound, lost
        self.handler = block.handler
        terminator = block.terminator
        written = _bits(writes(terminator), limit)
        self.edges: list[tuple[int, int]]
        if isinstance(terminator, ins.Next | ins.MatchClass | ins.AsyncNext):
            self.edges = [(terminator.body, written), (terminator.done, 0)]
        else:
            self.edges = [(target, written) for target in targets(terminator)]


def definitely_bound(
    blocks: Sequence[FlowBlock], *, limit: int, initially: int, rounds: int = 1000
) -> list[int | None]:
    """Bit set of the slots that are bound whenever a block is entered; None for blocks never entered.

    A slot counts as bound after it was written or checked, until ``Unbind``. What a block binds does
    not count at its handler, for any of its instructions may be the one that raises.
    Raises ``TooTangled`` after ``rounds`` visits per block.
    """
    transfers = [Transfer(block, limit) for block in blocks]
    entry: list[int | None] = [None] * len(blocks)
    entry[0] = initially
    waiting = [0]
    queued = {0}
    budget = rounds * len(blocks)
    while waiting:
        budget -= 1
        if budget < 0:
            raise TooTangled
        number = waiting.pop()
        queued.discard(number)
        here = entry[number]
        assert here is not None
        one = transfers[number]
        after = (here & ~one.unbound) | one.bound
        outgoing = [(target, after | written) for target, written in one.edges]
        if one.handler != NONE:
            outgoing.append((one.handler, here & ~one.lost))
        for target, bound in outgoing:
            known = entry[target]
            merged = bound if known is None else known & bound
            if merged != known:
                entry[target] = merged
                if target not in queued:
                    queued.add(target)
                    waiting.append(target)
    return entry
