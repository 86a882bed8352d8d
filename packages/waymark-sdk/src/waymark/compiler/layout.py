"""The labelled blocks of a builder go in; numbered, pruned and merged blocks with their spans come out."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from waymark.compiler.builder import COMPLETIONS, CONSTANTS, ITERATORS, TEMPORARIES, Builder
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.flow import definitely_bound, map_slots, map_targets, targets
from waymark_schema.ir.instructions import NONE, Instruction, Terminator
from waymark_schema.ir.program import Block, Span


@dataclass(eq=False, slots=True)
class Piece:
    """One block on its way to its final form."""

    instructions: list[Instruction]
    spans: list[Span]
    terminator: Terminator
    end_span: Span
    handler: int
    handling: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The finished body of a function."""

    blocks: list[Block]
    spans: list[list[Span]]
    slots: int
    constants: list[tuple[int, int]]


def lay_out(builder: Builder, *, bound: int) -> Layout:
    """Finish a function whose bound slots at entry are the bits of ``bound``."""
    pieces = _pieces(builder)
    _drop_checks(pieces, limit=len(builder.names), initially=bound)
    _thread(pieces)
    pieces = _reachable(pieces)
    pieces = _reachable(_merge(pieces))
    for piece in pieces:
        _fuse_methods(piece)
    return _numbered(pieces, builder)


def _pieces(builder: Builder) -> list[Piece]:
    """Turn open blocks into pieces; a block that was never ended can never run."""
    never: Terminator = ins.Reraise(0)
    pieces = [
        Piece(
            block.instructions,
            block.spans,
            block.terminator or never,
            block.end_span,
            block.handler,
            block.handling,
        )
        for block in builder.blocks
    ]
    return _reachable(pieces)


def _reachable(pieces: list[Piece]) -> list[Piece]:
    """Keep what control can reach from block 0, in order, renumbered."""
    seen = {0}
    waiting = [0]
    while waiting:
        piece = pieces[waiting.pop()]
        following = list(targets(piece.terminator))
        if piece.handler != NONE and _can_raise(piece):
            following.append(piece.handler)
        for target in following:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    order = sorted(seen)
    numbers = {old: new for new, old in enumerate(order)}
    kept = [pieces[old] for old in order]
    for piece in kept:
        piece.terminator = map_targets(piece.terminator, numbers.__getitem__)
        piece.handler = numbers.get(piece.handler, NONE)
    return kept


_SILENT = (ins.Move, ins.Unbind, ins.MakeCell, ins.StoreCell, ins.Catch, ins.Complete)


def _can_raise(piece: Piece) -> bool:
    """Whether anything in the block may reach its handler; jumps among blocks and plain moves cannot."""
    if not isinstance(piece.terminator, ins.Jump | ins.Return):
        return True
    return any(not isinstance(one, _SILENT) for one in piece.instructions)


def _drop_checks(pieces: list[Piece], *, limit: int, initially: int) -> None:
    """Leave out each ``Check`` of a name that is bound on every way to it."""
    entry = definitely_bound(pieces, limit=limit, initially=initially)
    for piece, known in zip(pieces, entry, strict=True):
        bound = known or 0
        kept: list[tuple[Instruction, Span]] = []
        for one, span in zip(piece.instructions, piece.spans, strict=True):
            if isinstance(one, ins.Check):
                if bound >> one.src & 1:
                    continue
                bound |= 1 << one.src
            elif isinstance(one, ins.Unbind):
                if one.dst < limit:
                    bound &= ~(1 << one.dst)
            else:
                for name in one.writes:
                    value = getattr(one, name)
                    for slot in value if isinstance(value, list) else (value,):
                        if 0 <= slot < limit:
                            bound |= 1 << slot
            kept.append((one, span))
        piece.instructions = [one for one, _ in kept]
        piece.spans = [span for _, span in kept]


def _thread(pieces: list[Piece]) -> None:
    """Let jumps to empty blocks that only jump on go there at once."""

    def final(number: int) -> int:
        seen = set()
        while number not in seen:
            seen.add(number)
            piece = pieces[number]
            if piece.instructions or not isinstance(piece.terminator, ins.Jump):
                break
            number = piece.terminator.target
        return number

    for piece in pieces:
        piece.terminator = map_targets(piece.terminator, final)


def _merge(pieces: list[Piece]) -> list[Piece]:
    """Append each block to its only predecessor where that one just jumps to it."""
    entries = [0] * len(pieces)
    entries[0] = 1
    for piece in pieces:
        for target in targets(piece.terminator):
            entries[target] += 1
        if piece.handler != NONE:
            entries[piece.handler] += 2
    for piece in pieces:
        while isinstance(piece.terminator, ins.Jump):
            other = pieces[piece.terminator.target]
            if other is piece or entries[piece.terminator.target] != 1:
                break
            if not _same_protection(piece, other):
                break
            piece.instructions = piece.instructions + other.instructions
            piece.spans = piece.spans + other.spans
            piece.terminator, piece.end_span = other.terminator, other.end_span
            piece.handler, piece.handling = other.handler, other.handling
    return pieces


def _same_protection(piece: Piece, other: Piece) -> bool:
    return (piece.handler, piece.handling) == (other.handler, other.handling)


def _fuse_methods(piece: Piece) -> None:
    """``load_method`` directly followed by its ``call_pure`` is one ``call_method``."""
    instructions: list[Instruction] = []
    spans: list[Span] = []
    for one, span in zip(piece.instructions, piece.spans, strict=True):
        before = instructions[-1] if instructions else None
        if (
            isinstance(one, ins.CallPure)
            and isinstance(before, ins.LoadMethod)
            and one.callee == before.dst
            and one.star == NONE
            and one.star_keywords == NONE
        ):
            instructions[-1] = ins.CallMethod(
                one.dst, before.obj, before.name, one.args, one.keyword_names, one.keyword_values
            )
            spans[-1] = span
            continue
        instructions.append(one)
        spans.append(span)
    piece.instructions, piece.spans = instructions, spans


def _numbered(pieces: list[Piece], builder: Builder) -> Layout:
    values, iterators, completions = builder.taken
    bases = [0, TEMPORARIES, CONSTANTS, ITERATORS, COMPLETIONS]
    sizes = [len(builder.names), values, len(builder.constants), iterators, completions]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]

    def number(slot: int) -> int:
        kind = bisect_right(bases, slot) - 1
        return starts[kind] + slot - bases[kind]

    blocks = [
        Block(
            [map_slots(one, number) for one in piece.instructions],
            map_slots(piece.terminator, number),
            piece.handler,
            number(piece.handling) if piece.handling != NONE else NONE,
            len(piece.instructions) + 1,
        )
        for piece in pieces
    ]
    return Layout(
        blocks,
        [[*piece.spans, piece.end_span] for piece in pieces],
        builder.slots,
        [(starts[2] + index, constant) for index, constant in enumerate(builder.constants)],
    )
