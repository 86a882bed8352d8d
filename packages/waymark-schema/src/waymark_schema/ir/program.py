"""The stored program: functions of basic blocks, constants, type table and actions under two version numbers.

``FORMAT`` says how a program is written, ``SEMANTICS`` what it means. A pool runs every semantics
number that it knows exactly as it was; any change that can alter a result takes a new number.

* 1: the first.
* 2: more instructions and names (nothing of 1 changed its shape). The exception of an action has as its context
  what is being handled anywhere up the stack of coroutines that awaits it; under 1, what its own awaiter handles.
  An object that a worker makes holds the arguments themselves; under 1, copies.

Programs, snapshots and journals of every earlier number are recorded in ``tests/fixtures/history``; record
the present ones there before a number is raised.
"""

import msgspec

from waymark_schema.ir.instructions import NONE, Instruction, Terminator
from waymark_schema.ir.policies import StoredPolicy
from waymark_schema.values.descriptors import Annotation, Descriptor

FORMAT = 2
SEMANTICS = 2
GENERATED_INIT = ".generated"
"""Among the names of a function that does what an ``__init__`` made by ``@dataclass`` does: no source can spell it."""


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Straight-line instructions and the one place where control leaves them."""

    instructions: list[Instruction]
    terminator: Terminator
    handler: int = NONE
    """Block that runs when something in this one raises; NONE: the exception leaves the function."""
    handling: int = NONE
    """Slot of the exception that the source handles here (``__context__`` of whatever is raised), or NONE."""
    cost: int = 1
    """What entering the block takes from the step budget."""


class Parameter(msgspec.Struct, frozen=True, array_like=True):
    """One parameter, in signature order; its slot is its index."""

    name: str
    kind: str
    """``positional_only``, ``positional``, ``var_positional``, ``keyword_only`` or ``var_keyword``."""
    default: int = NONE
    """Constant number of its default; NONE: required, unless the function value carries evaluated defaults."""


class Function(msgspec.Struct, frozen=True, array_like=True):
    """One compiled function: ``kind`` is ``sync``, ``async``, ``generator`` or ``async_generator``."""

    name: str
    qualname: str
    kind: str
    parameters: list[Parameter]
    slots: int
    """Size of the frame's array."""
    constants: list[tuple[int, int]]
    """(slot, constant number) pairs that a new frame is preloaded with."""
    cells: list[int]
    """Slots that receive the captured cells of the function value, in the order of ``MakeFunction.cells``."""
    blocks: list[Block]
    """Entry is block 0."""
    names: list[str]
    """Source names of the first slots (parameters and locals), for messages and people."""


class ValueConstant(msgspec.Struct, frozen=True, array_like=True, tag="value"):
    """An immutable durable value in its wire form (scalars, text, tuples and frozensets of them, enum members)."""

    wire: bytes


class FunctionConstant(msgspec.Struct, frozen=True, array_like=True, tag="function"):
    """Compiled function number ``function`` as a value (its defaults are in its parameters)."""

    function: int


class BuiltinConstant(msgspec.Struct, frozen=True, array_like=True, tag="builtin"):
    """A name of ``ir.language.BUILTINS`` (``len``, ``asyncio.gather``, ``math.floor``, ``ValueError`` …)."""

    name: str


class ActionConstant(msgspec.Struct, frozen=True, array_like=True, tag="action"):
    """Action number ``action`` of the program."""

    action: int


class TypeConstant(msgspec.Struct, frozen=True, array_like=True, tag="type"):
    """Type number ``entry`` of the type table as a value."""

    entry: int


Constant = ValueConstant | FunctionConstant | BuiltinConstant | ActionConstant | TypeConstant


class ActionEntry(msgspec.Struct, frozen=True, array_like=True):
    """An action that the program may call: key ``module:name``, its parameters, its default policy."""

    key: str
    name: str
    parameters: list[Parameter]
    """Defaults are not stored: a required parameter has ``default`` NONE, an optional one 0."""
    policy: StoredPolicy | None = None


class TypeEntry(msgspec.Struct, frozen=True, array_like=True):
    """A type of the program: its descriptor, and what of its own code was compiled in."""

    descriptor: Descriptor
    methods: dict[str, int] = {}
    """Method name → function number (``self`` is parameter 0)."""
    static_methods: dict[str, int] = {}
    class_methods: dict[str, int] = {}
    properties: dict[str, int] = {}
    """Name → function number of the getter; ``name.setter`` and ``name.deleter`` beside it, and for a cached property
    ``name.cached`` alone: the function that also keeps what it gives."""
    constructor: int = NONE
    """Function number of a compiled ``__init__``, or NONE: the generated one."""
    uncompiled: dict[str, str] = {}
    """Name → reason of methods, properties and special methods that the class has but the program lacks: using
    one fails with ``UnsupportedOperation``, it never acts as if it were not there."""
    attributes: dict[str, bytes] = {}
    """Plain class attributes that the program mentions (no fields): name → wire form of an immutable value;
    under ``library.ANSWERS``, which abstract classes it passes for."""
    member_attributes: dict[str, dict[str, bytes]] = {}
    """Of an enum whose members have attributes of their own: member → name → wire form of an immutable value."""


class Program(msgspec.Struct, frozen=True, array_like=True):
    """One compiled workflow. Function 0 is ``run``; its parameter 0 is ``self``.

    ``globals`` are durable wire forms of captured mutable module-level values; each instance decodes
    its own copies once. ``attributes`` are the captured class attributes of the workflow.
    """

    format: int
    semantics: int
    workflow: str
    functions: list[Function]
    constants: list[Constant]
    globals: list[bytes]
    attributes: dict[str, bytes]
    types: list[TypeEntry]
    actions: list[ActionEntry]
    returns: Annotation
    """Return annotation of ``run`` in the closed grammar; the caller coerces to it."""
    class_name: str = ""
    """Name of the workflow's class, for messages that name it."""


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Where in the source file: 1-based lines, 0-based character columns, end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Spans(msgspec.Struct, frozen=True, array_like=True):
    """Beside a program, outside its digest: file name and one span per instruction, then the terminator.

    ``spans[function][block][i]``; methods inherited from other files share ``filename`` of the class and
    carry their own name in ``files[function]``.
    """

    filename: str
    files: list[str]
    spans: list[list[list[Span]]]
