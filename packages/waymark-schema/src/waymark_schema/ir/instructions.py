"""The instruction union: what one step of a block may do to the slots of its frame.

A frame is one array of slots: parameters and locals first, then temporaries, constants and
completion slots. Operands are slot numbers; ``NONE`` (-1) means "no operand". Constants are
preloaded into their slots when a frame is made and are never written.

Instructions run in order and never suspend. Whatever can push a frame, suspend or branch is a
terminator. If an instruction raises, control goes to the handler of its block.
"""

from waymark_schema.ir.nodes import NONE, Node
from waymark_schema.ir.terminators import (
    Access,
    AsyncIterate,
    AsyncNext,
    Await,
    Branch,
    Call,
    EndFinally,
    Enter,
    Jump,
    Leave,
    MatchClass,
    Next,
    Raise,
    Reraise,
    Return,
    Send,
    Terminator,
    Throw,
    Yield,
)

# --- names and cells ------------------------------------------------------------------------


class Move(Node, tag="move", frozen=True, array_like=True):
    """``dst = src``."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int


class Check(Node, tag="check", frozen=True, array_like=True):
    """Raise ``UnboundLocalError`` (or ``NameError`` if ``free``) naming ``name`` if ``src`` is unbound."""

    reads = ("src",)
    src: int
    name: str
    free: bool = False


class Unbind(Node, tag="unbind", frozen=True, array_like=True):
    """Make ``dst`` unbound (``del name``, and the end of ``except ... as name``)."""

    writes = ("dst",)
    dst: int


class MakeCell(Node, tag="make_cell", frozen=True, array_like=True):
    """``dst`` becomes a new cell that holds what ``src`` held (unbound if ``src`` is NONE or unbound)."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int = NONE


class LoadCell(Node, tag="load_cell", frozen=True, array_like=True):
    """``dst`` = content of the cell in ``cell``; unbound raises as ``Check`` does."""

    reads = ("cell",)
    writes = ("dst",)
    dst: int
    cell: int
    name: str
    free: bool = False


class StoreCell(Node, tag="store_cell", frozen=True, array_like=True):
    """Content of the cell in ``cell`` = ``src`` (NONE: unbound)."""

    reads = ("cell", "src")
    cell: int
    src: int


class LoadGlobal(Node, tag="load_global", frozen=True, array_like=True):
    """``dst`` = captured mutable module or class value number ``index``: one object per instance."""

    writes = ("dst",)
    dst: int
    index: int


class MakeFunction(Node, tag="make_function", frozen=True, array_like=True):
    """``dst`` = function value over function ``function`` with evaluated defaults and captured cells.

    ``defaults`` are those of the last positional parameters, ``keyword_defaults`` name theirs.
    """

    reads = ("defaults", "keyword_values", "cells")
    writes = ("dst",)
    dst: int
    function: int
    defaults: list[int] = []
    keyword_names: list[str] = []
    keyword_values: list[int] = []
    cells: list[int] = []


# --- operators ------------------------------------------------------------------------------


class Unary(Node, tag="unary", frozen=True, array_like=True):
    """``dst = op src``; ``op`` from ``ir.language.UNARY``."""

    reads = ("src",)
    writes = ("dst",)
    op: str
    dst: int
    src: int


class Binary(Node, tag="binary", frozen=True, array_like=True):
    """``dst = left op right``; ``op`` from ``ir.language.BINARY``."""

    reads = ("left", "right")
    writes = ("dst",)
    op: str
    dst: int
    left: int
    right: int


class Inplace(Node, tag="inplace", frozen=True, array_like=True):
    """``dst = left op= right`` (mutates ``left`` where CPython does)."""

    reads = ("left", "right")
    writes = ("dst",)
    op: str
    dst: int
    left: int
    right: int


class Compare(Node, tag="compare", frozen=True, array_like=True):
    """``dst = left op right``; ``op`` from ``ir.language.COMPARE`` (also ``is``, ``in`` and their negations)."""

    reads = ("left", "right")
    writes = ("dst",)
    op: str
    dst: int
    left: int
    right: int


# --- displays -------------------------------------------------------------------------------


class Build(Node, tag="build", frozen=True, array_like=True):
    """``dst`` = a new ``kind`` (``list``, ``tuple`` or ``set``) of ``items``."""

    reads = ("items",)
    writes = ("dst",)
    kind: str
    dst: int
    items: list[int]


class BuildDict(Node, tag="build_dict", frozen=True, array_like=True):
    """``dst`` = a new dict of ``keys`` and ``values``."""

    reads = ("keys", "values")
    writes = ("dst",)
    dst: int
    keys: list[int]
    values: list[int]


class Append(Node, tag="append", frozen=True, array_like=True):
    """Append ``src`` to the list (or add it to the set) in ``target``: displays and comprehensions."""

    reads = ("target", "src")
    target: int
    src: int


class Extend(Node, tag="extend", frozen=True, array_like=True):
    """``*src`` into the list or set in ``target``; errors as CPython for ``site`` = ``display`` or ``call``."""

    reads = ("target", "src")
    target: int
    src: int
    site: str = "display"


class DictSet(Node, tag="dict_set", frozen=True, array_like=True):
    """``target[key] = value`` for a dict display or comprehension."""

    reads = ("target", "key", "value")
    target: int
    key: int
    value: int


class DictMerge(Node, tag="dict_merge", frozen=True, array_like=True):
    """``**src`` into the dict in ``target``; ``site`` = ``call`` rejects duplicates and non-string keys."""

    reads = ("target", "src")
    target: int
    src: int
    site: str = "display"


class ToTuple(Node, tag="to_tuple", frozen=True, array_like=True):
    """``dst`` = tuple of the list in ``src`` (a tuple display with starred items)."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int


class Slice(Node, tag="slice", frozen=True, array_like=True):
    """``dst = slice(start, stop, step)``; each a slot."""

    reads = ("start", "stop", "step")
    writes = ("dst",)
    dst: int
    start: int
    stop: int
    step: int


class Format(Node, tag="format", frozen=True, array_like=True):
    """One replacement field: ``conversion`` is ``""``, ``"r"``, ``"s"`` or ``"a"``; ``spec`` a slot or NONE."""

    reads = ("src", "spec")
    writes = ("dst",)
    dst: int
    src: int
    conversion: str
    spec: int


class Join(Node, tag="join", frozen=True, array_like=True):
    """``dst`` = the strings in ``parts`` joined (an f-string)."""

    reads = ("parts",)
    writes = ("dst",)
    dst: int
    parts: list[int]


class Unpack(Node, tag="unpack", frozen=True, array_like=True):
    """Assign the items of ``src`` to ``targets``; ``star`` is the index of the starred one or NONE."""

    reads = ("src",)
    writes = ("targets",)
    src: int
    targets: list[int]
    star: int = NONE


# --- attributes, items ----------------------------------------------------------------------


class GetAttr(Node, tag="get_attr", frozen=True, array_like=True):
    """``dst = obj.name`` where no compiled property can be meant."""

    reads = ("obj",)
    writes = ("dst",)
    dst: int
    obj: int
    name: str


class SetAttr(Node, tag="set_attr", frozen=True, array_like=True):
    """``obj.name = src``."""

    reads = ("obj", "src")
    obj: int
    name: str
    src: int


class DelAttr(Node, tag="del_attr", frozen=True, array_like=True):
    """``del obj.name``."""

    reads = ("obj",)
    obj: int
    name: str


class GetItem(Node, tag="get_item", frozen=True, array_like=True):
    """``dst = obj[key]``."""

    reads = ("obj", "key")
    writes = ("dst",)
    dst: int
    obj: int
    key: int


class SetItem(Node, tag="set_item", frozen=True, array_like=True):
    """``obj[key] = src``."""

    reads = ("obj", "key", "src")
    obj: int
    key: int
    src: int


class DelItem(Node, tag="del_item", frozen=True, array_like=True):
    """``del obj[key]``."""

    reads = ("obj", "key")
    obj: int
    key: int


# --- calls that never run compiled code -------------------------------------------------------


class LoadMethod(Node, tag="load_method", frozen=True, array_like=True):
    """``dst`` = bound method ``obj.name``, looked up before the arguments are evaluated."""

    reads = ("obj",)
    writes = ("dst",)
    dst: int
    obj: int
    name: str


class CallMethod(Node, tag="call_method", frozen=True, array_like=True):
    """``dst = obj.name(*args, **keywords)`` where ``name`` can only be a pure method of a durable value."""

    reads = ("obj", "args", "keyword_values")
    writes = ("dst",)
    dst: int
    obj: int
    name: str
    args: list[int]
    keyword_names: list[str] = []
    keyword_values: list[int] = []


class CallPure(Node, tag="call_pure", frozen=True, array_like=True):
    """``dst = callee(*args, **keywords)`` where ``callee`` never runs compiled code.

    The callee is a builtin, an action (which yields a single-use call value), a coroutine function
    (which yields a coroutine value), a bound method or a declarative type. ``star`` is a slot that
    holds the list of *all* positional arguments, ``star_keywords`` one that holds the dict of all
    keyword arguments; where they are given, ``args`` and ``keyword_*`` are empty.
    """

    reads = ("callee", "args", "keyword_values", "star", "star_keywords")
    writes = ("dst",)
    dst: int
    callee: int
    args: list[int]
    keyword_names: list[str] = []
    keyword_values: list[int] = []
    star: int = NONE
    star_keywords: int = NONE


class WithPolicy(Node, tag="with_policy", frozen=True, array_like=True):
    """``dst`` = the call value in ``call`` under a policy: ``self.run_action(call, retry=, timeout=, backoff=)``."""

    reads = ("call", "retry", "timeout", "backoff")
    writes = ("dst",)
    dst: int
    call: int
    retry: int = NONE
    timeout: int = NONE
    backoff: int = NONE


class Local(Node, tag="local", frozen=True, array_like=True):
    """``dst`` = a recorded value (``kind`` from ``ir.language.RECORDED``), journaled as a local effect."""

    reads = ("args", "keyword_values")
    writes = ("dst",)
    dst: int
    kind: str
    args: list[int] = []
    keyword_names: list[str] = []
    keyword_values: list[int] = []


# --- iteration and exceptions ---------------------------------------------------------------


class Iterate(Node, tag="iterate", frozen=True, array_like=True):
    """``dst`` = a machine iterator over ``src`` (a record that a snapshot can hold)."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int


class Catch(Node, tag="catch", frozen=True, array_like=True):
    """``dst`` = the exception in flight: first instruction of a handler block."""

    writes = ("dst",)
    dst: int


class MatchException(Node, tag="match_exception", frozen=True, array_like=True):
    """``dst`` = whether ``exc`` matches the class, or tuple of classes, in ``pattern``."""

    reads = ("exc", "pattern")
    writes = ("dst",)
    dst: int
    exc: int
    pattern: int


class Complete(Node, tag="complete", frozen=True, array_like=True):
    """Record in ``completion`` how a protected region ended.

    ``how`` is ``normal``, ``raise`` (``src`` holds the exception), ``return`` (``src`` holds the value) or
    ``jump`` (``target`` is an index into the ``jumps`` of the ``EndFinally`` that dispatches on it).
    """

    reads = ("src",)
    writes = ("completion",)
    completion: int
    how: str
    src: int = NONE
    target: int = NONE


class Handled(Node, tag="handled", frozen=True, array_like=True):
    """``dst`` = the exception that is being handled here, or by who called this function, or None (bare ``raise``)."""

    writes = ("dst",)
    dst: int


class SplitGroup(Node, tag="split_group", frozen=True, array_like=True):
    """``except* pattern``: ``dst`` = what it takes of ``exc``, in a group, or None; ``rest`` = what is left, or None.

    ``exc`` holds an exception or None (nothing is left); a single exception is taken in a group of its own.
    """

    reads = ("exc", "pattern")
    writes = ("dst", "rest")
    dst: int
    rest: int
    exc: int
    pattern: int


class MergeGroups(Node, tag="merge_groups", frozen=True, array_like=True):
    """``dst`` = what leaves a ``try`` with ``except*``, or None.

    ``exc`` holds what was caught, ``raised`` the list of what its handlers raised and of what none took.
    """

    reads = ("exc", "raised")
    writes = ("dst",)
    dst: int
    exc: int
    raised: int


class MatchSequence(Node, tag="match_sequence", frozen=True, array_like=True):
    """``dst`` = whether ``src`` is what a sequence pattern may match, with ``count`` items (``more``: or more)."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int
    count: int
    more: bool = False


class MatchMapping(Node, tag="match_mapping", frozen=True, array_like=True):
    """``dst`` = whether ``src`` is what a mapping pattern may match, with at least ``count`` items."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int
    count: int


class MatchKeys(Node, tag="match_keys", frozen=True, array_like=True):
    """``dst`` = tuple of the values that the mapping in ``src`` has for ``keys``, or None if it lacks one."""

    reads = ("src", "keys")
    writes = ("dst",)
    dst: int
    src: int
    keys: list[int]


Instruction = (
    Move | Check | Unbind | MakeCell | LoadCell | StoreCell | LoadGlobal | MakeFunction
    | Unary | Binary | Inplace | Compare
    | Build | BuildDict | Append | Extend | DictSet | DictMerge | ToTuple | Slice | Format | Join | Unpack
    | GetAttr | SetAttr | DelAttr | GetItem | SetItem | DelItem
    | LoadMethod | CallMethod | CallPure | WithPolicy | Local
    | Iterate | Catch | MatchException | Complete
    | MatchSequence | MatchMapping | MatchKeys | SplitGroup | MergeGroups | Handled
)  # fmt: skip

__all__ = [
    "NONE", "Access", "Append", "AsyncIterate", "AsyncNext", "Await", "Binary", "Branch", "Build",
    "BuildDict", "Call", "CallMethod", "CallPure", "Catch", "Check", "Compare", "Complete", "DelAttr",
    "DelItem", "DictMerge", "DictSet", "EndFinally", "Enter", "Extend", "Format", "GetAttr", "GetItem",
    "Handled", "Inplace", "Instruction", "Iterate", "Join", "Jump", "Leave", "LoadCell", "LoadGlobal",
    "LoadMethod", "Local", "MakeCell", "MakeFunction", "MatchClass", "MatchException", "MatchKeys",
    "MatchMapping", "MatchSequence", "MergeGroups", "Move", "Next", "Raise", "Reraise", "Return", "Send",
    "SetAttr", "SetItem", "Slice", "SplitGroup", "StoreCell", "Terminator", "Throw", "ToTuple", "Unary",
    "Unbind", "Unpack", "WithPolicy", "Yield",
]  # fmt: skip
