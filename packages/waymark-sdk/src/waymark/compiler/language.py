"""A host object goes in; the name that the workflow language has for it, or why it has none, comes out."""

from __future__ import annotations

import builtins
import logging
import numbers as _numbers  # noqa: F401 - looked up by name
import sys
import typing
from types import FunctionType, ModuleType
from typing import Any, TypeGuard

from waymark import errors
from waymark.compiler.diagnostics import MOVE_TO_ACTION
from waymark.compiler.durable import holds_itself, holds_names
from waymark.compiler.prelude.names import PRELUDE
from waymark_schema import failures
from waymark_schema.ir import policies
from waymark_schema.ir.language import BUILTINS
from waymark_schema.ir.library import ABSTRACT

_OWN = (policies, failures, errors)

_EXPOSED = "a secret that a workflow makes would stand in its journal for everybody to read"
_NOT_A_CLOCK = (
    "it counts from another moment in every process, so it means nothing after a recovery"
)
_IN_ACTION = "make it in an @action function, which keeps it or hands out a reference to it"
_WALL = "use time.time(), which is recorded"
UNRECORDED: dict[str, tuple[str, str]] = {
    **{
        f"time.{name}": (_NOT_A_CLOCK, _WALL)
        for name in ("monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time")
    },
    **{
        f"time.{name}": (
            "it depends on the clock and the time zone of the process",
            "use datetime.now(tz)",
        )
        for name in ("localtime", "gmtime", "ctime", "asctime", "strftime", "mktime", "tzset")
    },
    "time.sleep": (
        "it would stop every other workflow of the pool",
        "write `await asyncio.sleep(seconds)`",
    ),
    "uuid.uuid1": (
        "it shows the address of the machine that happens to run the workflow",
        "use uuid.uuid4()",
    ),
    "uuid.getnode": (
        "it shows the address of the machine that happens to run the workflow",
        "use uuid.uuid4()",
    ),
    "random.seed": (
        "it would change the numbers of every other workflow of the pool",
        "use random.Random(seed)",
    ),
    "random.getstate": (
        "it belongs to the process, not to the workflow",
        "use random.Random(seed)",
    ),
    "random.setstate": (
        "it belongs to the process, not to the workflow",
        "use random.Random(seed)",
    ),
    "random.SystemRandom": (_EXPOSED, _IN_ACTION),
    "os.urandom": (_EXPOSED, _IN_ACTION),
    "os.getenv": ("it may say something else in every process", "pass it as an input of run()"),
    "os.environ": ("it may say something else in every process", "pass it as an input of run()"),
}
"""Clocks and sources of chance that are not recorded: why, and what to write instead."""
_LOOP = "await what the loop is needed for; asyncio.get_running_loop().time() is its clock"
_NO_THREAD = "make the function an @action (a plain `def` runs in a thread)"
_NO_WORLD = "do this in an @action function and await it"
ASYNCIO_INSTEAD = {
    "run": "await the coroutine: the workflow runs in a loop already",
    "Runner": "await the coroutine: the workflow runs in a loop already",
    **dict.fromkeys(("get_event_loop", "new_event_loop", "set_event_loop"), _LOOP),
    "AbstractEventLoop": _LOOP,
    "all_tasks": "keep your tasks in a list",
    "Future": "use asyncio.Event, asyncio.Queue or a task",
    "Task": "make one with asyncio.create_task(...); keep a name of your own to tell it by",
    "Barrier": "count who arrives, and let the last one set an asyncio.Event that the others wait for",
    "Timeout": "use asyncio.timeout(...)",
    "eager_task_factory": "use asyncio.create_task(...)",
    "to_thread": _NO_THREAD,
    "run_coroutine_threadsafe": _NO_THREAD,
    **dict.fromkeys(
        "open_connection start_server open_unix_connection start_unix_server create_subprocess_exec"
        " create_subprocess_shell".split(),
        _NO_WORLD,
    ),
}
_NO_CALLBACKS = "await the task in a helper coroutine, and do there what comes after it"
_NO_CALLS_LATER = "make a task of a helper coroutine that sleeps first"
METHODS_INSTEAD = {
    "add_done_callback": _NO_CALLBACKS,
    "remove_done_callback": _NO_CALLBACKS,
    "run_in_executor": _NO_THREAD,
    "call_soon": _NO_CALLS_LATER,
    "call_later": _NO_CALLS_LATER,
    "call_at": _NO_CALLS_LATER,
    "run_until_complete": "await the coroutine",
    "create_future": "use asyncio.Event, asyncio.Queue or a task",
}
"""Methods of asyncio's tasks and loops that no workflow can call, unless a class of its own has them."""
STABLE_MODULES = {
    "asyncio", "math", "string", "http", "datetime", "errno", "calendar", "decimal", "uuid", "re",
}  # fmt: skip
"""Standard modules whose constants are the same everywhere."""
LEVELS = {"CRITICAL", "DEBUG", "ERROR", "FATAL", "INFO", "NOTSET", "WARN", "WARNING"}
"""What else of ``logging`` is: the rest is there to be set up by the process."""


class Names:
    """The callable names of the language by identity of the host object."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._kept: list[object] = []
        for name in BUILTINS:
            found = _host(name)
            if found is not None and id(found) not in self._names:
                self._names[id(found)] = name
                self._kept.append(found)
        self.abstract: dict[str, type] = {
            name: cls for name in ABSTRACT if isinstance(cls := _host(name), type)
        }
        """Classes that are only asked for, by name."""
        self._compiled: dict[int, FunctionType] = {}
        for name, function in PRELUDE.items():
            found = _host(name)
            if found is not None:
                self._compiled[id(found)] = function
                self._kept.append(found)

    def of(self, value: object) -> str | None:
        """Return the name in ``ir.language.BUILTINS`` of a host object, or None."""
        return self._names.get(id(value))

    def alias(self, value: Any) -> str | None:
        """Return the name of the class that an alias of ``typing`` stands for (``typing.Mapping``, ``typing.List``), or None."""
        name = getattr(value, "_name", None) if type(value).__module__ == "typing" else None
        if not isinstance(name, str) or getattr(typing, name, None) is not value:
            return None
        return self.of(getattr(value, "__origin__", None))

    def compiled(self, value: object) -> FunctionType | None:
        """Return the function of the prelude that stands for a host object, or None."""
        return self._compiled.get(id(value))


def _host(name: str) -> object | None:
    module, _, attribute = name.rpartition(".")
    if not module:
        return getattr(builtins, name, None)
    places = _OWN if module == "waymark" else (sys.modules.get(module),)
    for place in places:
        found = getattr(place, attribute, None)
        if found is not None:
            return found  # type: ignore[no-any-return]  # whatever object has that name
    return None


def refuse_attribute(owner: str, attribute: str) -> tuple[str, str, str] | None:
    """Code, message and rewrite for an attribute of a module or builtin type that cannot be used, or None."""
    name = f"{owner}.{attribute}"
    if owner == "secrets":
        return "WM125", f"`{name}` cannot be used in a workflow: {_EXPOSED}", _IN_ACTION
    if name in UNRECORDED:
        why, instead = UNRECORDED[name]
        return "WM125", f"`{name}` cannot be used in a workflow: {why}", instead
    return None


PRINT = "use print(…): it goes to the run's log"
LOGGER = "bind the logger once at module level, and call its methods: `logger.info(…)`"
CONTEXT = "keep the value in an attribute of `self`, or pass it as an argument"
INSTEAD: dict[str, dict[str, str]] = {
    "logging": {"getLogger": LOGGER},
    "dataclasses": {
        "fields": "take names and values from `dataclasses.asdict(value)`",
        "field": "write the class at module level",
        "make_dataclass": "write the class at module level",
    },
    "builtins": {
        "vars": "take names and values from `dataclasses.asdict(value)` or `value.model_dump()`",
        "setattr": "assign to the attribute by its name: `value.name = …`",
        "delattr": "delete the attribute by its name: `del value.name`",
        "hash": "use the value itself as the key, or a digest from hashlib",
        "id": "compare with `is`, or give the value an id of its own",
        "input": "pass it as an input of run()",
    },
    "operator": {
        "attrgetter": "call it with constant names, or write `lambda value: value.name`",
        "methodcaller": "call it with a constant name, or write `lambda value: value.name(…)`",
    },
    "functools": {
        "lru_cache": "keep the results in a dict",
        "cache": "keep the results in a dict",
        "cached_property": "decorate a method of a class of values with it",
        "singledispatch": "write `match` or a chain of isinstance()",
        "partialmethod": "write a method",
        "wraps": "define the function with a plain `def`",
    },
    "_contextvars": dict.fromkeys(("ContextVar", "Context", "Token", "copy_context"), CONTEXT),
    "calendar": {
        "monthrange": "the last day of a month is `(day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)`"
    },
    "json": {"dump": "use json.dumps()", "load": "use json.loads()"},
    "json.encoder": {"JSONEncoder": "give json.dumps() a function as default="},
    "json.decoder": {"JSONDecoder": "give json.loads() a function as object_hook="},
    "collections": {"ChainMap": "merge the dicts: `{**second, **first}`"},
    "collections.abc": dict.fromkeys(
        ("ByteString", "Buffer"), "name the types: `isinstance(x, (bytes, bytearray))`"
    ),
    "string": {"Template": "use an f-string or str.format()"},
    "time": {"strptime": "use datetime.strptime()"},
    "pprint": {"pformat": "use json.dumps(value, indent=2) or repr()"},
}
"""What to write in place of well-known functions, by module and name."""


def refuse_object(name: str, value: object) -> tuple[str, str, str]:
    """Code, message and rewrite for a host function, class or module member without a name in the language."""
    module = getattr(value, "__module__", None) or ""
    own = getattr(value, "__name__", "")
    top = module.partition(".")[0]
    if top in {"asyncio", "_asyncio"}:
        instead = ASYNCIO_INSTEAD.get(own, "use await, asyncio.gather and asyncio.sleep")
        return "WM124", f"`{name}` cannot be used in a workflow", instead
    refused = refuse_attribute({"posix": "os", "_random": "random"}.get(module, module), own)
    if refused is not None:
        return refused
    if own in INSTEAD.get(module, {}):
        return "WM124", f"`{name}` is not part of the workflow language", INSTEAD[module][own]
    if module == "builtins":
        return "WM124", f"builtin `{name}` cannot be used in a workflow", MOVE_TO_ACTION
    if isinstance(value, type) and top not in sys.stdlib_module_names:
        return (
            "WM123",
            f"class `{name}` is not a pydantic model, dataclass, named tuple, enum or exception",
            f"make it a dataclass or a pydantic model, or {MOVE_TO_ACTION}",
        )
    return "WM124", f"`{name}` is not part of the workflow language", MOVE_TO_ACTION


def instead_of_capturing(value: object, instead: str) -> str:
    """What to do in place of capturing ``value``: ``instead``, unless its kind needs something else."""
    cyclic = holds_itself(value)
    if cyclic or holds_names(value):
        return "build it inside run()" if cyclic else BUILD_INSIDE
    match type(value).__module__.partition(".")[0]:
        case "_contextvars":
            return CONTEXT
        case "asyncio" | "_asyncio":
            return "make it in run(), and keep it in a variable or on self: it belongs to one run"
        case "logging" if is_logger(value):
            return LOGGER
        case "logging" | "loguru" | "structlog":
            return PRINT
        case _:
            return instead


def is_logger(value: object) -> TypeGuard[logging.Logger]:
    """Whether a workflow may call the methods of ``value``: those of other classes may do anything."""
    return type(value) in {logging.Logger, logging.RootLogger}


BUILD_INSIDE = "build it inside run(): classes and functions can stand in it there"
_READ_AS_VALUES = {"add_done_callback", "remove_done_callback", "run_in_executor"}


def instead_of_reading(attribute: str) -> tuple[str, str] | None:
    """Why no workflow has a use for an attribute that is read without a call, and what to write instead, or None."""
    if attribute not in _READ_AS_VALUES:
        return None
    return f"`{attribute}` cannot be used in a workflow", METHODS_INSTEAD[attribute]


def is_stable(module: ModuleType, name: str) -> bool:
    """Whether ``name``, if it is a scalar constant of a module, is the same in every process."""
    return module.__name__ in STABLE_MODULES or (module.__name__ == "logging" and name in LEVELS)


def instead_of_starting(workflow: type) -> tuple[str, str]:
    """Return why a workflow cannot be used in another one, and what to write instead."""
    return (
        f"`{workflow.__name__}` is a workflow; starting one from another is not available yet",
        "call its helper functions, or start it from an @action function",
    )
