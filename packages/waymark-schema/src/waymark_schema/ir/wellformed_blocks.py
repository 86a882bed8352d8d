"""The blocks of one function go in; nothing, or what is wrong with them, comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

from waymark_schema.ir import instructions as ins
from waymark_schema.ir.flow import Operation, TooTangled, definitely_bound, reads, targets, writes
from waymark_schema.ir.instructions import NONE
from waymark_schema.ir.language import BINARY, COMPARE, RECORDED, UNARY
from waymark_schema.ir.program import Block, Function, Program

MAX_BLOCKS = 65_535
MAX_STATE_BITS = 200_000_000
MAX_NAME = 1_000


class Malformed(Exception):
    """Something in a program that no compiler writes."""


def expect(condition: bool, problem: str) -> None:  # noqa: FBT001 - an assertion's shape
    """Raise ``Malformed`` with ``problem`` unless ``condition``."""
    if not condition:
        raise Malformed(problem)


def check_blocks(program: Program, function: Function) -> None:
    """Check every block; raises ``Malformed``."""
    blocks = function.blocks
    expect(0 < len(blocks) <= MAX_BLOCKS, f"{len(blocks)} blocks")
    expect(len(blocks) * function.slots <= MAX_STATE_BITS, "too many blocks for so many slots")
    for number, block in enumerate(blocks):
        try:
            _check_operations(program, function, block)
        except Malformed as problem:
            msg = f"block {number}: {problem}"
            raise Malformed(msg) from None
    _check_handlers(blocks)
    _check_roles(function)
    _check_bound(function)


# --- one operation at a time --------------------------------------------------------------------


def _check_operations(program: Program, function: Function, block: Block) -> None:
    expect(block.cost > len(block.instructions), f"cost {block.cost} for {len(block.instructions)}")
    expect(NONE <= block.handling < function.slots, f"handling slot {block.handling}")
    frozen = {slot for slot, _ in function.constants}
    for operation in (*block.instructions, block.terminator):
        written = writes(operation)
        used = [*reads(operation), *written]
        if used and not 0 <= min(used) <= max(used) < function.slots:
            msg = f"slot {min(used)} or {max(used)} in {_tag(operation)}"
            raise Malformed(msg)
        if not frozen.isdisjoint(written):
            msg = f"{_tag(operation)} writes a constant"
            raise Malformed(msg)
        _check_names(operation)
        _check_shape(program, function, operation)
    for target in targets(block.terminator):
        expect(0 < target < len(function.blocks), f"jump to block {target}")
    expect(
        block.handler == NONE or 0 < block.handler < len(function.blocks),
        f"handler {block.handler}",
    )


def _tag(operation: Operation) -> str:
    return str(operation.__struct_config__.tag)


def _check_names(operation: Operation) -> None:
    name = getattr(operation, "name", "x")
    expect(0 < len(name) <= MAX_NAME, f"a name of {len(name)} characters")
    names = getattr(operation, "keyword_names", None)
    if names is not None:
        values = operation.keyword_values  # type: ignore[union-attr]  # beside the names wherever they are
        expect(len(names) == len(values), f"{len(names)} keywords, {len(values)} values")
        expect(len(set(names)) == len(names), "a keyword given twice")
        expect(all(0 < len(one) <= MAX_NAME for one in names), "a keyword without a name")


def _one_of(value: str, allowed: Sequence[str], what: str) -> None:
    expect(value in allowed, f"{what} {value!r:.100}")


def _check_shape(program: Program, function: Function, operation: Operation) -> None:  # noqa: C901, PLR0912, PLR0915 - one case per operation
    match operation:
        case ins.Unary(op=op):
            _one_of(op, UNARY, "operator")
        case ins.Binary(op=op) | ins.Inplace(op=op):
            _one_of(op, BINARY, "operator")
        case ins.Compare(op=op):
            _one_of(op, COMPARE, "operator")
        case ins.Build(kind=kind):
            _one_of(kind, ("list", "tuple", "set"), "display")
        case ins.BuildDict(keys=keys, values=values):
            expect(len(keys) == len(values), "a dict with more keys than values")
        case ins.Extend(site=site) | ins.DictMerge(site=site):
            _one_of(site, ("display", "call"), "site")
        case ins.Format(conversion=conversion):
            _one_of(conversion, ("", "r", "s", "a"), "conversion")
        case ins.Unpack(targets=slots, star=star):
            expect(star == NONE or 0 <= star < len(slots), f"star {star} of {len(slots)}")
        case ins.MatchSequence(count=count) | ins.MatchMapping(count=count):
            expect(count >= 0, f"a pattern of {count} items")
        case ins.MatchClass(positional=count, names=names):
            expect(count >= 0, f"a pattern of {count} attributes")
            expect(all(0 < len(one) <= MAX_NAME for one in names), "an attribute without a name")
        case ins.LoadGlobal(index=index):
            expect(0 <= index < len(program.globals), f"global {index}")
        case ins.Local(kind=kind):
            _one_of(kind, RECORDED, "recorded value")
        case ins.Check(src=slot):
            expect(slot < len(function.names), "a check of a slot without a name")
        case ins.MakeFunction():
            _check_function_value(program, operation)
        case ins.CallPure() | ins.Call():
            _check_call(operation)
        case ins.Complete():
            _check_completion(operation)
        case ins.Yield() | ins.Send() | ins.Throw():
            expect("generator" in function.kind, "a yield outside a generator")
        case ins.AsyncIterate() | ins.AsyncNext():
            expect("async" in function.kind, "an async for outside a coroutine function")
        case ins.Await() | ins.Enter(asynchronous=True) | ins.Leave(asynchronous=True):
            expect("async" in function.kind, "an await outside a coroutine function")
        case _:
            pass
    _check_required(operation)


_REQUIRED = frozenset(
    "dst src obj key callee target left right test iterator exc pattern manager rest raised".split()
)
_OPTIONAL = (ins.MakeCell, ins.StoreCell, ins.Complete)


@cache
def _required(kind: type[Operation]) -> tuple[str, ...]:
    """Fields that may not be ``NONE``: all slots but those that are documented as optional."""
    if kind in _OPTIONAL:
        return ()
    return tuple(name for name in kind.__struct_fields__ if name in _REQUIRED)


def _check_required(operation: Operation) -> None:
    for name in _required(type(operation)):
        if getattr(operation, name) == NONE:
            msg = f"{_tag(operation)} without {name}"
            raise Malformed(msg)


def _check_call(call: ins.CallPure | ins.Call) -> None:
    if call.star != NONE:
        expect(not call.args, "positional arguments beside a list of them all")
    if call.star_keywords != NONE:
        expect(not call.keyword_names, "keyword arguments beside a dict of them all")


def _check_completion(complete: ins.Complete) -> None:
    has_source = complete.src != NONE
    has_target = complete.target != NONE
    allowed = {
        "normal": (False, False),
        "raise": (True, False),
        "return": (True, False),
        "jump": (False, True),
    }
    expect(
        allowed.get(complete.how) == (has_source, has_target),
        f"completion {complete.how!r:.100} with wrong operands",
    )


def _check_function_value(program: Program, made: ins.MakeFunction) -> None:
    expect(0 <= made.function < len(program.functions), f"function {made.function}")
    function = program.functions[made.function]
    expect(len(made.cells) == len(function.cells), "a function value with the wrong cells")
    positional = [one for one in function.parameters if one.kind.startswith("positional")]
    keyword_only = {one.name for one in function.parameters if one.kind == "keyword_only"}
    expect(len(made.defaults) <= len(positional), "more defaults than parameters")
    expect(keyword_only.issuperset(made.keyword_names), "a default of an unknown parameter")


# --- blocks among each other --------------------------------------------------------------------


def _check_handlers(blocks: list[Block]) -> None:
    """Handlers begin with ``Catch``, are entered by exceptions alone, and nest."""
    handlers = {block.handler for block in blocks} - {NONE}
    for number in handlers:
        first = blocks[number].instructions[:1]
        expect(bool(first) and isinstance(first[0], ins.Catch), f"handler {number} catches nothing")
    for number, block in enumerate(blocks):
        expect(
            handlers.isdisjoint(targets(block.terminator)), f"block {number} jumps into a handler"
        )
        caught = block.instructions[1:] if number in handlers else block.instructions
        expect(
            not any(isinstance(one, ins.Catch) for one in caught),
            f"block {number} catches where nothing is in flight",
        )
    settled: set[int] = {NONE}
    for start in handlers:
        path: list[int] = []
        number = start
        while number not in settled:
            expect(number not in path, f"handler {number} protects itself")
            path.append(number)
            number = blocks[number].handler
        settled.update(path)


def _operations(function: Function) -> list[Operation]:
    return [
        operation
        for block in function.blocks
        for operation in (*block.instructions, block.terminator)
    ]


def _check_roles(function: Function) -> None:
    """Iterators, cells and completion slots each hold nothing else."""
    operations = _operations(function)
    completions = {
        one.completion for one in operations if isinstance(one, ins.Complete | ins.EndFinally)
    }
    iterators = {
        one.iterator for one in operations if isinstance(one, ins.Next | ins.Send | ins.Throw)
    }
    if "generator" in function.kind:
        iterators.discard(0)
    cells = set(function.cells) | {one.dst for one in operations if isinstance(one, ins.MakeCell)}
    for one in operations:
        written = writes(one)
        used = {*reads(one), *written}
        _check_completion_use(one, completions, used)
        _check_cell_use(one, cells, used)
        if not iterators.isdisjoint(written) and not isinstance(one, ins.Iterate | ins.Unbind):
            msg = f"{_tag(one)} writes an iterator"
            raise Malformed(msg)
    protected = {block.handling for block in function.blocks}
    expect(completions.isdisjoint(protected), "a completion is handled as an exception")
    held = Counter([*completions, *iterators, *cells])
    expect(all(count == 1 for count in held.values()), "a slot with two roles")
    expect(iterators.isdisjoint(range(len(function.parameters))), "a parameter is an iterator")
    _check_parameter_cells(function, cells)


def _check_completion_use(one: Operation, completions: set[int], used: set[int]) -> None:
    if completions.isdisjoint(used):
        return
    if isinstance(one, ins.Complete):
        expect(one.src not in completions, "a completion inside a completion")
    elif isinstance(one, ins.Move) and one.dst in completions:
        expect(one.src in completions, "a move into a completion slot")
    elif isinstance(one, ins.EndFinally):
        return
    else:
        msg = f"{_tag(one)} uses a completion"
        raise Malformed(msg)


def _check_cell_use(one: Operation, cells: set[int], used: set[int]) -> None:
    match one:
        case ins.MakeCell(dst=dst, src=src):
            expect(src in {NONE, dst} or src not in cells, "a cell inside a cell")
        case ins.LoadCell(dst=dst, cell=cell):
            expect(cell in cells and dst not in cells, "a load from what is no cell")
        case ins.StoreCell(cell=cell, src=src):
            expect(cell in cells and src not in cells, "a store into what is no cell")
        case ins.MakeFunction(dst=dst, cells=captured):
            expect(
                cells.issuperset(captured) and dst not in cells, "a captured slot that is no cell"
            )
            plain = {*one.defaults, *one.keyword_values}
            expect(cells.isdisjoint(plain), "a cell as a default")
        case _:
            expect(cells.isdisjoint(used), f"{_tag(one)} uses a cell as a value")


def _check_parameter_cells(function: Function, cells: set[int]) -> None:
    """A parameter becomes a cell before anything else happens, and once."""
    shared = cells & set(range(len(function.parameters)))
    made = Counter(
        one.dst
        for one in _operations(function)
        if isinstance(one, ins.MakeCell) and one.dst in shared
    )
    leading: set[int] = set()
    for one in function.blocks[0].instructions:
        if not isinstance(one, ins.MakeCell):
            break
        leading.add(one.dst)
        expect(one.src in {NONE, one.dst}, "a parameter's cell made of another slot")
    expect(
        shared <= leading and all(count == 1 for count in made.values()),
        "a parameter that is a cell only later",
    )


def _check_bound(function: Function) -> None:
    """Every slot is bound before it is read, on every way."""
    initially = 0
    for slot in (
        *range(len(function.parameters)),
        *function.cells,
        *(slot for slot, _ in function.constants),
    ):
        initially |= 1 << slot
    try:
        entry = definitely_bound(function.blocks, limit=function.slots, initially=initially)
    except TooTangled:
        msg = "its control flow is too tangled to be checked"
        raise Malformed(msg) from None
    for number, (block, known) in enumerate(zip(function.blocks, entry, strict=True)):
        if known is None:
            continue
        handled = block.handling == NONE or bool(known >> block.handling & 1)
        expect(handled, f"block {number} handles slot {block.handling}, which is unbound")
        _check_block_bound(block, known, number)


def _check_block_bound(block: Block, bound: int, number: int) -> None:
    for one in block.instructions:
        _check_reads(one, bound, number)
        if isinstance(one, ins.Unbind):
            bound &= ~(1 << one.dst)
        elif isinstance(one, ins.Check):
            bound |= 1 << one.src
        for slot in writes(one) if not isinstance(one, ins.Unbind) else ():
            bound |= 1 << slot
    _check_reads(block.terminator, bound, number)


def _check_reads(one: Operation, bound: int, number: int) -> None:
    if isinstance(one, ins.Check | ins.MakeCell):
        return
    for slot in reads(one):
        if not bound >> slot & 1:
            msg = f"block {number}: {_tag(one)} reads slot {slot}, which is unbound"
            raise Malformed(msg)
