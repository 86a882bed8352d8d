import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.compiler.cases import golden
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.digest import canonical, decode
from waymark_schema.ir.program import Block, Program
from waymark_schema.ir.wellformed import MalformedProgram, ProgramTooNew, check, load

SOURCES = [compile_workflow(one).program_bytes for one in (golden.GoldenSteps, golden.GoldenFlow)]
ODD = st.one_of(
    st.integers(-3, 70), st.just(10**12), st.just(-(10**12)), st.text(max_size=3), st.none(),
    st.booleans(), st.just([]), st.floats(), st.binary(max_size=4),
    st.sampled_from(["move", "catch", "end_finally", "make_cell", "raise", "normal", "jump"]),
)  # fmt: skip


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(tree, list):
        for index, part in enumerate(tree):
            found += places(part, (*path, index))
    elif isinstance(tree, dict):
        for key, part in tree.items():
            found += places(part, (*path, key))
    return found


TREES = [msgspec.msgpack.decode(source) for source in SOURCES]
PLACES = [places(tree)[1:] for tree in TREES]


def mutated(tree: Any, path: tuple[Any, ...], value: Any, how: str) -> bytes:
    tree = copy.deepcopy(tree)
    owner = tree
    for step in path[:-1]:
        owner = owner[step]
    if how == "drop" and isinstance(owner, list):
        del owner[path[-1]]
    elif how == "double" and isinstance(owner, list):
        owner.insert(path[-1], copy.deepcopy(owner[path[-1]]))
    elif how == "swap" and isinstance(owner, list):
        owner[0], owner[path[-1]] = owner[path[-1]], owner[0]
    else:
        owner[path[-1]] = value
    return msgspec.msgpack.encode(tree)


def refused_or_sound(data: bytes) -> None:
    """Either the one error, or a program that reads back as itself."""
    try:
        program = load(data)
    except MalformedProgram:
        return
    assert load(canonical(program)) == program


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_program_with_one_change_is_refused_or_sound(data: st.DataObject) -> None:
    which = data.draw(st.integers(0, 1))
    path = data.draw(st.sampled_from(PLACES[which]))
    how = data.draw(st.sampled_from(["put", "put", "drop", "double", "swap"]))
    refused_or_sound(mutated(TREES[which], path, data.draw(ODD), how))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedProgram):
        load(data)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(SOURCES[0]) - 1), st.integers(0, 255))
def test_a_changed_byte_or_a_cut_is_refused_or_sound(at: int, byte: int) -> None:
    source = SOURCES[0]
    refused_or_sound(source[:at] + bytes([byte]) + source[at + 1 :])
    with pytest.raises(MalformedProgram):
        load(source[:at])


def test_deep_nesting_is_refused() -> None:
    for depth in (100, 100_000):
        with pytest.raises(MalformedProgram):
            load(b"\x91" * depth + b"\xc0")


def test_a_newer_format_says_what_to_do() -> None:
    tree = copy.deepcopy(TREES[0])
    tree[0] = 99
    with pytest.raises(ProgramTooNew, match="upgrade this process"):
        load(msgspec.msgpack.encode(tree))
    with pytest.raises(ProgramTooNew, match="format 99"):
        load(msgspec.msgpack.encode([99, "anything else"]))
    tree[:2] = [1, 99]
    with pytest.raises(ProgramTooNew, match="semantics 99"):
        load(msgspec.msgpack.encode(tree))


# --- one rule at a time -------------------------------------------------------------------------


def program_of(*blocks: Block, slots: int = 6, **changes: Any) -> Program:
    program = decode(SOURCES[0])
    run = msgspec.structs.replace(
        program.functions[0],
        parameters=program.functions[0].parameters[:1],
        slots=slots,
        constants=[(slots - 1, 0)],
        names=["self", "x"],
        cells=[],
        blocks=list(blocks),
    )
    run = msgspec.structs.replace(run, **changes)
    return msgspec.structs.replace(program, functions=[run, *program.functions[1:]])


def block(*instructions: Any, end: Any = None, **changes: Any) -> Block:
    return Block(list(instructions), end or ins.Return(5), cost=changes.pop("cost", 9), **changes)


RULES: dict[str, tuple[str, Program]] = {
    "reads an unbound slot": ("unbound", program_of(block(ins.Move(1, 2)))),
    "reads what one way leaves unbound": (
        "unbound",
        program_of(
            block(end=ins.Branch(0, 1, 2)),
            block(ins.Move(2, 0), end=ins.Jump(2)),
            block(end=ins.Return(2)),
        ),
    ),
    "reads what only a raising block binds": (
        "unbound",
        program_of(
            block(end=ins.Jump(1)),
            block(ins.Move(2, 0), ins.GetAttr(3, 0, "x"), end=ins.Return(2), handler=2),
            block(ins.Catch(4), end=ins.Return(2)),
        ),
    ),
    "reads after unbind": (
        "unbound",
        program_of(block(ins.Move(1, 0), ins.Unbind(1), ins.Move(2, 1))),
    ),
    "slot out of range": ("slot 1 or 6", program_of(block(ins.Move(1, 6)))),
    "writes a constant": ("writes a constant", program_of(block(ins.Move(5, 0)))),
    "jumps to the entry": ("jump to block 0", program_of(block(end=ins.Jump(0)))),
    "jumps nowhere": ("jump to block 7", program_of(block(end=ins.Jump(7)))),
    "handler without catch": (
        "catches nothing",
        program_of(block(end=ins.Jump(1)), block(handler=2), block()),
    ),
    "handler of itself": (
        "protects itself",
        program_of(block(end=ins.Jump(1)), block(handler=2), block(ins.Catch(1), handler=2)),
    ),
    "jump into a handler": (
        "jumps into a handler",
        program_of(block(end=ins.Jump(2)), block(handler=2), block(ins.Catch(1))),
    ),
    "catch out of place": ("nothing is in flight", program_of(block(ins.Catch(1)))),
    "free work": ("cost", program_of(block(ins.Move(1, 0), cost=1))),
    "unknown operator": ("operator", program_of(block(ins.Binary("@@", 1, 0, 0)))),
    "unknown display": ("display", program_of(block(ins.Build("deque", 1, [])))),
    "global out of range": ("global 9", program_of(block(ins.LoadGlobal(1, 9)))),
    "function out of range": ("function 99", program_of(block(ins.MakeFunction(1, 99)))),
    "yield outside a generator": ("yield", program_of(block(end=ins.Yield(1, 0, 1)), block())),
    "cell as a value": ("cell", program_of(block(ins.MakeCell(1), ins.Move(2, 1)))),
    "value as a cell": ("no cell", program_of(block(ins.LoadCell(1, 0, "x")))),
    "iterator overwritten": (
        "iterator",
        program_of(
            block(ins.Iterate(1, 0), ins.Move(1, 0), end=ins.Jump(1)),
            block(end=ins.Next(1, 2, 1, 2)),
            block(),
        ),
    ),
    "completion as a value": (
        "completion",
        program_of(
            block(ins.Complete(1, "normal"), ins.Move(2, 1), end=ins.EndFinally(1, 1)), block()
        ),
    ),
    "completion without its operand": (
        "wrong operands",
        program_of(block(ins.Complete(1, "return"), end=ins.EndFinally(1, 1)), block()),
    ),
    "star beside arguments": (
        "beside a list",
        program_of(block(ins.Build("list", 1, []), ins.CallPure(2, 5, [0], star=1))),
    ),
    "operand left out": ("without src", program_of(block(ins.Move(1, -1)))),
    "keyword twice": ("given twice", program_of(block(ins.CallPure(1, 5, [], ["a", "a"], [0, 0])))),
    "too many slots": ("slots", program_of(block(), slots=70_000)),
    "handles an unbound slot": ("unbound", program_of(block(handling=3))),
}


@pytest.mark.parametrize("rule", RULES)
def test_no_program_may_have(rule: str) -> None:
    words, program = RULES[rule]
    with pytest.raises(MalformedProgram, match=words):
        check(program)


def test_the_plainest_program_is_sound() -> None:
    check(program_of(block()))


def test_a_tangle_of_blocks_is_refused_or_read_in_reasonable_time() -> None:
    count = 3_000
    blocks = [block(end=ins.Jump(1))]
    blocks += [
        block(ins.Move(1, 0), end=ins.Branch(0, 1 + (n * 7919) % count, 1 + (n * 104729) % count))
        for n in range(count)
    ]
    check(program_of(*blocks))
