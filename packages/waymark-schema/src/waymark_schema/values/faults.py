"""Exceptions as durable parts: an exception in, what can be kept of it out, and back without user code."""

from __future__ import annotations

import builtins
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from pydantic import ValidationError

from waymark_schema.failures import DURABLE_FAILURES, PUBLIC_MODULE
from waymark_schema.values import validation
from waymark_schema.values.naming import is_qualified_name, module_of

TEXT_LIMIT = 64 * 1024
CHAIN_LIMIT = 16
"""Causes and contexts that are kept behind one exception."""
MARK = "__waymark__"
"""Key in the ``__dict__`` of a rebuilt exception under which its ``Remains`` stand."""
_OWN = "__waymark"
"""How the names begin that Waymark itself hangs on exceptions."""

BUILTIN: dict[str, type[BaseException]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__name__ == name
}
"""Builtin exception classes by name (aliases such as ``IOError`` left out)."""


class FaultParts(msgspec.Struct, array_like=True, eq=False):
    """What is kept of an exception. ``type`` is its number among the value's type references, -1 for a builtin."""

    qualname: str
    """``module:Qual.Name``, or the bare name of a builtin class."""
    type: int
    bases: list[str]
    """Names of its base classes in method resolution order, builtin ones without module."""
    args: Any
    attributes: Any
    """Its ``__dict__`` and the attributes of builtin classes that ``args`` do not give, durable ones only."""
    message: str
    """``str()`` of it where it was raised."""
    text: str
    """``repr()`` of it."""
    notes: list[str] = []
    cause: Any = None
    context: Any = None
    suppress_context: bool = False
    exceptions: Any = None
    """Sub-exceptions of a group."""
    traceback: str = ""
    findings: Any = None
    """What a pydantic ``ValidationError`` is made of: see ``values.validation``."""

    @property
    def name(self) -> str:
        """The class name alone."""
        return self.qualname.rpartition(":")[2].rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Remains:
    """What a rebuilt exception still knows of where it was raised."""

    qualname: str
    message: str | None
    """None, like ``text``: what builtin classes make it of was changed since."""
    text: str | None
    traceback: str
    bases: tuple[str, ...] = ()
    changed: bool = False
    """Whether any of its attributes was set since."""


_OF_PYDANTIC = {f"{module_of(ValidationError)}:{ValidationError.__qualname__}": ValidationError}


def qualified(cls: type) -> str:
    """The name of an exception class on the wire."""
    if BUILTIN.get(cls.__name__) is cls:
        return cls.__name__
    if DURABLE_FAILURES.get(cls.__name__) is cls:
        return f"{PUBLIC_MODULE}:{cls.__name__}"
    return f"{module_of(cls)}:{cls.__qualname__}"


def well_known(qualname: str) -> type[BaseException] | None:
    """The class of a name that means the same in every process: builtin ones, Waymark's own and pydantic's."""
    if ":" not in qualname:
        return BUILTIN.get(qualname)
    module, _, name = qualname.partition(":")
    return DURABLE_FAILURES.get(name) if module == PUBLIC_MODULE else _OF_PYDANTIC.get(qualname)


def base_names(cls: type) -> list[str]:
    """Names of the exception classes above ``cls``, nearest first."""
    return [qualified(base) for base in cls.__mro__[1:] if issubclass(base, BaseException)]


def is_stand_in(cls: type) -> bool:
    """Whether ``cls`` stands for an exception class that is not at hand."""
    return "__waymark_stand_in__" in vars(cls)


def stand_in(qualname: str, bases: tuple[type[BaseException], ...]) -> type[BaseException]:
    """A class with the name of one that is not at hand; its instances say what the original ones said."""
    if qualname in BUILTIN:
        qualname = f"builtins:{qualname}"
    if not is_qualified_name(qualname):
        qualname = "unknown:Exception"
    module, _, path = qualname.rpartition(":")
    namespace = {
        "__module__": module or "builtins",
        "__qualname__": path,
        "__waymark_stand_in__": True,
    }
    return remembering(type(path.rpartition(".")[2], bases, namespace))


def remembering(cls: type[BaseException]) -> type[BaseException]:
    """Let instances of a class whose user code is not at hand say what the original ones said; returns the class."""
    for name, told in TOLD.items():
        setattr(cls, name, _saying(cls, name, told))
    return cls


def _saying(
    cls: type, name: str, told: Callable[[BaseException], str | None]
) -> Callable[[Any], str]:
    def say(self: BaseException) -> str:
        said = told(self)
        return getattr(super(cls, self), name)() if said is None else said

    say.__name__ = name
    return say


def _told_message(error: BaseException) -> str | None:
    past = remains(error)
    return past.message if past else None


def _told_text(error: BaseException) -> str | None:
    past = remains(error)
    return past.text if past else None


TOLD: dict[str, Callable[[BaseException], str | None]] = {
    "__str__": _told_message,
    "__repr__": _told_text,
}
"""What a rebuilt exception said where it was raised; None for others, and for those with other ``args`` since."""


def changed(error: BaseException, name: str) -> None:
    """Note that an attribute of ``error`` is no longer what it was rebuilt with."""
    past = remains(error)
    if past is None:
        return
    if name == "args" or any(isinstance(error, kind) and name in own for kind, own in _SPECIAL):
        past = replace(past, message=None, text=None)
    error.__dict__[MARK] = replace(past, changed=True)


def is_changed(error: BaseException) -> bool:
    """Whether a method that is not at hand might say something else of ``error`` than it said before."""
    past = remains(error)
    return past is not None and past.changed


def nearest_builtin(parts: FaultParts) -> type[BaseException]:
    """The nearest base that every process knows and that can hold the parts; ``Exception`` if there is none."""
    for name in parts.bases:
        found = well_known(name)
        if found is not None and (parts.exceptions or not issubclass(found, BaseExceptionGroup)):
            return found
    return Exception


_SPECIAL: tuple[tuple[type[BaseException], tuple[str, ...]], ...] = (
    (OSError, ("filename", "filename2")),
    (ImportError, ("name", "path")),
    (NameError, ("name",)),
    (AttributeError, ("name",)),
    (SystemExit, ("code",)),
    (SyntaxError, ("msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset")),
)
"""Attributes that builtin classes keep outside ``__dict__`` and ``args``."""


def _is_own(name: object) -> bool:
    return isinstance(name, str) and (name == "__notes__" or name.startswith(_OWN))


def attributes(error: BaseException) -> dict[str, Any]:
    """Everything that hangs on an exception under a name."""
    found = {
        name: value
        for name, value in error.__dict__.items()
        if not _is_own(name) and isinstance(name, str)
    }
    for kind, names in _SPECIAL:
        if isinstance(error, kind):
            found.update(
                (name, value) for name in names if (value := getattr(error, name, None)) is not None
            )
    return found


def notes(error: BaseException) -> list[str]:
    """The notes that are text, bounded."""
    given = getattr(error, "__notes__", None)
    return (
        [note[:TEXT_LIMIT] for note in given if isinstance(note, str)][:100]
        if isinstance(given, list)
        else []
    )


def remains(error: BaseException) -> Remains | None:
    """What ``error`` was rebuilt from, if it was."""
    found = error.__dict__.get(MARK)
    return found if isinstance(found, Remains) else None


def message(error: BaseException) -> str:
    """``str(error)``, bounded; a class whose ``__str__`` fails gets a placeholder."""
    try:
        return str(error)[:TEXT_LIMIT]
    except Exception as broken:  # noqa: BLE001 - user code; its failure must not hide the exception
        return f"<{type(error).__qualname__} whose str() raised {type(broken).__qualname__}>"


def text(error: BaseException) -> str:
    """``repr(error)``, bounded likewise."""
    try:
        return repr(error)[:TEXT_LIMIT]
    except Exception as broken:  # noqa: BLE001 - user code; its failure must not hide the exception
        return f"<{type(error).__qualname__} whose repr() raised {type(broken).__qualname__}>"


def traceback_text(error: BaseException) -> str:
    """The formatted traceback: of this process if it was raised here, else the one it came with."""
    if error.__traceback__ is None:
        past = remains(error)
        return past.traceback if past else ""
    try:
        lines = traceback.format_exception(
            type(error), error, error.__traceback__, limit=-50, chain=False
        )
    except Exception:  # noqa: BLE001 - a class whose str() fails inside the formatter
        lines = traceback.format_tb(error.__traceback__, limit=-50)
    return "".join(lines)[-TEXT_LIMIT:]


def rebuild(cls: type[BaseException], parts: FaultParts) -> BaseException:
    """An instance of ``cls`` with the parts; only ``__new__`` and ``__init__`` of builtin classes run.

    Raises ``TypeError`` if ``cls`` is a class whose instances only its own module can make.
    """
    args = parts.args if isinstance(parts.args, tuple) else (parts.args,)
    error = _made(cls, args, parts)
    error.args = args
    held = parts.attributes if isinstance(parts.attributes, dict) else {}
    for name, value in held.items():
        _hang(error, name, value)
    for note in parts.notes:
        error.add_note(note)
    error.__cause__ = parts.cause if isinstance(parts.cause, BaseException) else None
    error.__context__ = parts.context if isinstance(parts.context, BaseException) else None
    error.__suppress_context__ = bool(parts.suppress_context)
    error.__dict__[MARK] = Remains(
        parts.qualname, parts.message, parts.text, parts.traceback, tuple(parts.bases)
    )
    return error


def _made(cls: type[BaseException], args: tuple[Any, ...], parts: FaultParts) -> BaseException:
    if cls is ValidationError:
        return validation.read(parts.findings)
    native = next(base for base in cls.__mro__ if BUILTIN.get(base.__name__) is base)
    if issubclass(cls, BaseExceptionGroup):
        first = args[0] if args and isinstance(args[0], str) else parts.message
        subs = [sub for sub in parts.exceptions or () if isinstance(sub, BaseException)]
        if not subs:
            msg = f"exception group {parts.qualname} came without sub-exceptions"
            raise TypeError(msg)
        return native.__new__(cls, first, subs)
    try:
        error = native.__new__(cls, *args)
        native.__init__(error, *args)
    except (TypeError, ValueError, AttributeError):
        error = native.__new__(cls)
    return error


def _hang(error: BaseException, name: str, value: Any) -> None:
    for kind, names in _SPECIAL:
        if isinstance(error, kind) and name in names:
            kind.__dict__[name].__set__(error, value)
            return
    error.__dict__[name] = value


def chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and what hangs behind it, causes first, each once, bounded."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < CHAIN_LIMIT:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
