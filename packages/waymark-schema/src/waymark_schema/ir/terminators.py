"""The terminator union: where control leaves a block, and what may push a frame, suspend or branch.

Slots are as for instructions. If a terminator raises, control goes to the handler of its block.
"""

from waymark_schema.ir.nodes import NONE, Node


class Jump(Node, tag="jump", frozen=True, array_like=True):
    """Go to block ``target``."""

    target: int


class Branch(Node, tag="branch", frozen=True, array_like=True):
    """Go to ``then`` if ``test`` is true, else to ``otherwise``."""

    reads = ("test",)
    test: int
    then: int
    otherwise: int


class Next(Node, tag="next", frozen=True, array_like=True):
    """Advance the iterator in ``iterator``: its item into ``dst`` and go to ``body``, or go to ``done``."""

    reads = ("iterator",)
    writes = ("dst",)
    iterator: int
    dst: int
    body: int
    done: int


class Call(Node, tag="call", frozen=True, array_like=True):
    """Call ``callee``, which may run compiled code, then continue in ``target`` with the result in ``dst``.

    Operands as for ``CallPure``. The callee may be anything that ``CallPure`` takes and also a compiled
    function, a bound compiled method, a type with a compiled ``__init__`` or an opaque type (an inline
    step), a builtin with a key function.
    """

    reads = ("callee", "args", "keyword_values", "star", "star_keywords")
    writes = ("dst",)
    dst: int
    callee: int
    args: list[int]
    keyword_names: list[str]
    keyword_values: list[int]
    star: int
    star_keywords: int
    target: int


class Access(Node, tag="access", frozen=True, array_like=True):
    """``dst = obj.name`` where a compiled property may be meant, then ``target``."""

    reads = ("obj",)
    writes = ("dst",)
    dst: int
    obj: int
    name: str
    target: int


class Await(Node, tag="await", frozen=True, array_like=True):
    """Await ``src``, then continue in ``target`` with the result in ``dst``."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int
    target: int


class Yield(Node, tag="yield", frozen=True, array_like=True):
    """Yield ``src`` from a generator frame; what is sent arrives in ``dst`` and ``target`` runs."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int
    target: int


class Return(Node, tag="return", frozen=True, array_like=True):
    """Leave the function with ``src``."""

    reads = ("src",)
    src: int


class Raise(Node, tag="raise", frozen=True, array_like=True):
    """``raise exc from cause`` (``cause`` NONE: no ``from``); ``exc`` may be a class or an instance."""

    reads = ("exc", "cause")
    exc: int
    cause: int = NONE


class Reraise(Node, tag="reraise", frozen=True, array_like=True):
    """Continue to propagate the exception in ``exc``, its context untouched (bare ``raise``, no handler matched)."""

    reads = ("exc",)
    exc: int


class EndFinally(Node, tag="end_finally", frozen=True, array_like=True):
    """Dispatch on ``completion``, which says how a protected region ended.

    ``normal`` goes to ``target``, ``raise`` propagates on, ``return`` goes to ``returning`` (NONE: really
    return the value), ``jump`` number k to ``jumps[k]``.

    A ``return`` or jump through an enclosing ``finally`` goes to a block that moves this completion
    into the outer completion slot first.
    """

    reads = ("completion",)
    completion: int
    target: int
    returning: int = NONE
    jumps: list[int] = []


class Enter(Node, tag="enter", frozen=True, array_like=True):
    """Enter the context manager in ``manager``, then continue in ``target`` with the ``as`` value in ``dst``.

    ``asynchronous``: an ``async with``; the frame may be suspended here.
    """

    reads = ("manager",)
    writes = ("dst",)
    dst: int
    manager: int
    target: int
    asynchronous: bool = False


class Leave(Node, tag="leave", frozen=True, array_like=True):
    """Leave the context manager in ``manager``, then continue in ``target`` with what it returned in ``dst``.

    ``error`` holds the exception that ended the body; NONE: it ended without one.
    """

    reads = ("manager", "error")
    writes = ("dst",)
    dst: int
    manager: int
    error: int
    target: int
    asynchronous: bool = False


class Send(Node, tag="send", frozen=True, array_like=True):
    """``yield from``: send ``src`` (None: just advance) into the iterator.

    Its item goes into ``dst`` and control to ``body``; at its end ``dst`` holds what it returned, and ``done`` runs.
    """

    reads = ("iterator", "src")
    writes = ("dst",)
    iterator: int
    src: int
    dst: int
    body: int
    done: int


class Throw(Node, tag="throw", frozen=True, array_like=True):
    """``yield from``: raise ``exc`` inside the iterator, where it may be handled; then as ``Send``."""

    reads = ("iterator", "exc")
    writes = ("dst",)
    iterator: int
    exc: int
    dst: int
    body: int
    done: int


class MatchClass(Node, tag="match_class", frozen=True, array_like=True):
    """A class pattern: go to ``body`` if ``src`` is an instance of ``cls`` with all the attributes, else to ``done``.

    ``dst`` is then the tuple of those attributes: first those of ``positional`` sub-patterns, whose names
    the class knows, then those in ``names``. A compiled property among them is run.
    """

    reads = ("src", "cls")
    writes = ("dst",)
    dst: int
    src: int
    cls: int
    positional: int
    names: list[str]
    body: int
    done: int


class AsyncIterate(Node, tag="async_iterate", frozen=True, array_like=True):
    """``dst`` = the asynchronous iterator over ``src`` (``async for``), then ``target``."""

    reads = ("src",)
    writes = ("dst",)
    dst: int
    src: int
    target: int


class AsyncNext(Node, tag="async_next", frozen=True, array_like=True):
    """Await the next item of the asynchronous iterator in ``src``: into ``dst`` and go to ``body``, or go to ``done``."""

    reads = ("src",)
    writes = ("dst",)
    src: int
    dst: int
    body: int
    done: int


Terminator = (
    Jump | Branch | Next | Call | Access | Await | Yield | Return | Raise | Reraise | EndFinally
    | Enter | Leave | MatchClass | AsyncIterate | AsyncNext
    | Send | Throw
)  # fmt: skip
