"""Names of the language: operators, builtins, methods and recorded values that a workflow may use.

Data only: the compiler accepts what stands here, the machine implements it, the reference page is
generated from it. A name that is not here does not exist for a workflow.
"""

from dataclasses import dataclass

from waymark_schema.ir import library

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
    "BaseException BaseExceptionGroup Exception ExceptionGroup ArithmeticError AssertionError AttributeError BufferError "
    "ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError BrokenPipeError "
    "EOFError FileExistsError FileNotFoundError FloatingPointError GeneratorExit IndexError InterruptedError "
    "IsADirectoryError KeyError LookupError MemoryError NotADirectoryError NotImplementedError OSError "
    "OverflowError PermissionError ProcessLookupError RecursionError ReferenceError RuntimeError "
    "StopIteration StopAsyncIteration SyntaxError SystemError TimeoutError TypeError UnboundLocalError "
    "NameError UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError ZeroDivisionError "
    "asyncio.CancelledError asyncio.TimeoutError asyncio.InvalidStateError asyncio.QueueEmpty asyncio.QueueFull "
    "waymark.ActionTimeout waymark.WorkerCrashed waymark.ExhaustedRetriesError waymark.SerializationError "
    "waymark.WaymarkError pydantic.ValidationError"
).split() + library.EXCEPTIONS
"""Exception classes a workflow may name, construct, raise and catch; builtin ones without module."""

TYPES = (
    "bool int float str bytes bytearray list tuple dict set frozenset range slice object "
    "datetime.datetime datetime.date datetime.time datetime.timedelta datetime.timezone zoneinfo.ZoneInfo "
    "decimal.Decimal decimal.Context uuid.UUID fractions.Fraction pathlib.PurePosixPath pathlib.Path "
    "collections.deque collections.Counter collections.OrderedDict collections.defaultdict "
    "waymark.RetryPolicy waymark.Backoff waymark.BackoffPolicy"
).split() + library.TYPES
"""Classes that are values: callable where construction is pure, and usable with ``isinstance``."""

ACCESSORS = ("property.__set__", "property.__delete__", "cached_property.__get__")
"""What an assignment to a property and its deletion call with the object, the name and the value, and what keeps
the value of a cached one: no source names them."""

BUILTINS: dict[str, Builtin] = {
    **{name: Builtin() for name in EXCEPTIONS},
    **{name: Builtin() for name in TYPES},
    **{name: Builtin() for name in library.NAMES},
    **{name: Builtin() for name in library.ABSTRACT},
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
    **{
        f"asyncio.{name}": Builtin(awaitable=True)
        for name in ("create_task", "ensure_future", "wait_for", "wait", "shield")
    },
    **{
        f"asyncio.{name}": Builtin()
        for name in (
            "as_completed current_task get_running_loop timeout timeout_at TaskGroup Lock Event Condition "
            "Semaphore BoundedSemaphore Queue PriorityQueue LifoQueue"
        ).split()
    },
    "object.__setattr__": Builtin(),
    "dataclasses.replace": Builtin(),
    "dataclasses.asdict": Builtin(),
    "dataclasses.astuple": Builtin(),
    "dataclasses.is_dataclass": Builtin(),
    "aiter": Builtin(callbacks=("0",)),
    "anext": Builtin(callbacks=("0",), awaitable=True),
    "contextlib.suppress": Builtin(),
    "contextlib.nullcontext": Builtin(),
    **{f"decimal.{name}": Builtin() for name in ("getcontext", "setcontext", "localcontext")},
    "contextlib.contextmanager": Builtin(),
    "contextlib.asynccontextmanager": Builtin(),
    "NotImplemented": Builtin(),
    **{name: Builtin() for name in ACCESSORS},
}
"""Every callable name of the language, by its qualified name; builtins without module.

And one that is not callable: ``NotImplemented``, which a special method returns.
"""

RECORDED: tuple[str, ...] = library.RECORDED
"""Names whose value is recorded in the journal, or drawn from what is (``datetime.now`` and the like)."""

CALLBACK_METHODS: dict[str, tuple[str, ...]] = {"sort": ("key",)}
"""Methods whose keyword may hold a compiled function."""

_TEXT_METHODS = (
    "capitalize center count endswith expandtabs find index isalnum isalpha isascii isdigit islower "
    "isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate "
    "upper zfill"
)
_DICT_METHODS = "clear copy get items keys pop popitem setdefault update values"
_FROZENSET_METHODS = (
    "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
)
_PATH_METHODS = (
    "as_posix is_absolute is_relative_to joinpath match relative_to with_name with_segments with_stem "
    "with_suffix"
)
_PATH_ATTRIBUTES = "anchor drive name parent parts root stem suffix suffixes"

METHODS: dict[str, tuple[str, ...]] = {
    name: tuple(methods.split())
    for name, methods in {
        "str": _TEXT_METHODS
        + " casefold encode format format_map isdecimal isidentifier isnumeric isprintable",
        "bytes": _TEXT_METHODS + " decode hex",
        "bytearray": _TEXT_METHODS
        + " decode hex append clear copy extend insert pop remove reverse",
        "int": "as_integer_ratio bit_count bit_length conjugate is_integer to_bytes",
        "float": "as_integer_ratio conjugate hex is_integer",
        "list": "append clear copy count extend index insert pop remove reverse sort",
        "tuple": "count index",
        "dict": _DICT_METHODS,
        "set": _FROZENSET_METHODS
        + " add clear difference_update discard intersection_update pop remove"
        " symmetric_difference_update update",
        "frozenset": _FROZENSET_METHODS,
        "range": "count index",
        "slice": "indices",
        "dict_keys": "isdisjoint",
        "dict_items": "isdisjoint",
        "datetime.datetime": "astimezone ctime date dst isocalendar isoformat isoweekday replace strftime time"
        " timestamp timetz toordinal tzname utcoffset weekday",
        "datetime.date": "ctime isocalendar isoformat isoweekday replace strftime toordinal weekday",
        "datetime.time": "dst isoformat replace strftime tzname utcoffset",
        "datetime.timedelta": "total_seconds",
        "datetime.timezone": "dst tzname utcoffset",
        "zoneinfo.ZoneInfo": "dst tzname utcoffset",
        "decimal.Decimal": "adjusted as_integer_ratio canonical compare compare_signal compare_total"
        " compare_total_mag conjugate copy_abs copy_negate copy_sign exp fma is_canonical is_finite"
        " is_infinite is_nan is_normal is_qnan is_signed is_snan is_subnormal is_zero ln log10 logb max"
        " max_mag min min_mag next_minus next_plus next_toward normalize number_class quantize radix"
        " remainder_near same_quantum scaleb sqrt to_eng_string to_integral to_integral_exact"
        " to_integral_value",
        "decimal.Context": "copy",
        "fractions.Fraction": "as_integer_ratio conjugate is_integer limit_denominator",
        "pathlib.PurePosixPath": _PATH_METHODS,
        "pathlib.Path": _PATH_METHODS,
        "collections.deque": "append appendleft clear copy count extend extendleft index insert pop"
        " popleft remove reverse rotate",
        "collections.Counter": _DICT_METHODS + " elements most_common subtract total",
        "collections.OrderedDict": _DICT_METHODS + " move_to_end",
        "collections.defaultdict": _DICT_METHODS,
        "BaseException": "add_note",
        "BaseExceptionGroup": "add_note derive split subgroup",
        "pydantic.ValidationError": "add_note error_count errors",
        "pydantic.BaseModel": "model_copy model_dump model_dump_json",
        "namedtuple": "_asdict _replace count index",
        **library.METHODS,
    }.items()
}
"""Methods of each type of value, by the type's name as in ``TYPES`` (and of views, exceptions, models,
named tuples). A name that CPython has and this table lacks ends the instance with ``WM201``."""

_FUTURE_METHODS = "cancel cancelled done exception result"
_QUEUE_METHODS = "empty full get get_nowait join put put_nowait qsize task_done"
RECORD_METHODS: dict[str, tuple[str, ...]] = {
    name: tuple(methods.split())
    for name, methods in {
        "asyncio.Task": _FUTURE_METHODS + " cancelling get_name set_name uncancel",
        "asyncio.gather": _FUTURE_METHODS,
        "asyncio.shield": _FUTURE_METHODS,
        "asyncio.timeout": "expired reschedule when",
        "asyncio.TaskGroup": "create_task",
        "asyncio.Lock": "acquire locked release",
        "asyncio.Event": "clear is_set set wait",
        "asyncio.Condition": "acquire locked notify notify_all release wait wait_for",
        "asyncio.Semaphore": "acquire locked release",
        "asyncio.BoundedSemaphore": "acquire locked release",
        "asyncio.Queue": _QUEUE_METHODS,
        "asyncio.PriorityQueue": _QUEUE_METHODS,
        "asyncio.LifoQueue": _QUEUE_METHODS,
        "asyncio.get_running_loop": "time",
    }.items()
}
"""Methods of what belongs to one run and is no durable value, by what makes it."""

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    name: tuple(attributes.split())
    for name, attributes in {
        "int": "denominator imag numerator real",
        "float": "imag real",
        "range": "start step stop",
        "slice": "start step stop",
        "datetime.datetime": "day fold hour microsecond minute month second tzinfo year",
        "datetime.date": "day month year",
        "datetime.time": "fold hour microsecond minute second tzinfo",
        "datetime.timedelta": "days microseconds seconds",
        "zoneinfo.ZoneInfo": "key",
        "decimal.Decimal": "imag real",
        "decimal.Context": "Emax Emin capitals clamp prec rounding",
        "uuid.UUID": "bytes bytes_le clock_seq clock_seq_hi_variant clock_seq_low fields hex int node"
        " time time_hi_version time_low time_mid urn variant version",
        "fractions.Fraction": "denominator imag numerator real",
        "pathlib.PurePosixPath": _PATH_ATTRIBUTES,
        "pathlib.Path": _PATH_ATTRIBUTES,
        "collections.deque": "maxlen",
        "collections.defaultdict": "default_factory",
        "pydantic.ValidationError": "title",
        "waymark.RetryPolicy": "attempts backoff exception_types",
        "waymark.Backoff": "base factor jitter max",
        **library.ATTRIBUTES,
    }.items()
}
"""Plain attributes of each type of value; fields of models, dataclasses and the like come beside."""

CLASS_METHODS: dict[str, tuple[str, ...]] = {
    name: tuple(methods.split())
    for name, methods in {
        "str": "maketrans",
        "bytes": "fromhex maketrans",
        "bytearray": "fromhex maketrans",
        "int": "from_bytes",
        "float": "fromhex",
        "dict": "fromkeys",
        "datetime.datetime": "combine fromisocalendar fromisoformat fromordinal fromtimestamp strptime",
        "datetime.date": "fromisocalendar fromisoformat fromordinal",
        "datetime.time": "fromisoformat",
        "decimal.Decimal": "from_float",
        "fractions.Fraction": "from_decimal from_float",
        "collections.OrderedDict": "fromkeys",
        "collections.defaultdict": "fromkeys",
        "pydantic.BaseModel": "model_validate model_validate_json",
        "namedtuple": "_make",
    }.items()
}
"""Methods called on the type itself."""

CLASS_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    name: tuple(attributes.split())
    for name, attributes in {
        "datetime.datetime": "max min resolution",
        "datetime.date": "max min resolution",
        "datetime.time": "max min resolution",
        "datetime.timedelta": "max min resolution",
        "datetime.timezone": "max min utc",
    }.items()
}
"""Constants read from the type itself."""
