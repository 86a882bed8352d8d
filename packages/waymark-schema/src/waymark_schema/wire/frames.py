"""Frames between pool and worker: typed batches in both directions, under one PROTOCOL number.

Every frame is one msgpack array, its tag first, behind a 4-byte little-endian length (``framing``).
Values travel as the bytes that the journal keeps: encoded once, never re-encoded on the way.
"""

import msgspec

PROTOCOL = 1
MAX_FRAME_BYTES = 64 * 1024 * 1024


class ProgramReport(msgspec.Struct, frozen=True, array_like=True):
    """One workflow that a worker compiled at preload."""

    workflow: str
    version: str
    digest: bytes
    program: bytes
    """Canonical bytes of ``ir.program.Program``."""
    spans: bytes
    source: str


class ModuleFailure(msgspec.Struct, frozen=True, array_like=True):
    """A user module that could not be imported or a workflow that does not compile, as text for people."""

    module: str
    message: str


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="hello"):
    """Worker to pool, first frame: who it is and what it can run. The pool compares ``protocol``."""

    protocol: int
    token: str
    """Secret given at spawn: ties the connection to the process."""
    pid: int
    python_minor: int
    actions: list[str] = []
    programs: list[ProgramReport] = []
    failures: list[ModuleFailure] = []


class CallStart(msgspec.Struct, frozen=True, array_like=True):
    """One attempt to run. ``ticket`` is the pool's number for it on this connection."""

    ticket: int
    action: str
    arguments: bytes
    """Durable wire form of the dict of keyword arguments (positional-only ones under their names)."""
    instance: bytes
    """The 16 bytes of the instance id."""
    call: int
    attempt: int
    timeout: float = 0.0
    """Seconds the attempt may take, 0 for no limit; tells ``deadline``, the pool enforces it."""
    program: int = -1
    """Number of an earlier ``KnownTypes``: what need not be described in the outcome; -1: describe all."""


class Calls(msgspec.Struct, frozen=True, array_like=True, tag="calls"):
    """Pool to worker: attempts to start, in order."""

    starts: list[CallStart]


class KnownTypes(msgspec.Struct, frozen=True, array_like=True, tag="known_types"):
    """Pool to worker: digests of the descriptors that program ``program`` already knows."""

    program: int
    digests: list[bytes]


class CancelCalls(msgspec.Struct, frozen=True, array_like=True, tag="cancel"):
    """Pool to worker: cancel these attempts; each still ends with one outcome."""

    tickets: list[int]


class Drain(msgspec.Struct, frozen=True, array_like=True, tag="drain"):
    """Pool to worker: no more calls will come; finish what runs, then exit 0."""


class CallEnd(msgspec.Struct, frozen=True, array_like=True):
    """One attempt ended. ``kind``: 0 returned, 1 raised, 2 cancelled (nothing to keep)."""

    ticket: int
    kind: int
    payload: bytes
    """Durable wire form of the value, or of the exception record."""
    started_at: float
    """Seconds since the epoch by the worker's clock, for people only."""
    seconds: float
    """How long it ran, by a monotonic clock."""
    log: bytes = b""
    """Captured output lines in durable wire form, or nothing."""


class Ends(msgspec.Struct, frozen=True, array_like=True, tag="ends"):
    """Worker to pool: attempts that ended."""

    ends: list[CallEnd]


class Tick(msgspec.Struct, frozen=True, array_like=True, tag="tick"):
    """Worker to pool, once a second: its event loop lives. ``resident_bytes`` is its memory."""

    running: int
    resident_bytes: int


class Blocked(msgspec.Struct, frozen=True, array_like=True, tag="blocked"):
    """Worker to pool over the watch socket, once a second while its event loop stands still; from a thread."""

    ticket: int
    """The attempt whose code keeps the loop; -1 when that cannot be told."""
    seconds: float
    """How long, so far."""
    place: str
    """Function, file and line where it is."""


class TakeBack(msgspec.Struct, frozen=True, array_like=True, tag="take_back"):
    """Pool to worker over the watch socket: do not begin these attempts, unless they have begun."""

    tickets: list[int]


class TakenBack(msgspec.Struct, frozen=True, array_like=True, tag="taken_back"):
    """Worker to pool over the watch socket: these had not begun and never will; nothing more comes of them."""

    tickets: list[int]


RETURNED, RAISED, CANCELLED = 0, 1, 2

ToWorker = Calls | KnownTypes | CancelCalls | Drain
ToPool = Hello | Ends | Tick
FromWatch = Blocked | TakenBack
"""On the watch socket, which threads of the worker serve while its loop does not."""
