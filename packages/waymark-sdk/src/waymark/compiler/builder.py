"""Instructions go in, one by one; labelled blocks with slots by kind come out, not yet numbered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from waymark_schema.ir.instructions import (
    NONE,
    Call,
    CallPure,
    Instruction,
    Jump,
    LoadCell,
    Terminator,
)
from waymark_schema.ir.program import Span

TEMPORARIES = 1_000_000
"""Slot numbers from here on are temporaries until the function is laid out."""
CONSTANTS = 2_000_000
"""Slot numbers from here on are constants until the function is laid out."""
ITERATORS = 3_000_000
"""Slot numbers from here on are iterators, which hold nothing else, until the function is laid out."""
COMPLETIONS = 4_000_000
"""Slot numbers from here on are completion slots, which hold nothing else, until the function is laid out."""

Mark = tuple[int, int, int]

Label = int


@dataclass(eq=False, slots=True)
class OpenBlock:
    """One block under construction; ``terminator`` None while it is open or if it was never placed."""

    handler: Label = NONE
    handling: int = NONE
    instructions: list[Instruction] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    terminator: Terminator | None = None
    end_span: Span = Span(1, 0, 1, 0)
    placed: bool = False


@dataclass(eq=False, slots=True)
class Builder:
    """The blocks of one function, the open one among them."""

    blocks: list[OpenBlock] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    """Source names of the locals, by slot."""
    constants: list[int] = field(default_factory=list)
    """Constant numbers, by their order in the frame."""
    handler: Label = NONE
    handling: int = NONE
    span: Span = Span(1, 0, 1, 0)
    current: OpenBlock = field(init=False)
    produced: set[int] = field(default_factory=set)
    """Temporaries that took what a call gave or a cell held, within the statement that is being lowered."""
    _top: Mark = (0, 0, 0)
    _high: Mark = (0, 0, 0)
    _constant_slots: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.place(self.label())

    def label(self) -> Label:
        """Return a new block's number; it must be placed later."""
        self.blocks.append(OpenBlock())
        return len(self.blocks) - 1

    def place(self, label: Label) -> None:
        """Continue in block ``label``; an open block before it falls through."""
        if self.blocks and label and self.current.terminator is None:
            self.terminate(Jump(label))
        block = self.blocks[label]
        block.placed = True
        block.handler = self.handler
        block.handling = self.handling
        self.current = block

    def fresh(self) -> Label:
        """Place a new block and return its label."""
        label = self.label()
        self.place(label)
        return label

    def iterators_since(self, mark: Mark) -> list[int]:
        """Slots of the iterators that may have been taken, and released, since ``mark``, innermost first."""
        return [ITERATORS + number for number in reversed(range(mark[1], self._high[1]))]

    def emit(self, instruction: Instruction) -> None:
        if (
            isinstance(instruction, CallPure | LoadCell)
            and TEMPORARIES <= instruction.dst < CONSTANTS
        ):
            self.produced.add(instruction.dst)
        self.current.instructions.append(instruction)
        self.current.spans.append(self.span)

    def terminate(self, terminator: Terminator) -> None:
        """End the open block; what is emitted until the next label can never run."""
        if isinstance(terminator, Call) and TEMPORARIES <= terminator.dst < CONSTANTS:
            self.produced.add(terminator.dst)
        self.current.terminator = terminator
        self.current.end_span = self.span
        unreachable = OpenBlock(self.handler, self.handling)
        self.blocks.append(unreachable)
        unreachable.placed = True
        self.current = unreachable

    def local(self, name: str) -> int:
        """Return a new slot for a local of this name."""
        self.names.append(name)
        return len(self.names) - 1

    def temporary(self) -> int:
        """Return a slot that is free until the enclosing mark is released."""
        values, iterators, completions = self._top
        self._take((values + 1, iterators, completions))
        return TEMPORARIES + values

    def iterator(self) -> int:
        """Return a slot for a machine iterator, as ``temporary`` does."""
        values, iterators, completions = self._top
        self._take((values, iterators + 1, completions))
        return ITERATORS + iterators

    def completion(self) -> int:
        """Return a slot for how a protected region ended, as ``temporary`` does."""
        values, iterators, completions = self._top
        self._take((values, iterators, completions + 1))
        return COMPLETIONS + completions

    def _take(self, top: Mark) -> None:
        self._top = top
        self._high = (
            max(self._high[0], top[0]),
            max(self._high[1], top[1]),
            max(self._high[2], top[2]),
        )

    @property
    def taken(self) -> Mark:
        """How many temporaries, iterators and completion slots the frame needs."""
        return self._high

    @property
    def slots(self) -> int:
        """How many slots the frame has."""
        return len(self.names) + len(self.constants) + sum(self.taken)

    def mark(self) -> Mark:
        return self._top

    def release(self, mark: Mark) -> None:
        """Give back every slot taken since ``mark``."""
        self._top = mark

    def constant(self, number: int) -> int:
        """Return the slot that constant ``number`` of the program is preloaded into."""
        slot = self._constant_slots.get(number)
        if slot is None:
            slot = self._constant_slots[number] = CONSTANTS + len(self.constants)
            self.constants.append(number)
        return slot

    @contextmanager
    def protected(self, *, handler: Label, handling: int) -> Iterator[None]:
        """Blocks placed inside have this handler and this exception in hand; a new block on both ends."""
        before = self.handler, self.handling
        self.handler, self.handling = handler, handling
        try:
            yield
        finally:
            self.handler, self.handling = before
