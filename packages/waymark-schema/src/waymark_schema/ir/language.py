"""Names of the language: operators, builtins, methods and recorded values that a workflow may use.

Data only: the compiler accepts what stands here, the machine implements it, the reference page is
generated from it. A name that is not here does not exist for a workflow.
"""

from dataclasses import dataclass

UNARY = ("not", "-", "+", "~")
BINARY = ("+", "-", "*", "/", "//", "%", "**", "@", "<<", ">>", "&", "|", "^")
COMPARE = ("==", "!=", "<", "<=", ">", ">=", "is", "is not", "in", "not in")


@dataclass(frozen=True, slots=True)
class Builtin:
    """What the compiler must know of a builtin name.

    ``callbacks`` names the keyword or positional parameters that may hold compiled functions: a call
    that gives one is a ``Call`` terminator, any other is ``CallPure``. ``awaitable`` calls give
    something to await.
    """

    callbacks: tuple[str, ...] = ()
    awaitable: bool = False


EXCEPTIONS = (
    "BaseException Exception ArithmeticError AssertionError AttributeError BufferError "
    "ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError BrokenPipeError "
    "EOFError FileExistsError FileNotFoundError FloatingPointError IndexError InterruptedError "
    "IsADirectoryError KeyError LookupError MemoryError NotADirectoryError NotImplementedError OSError "
    "OverflowError PermissionError ProcessLookupError RecursionError ReferenceError RuntimeError "
    "StopIteration StopAsyncIteration SyntaxError SystemError TimeoutError TypeError UnboundLocalError "
    "NameError UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError ZeroDivisionError "
    "asyncio.CancelledError asyncio.TimeoutError asyncio.InvalidStateError asyncio.QueueEmpty "
    "waymark.ActionTimeout waymark.WorkerCrashed waymark.ExhaustedRetriesError waymark.SerializationError "
    "waymark.WaymarkError waymark.WorkflowFailed waymark.WorkflowCancelled"
).split()
"""Exception classes a workflow may name, construct, raise and catch; builtin ones without module."""

TYPES = (
    "bool int float str bytes bytearray list tuple dict set frozenset range slice object "
    "datetime.datetime datetime.date datetime.time datetime.timedelta datetime.timezone zoneinfo.ZoneInfo "
    "decimal.Decimal uuid.UUID fractions.Fraction pathlib.PurePosixPath pathlib.Path "
    "collections.deque collections.Counter collections.OrderedDict collections.defaultdict "
    "waymark.RetryPolicy waymark.Backoff waymark.BackoffPolicy"
).split()
"""Classes that are values: callable where construction is pure, and usable with ``isinstance``."""

BUILTINS: dict[str, Builtin] = {
    **{name: Builtin() for name in EXCEPTIONS},
    **{name: Builtin() for name in TYPES},
    **{
        name: Builtin()
        for name in (
            "len iter next type callable hasattr getattr oct ascii enumerate zip reversed sum any all abs "
            "round divmod pow repr format chr ord hex bin isinstance issubclass print"
        ).split()
    },
    "sorted": Builtin(callbacks=("key",)),
    "min": Builtin(callbacks=("key",)),
    "max": Builtin(callbacks=("key",)),
    "map": Builtin(callbacks=("0",)),
    "filter": Builtin(callbacks=("0",)),
    "asyncio.sleep": Builtin(awaitable=True),
    "asyncio.gather": Builtin(awaitable=True),
    "dataclasses.replace": Builtin(),
}
"""Every callable name of the language, by its qualified name; builtins without module."""

RECORDED: tuple[str, ...] = ()
"""Names whose value is recorded in the journal (``datetime.now`` and the like): not accepted yet."""

CALLBACK_METHODS: dict[str, tuple[str, ...]] = {"sort": ("key",)}
"""Methods whose keyword may hold a compiled function."""
