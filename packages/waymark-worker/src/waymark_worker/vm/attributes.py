"""A value and a constant name come in; the attribute's value, or CPython's error, goes out."""

from __future__ import annotations

import dataclasses
import enum
from decimal import Context
from typing import Any

from pydantic import BaseModel

from waymark_schema.values.faults import changed, is_stand_in
from waymark_worker.vm import decimals
from waymark_worker.vm.callables import BoundMethod, Builtin, FunctionValue
from waymark_worker.vm.methods import (
    ATTRIBUTES,
    CLASS_ATTRIBUTES,
    CLASS_METHODS,
    METHODS,
    NAMES,
    lookup,
)
from waymark_worker.vm.names import RECORDS, STANDING_FOR, public_name, type_name
from waymark_worker.vm.refusals import (
    no_identity,
    unsupported_method,
    unsupported_operation,
)

STATIC: dict[str, Builtin] = {}
"""Methods taken from their type (``str.lower``, ``dict.fromkeys``), by qualified name."""

_EXCEPTION_FIELDS = frozenset(
    {"args", "__cause__", "__context__", "__suppress_context__", "__notes__"}
)
_NATIVE_FIELDS: tuple[tuple[type[BaseException], frozenset[str]], ...] = (
    (OSError, frozenset({"errno", "strerror", "filename", "filename2"})),
    (StopIteration, frozenset({"value"})),
    (SystemExit, frozenset({"code"})),
    (UnicodeDecodeError, frozenset({"encoding", "object", "start", "end", "reason"})),
    (UnicodeEncodeError, frozenset({"encoding", "object", "start", "end", "reason"})),
    (AttributeError, frozenset({"name"})),
    (NameError, frozenset({"name"})),
    (ImportError, frozenset({"name", "path", "msg"})),
    (
        SyntaxError,
        frozenset({"msg", "filename", "lineno", "offset", "text", "end_lineno", "end_offset"}),
    ),
    (BaseExceptionGroup, frozenset({"message", "exceptions"})),
)
_HEAP_TYPE = 1 << 9
_PRIVATE = "__waymark"
"""Names that the machine itself hangs on exceptions and shadow classes."""


def type_of(value: Any) -> type:
    """Give ``type(value)``."""
    kind: type = type(value)
    if kind in RECORDS:
        what = f"type() of a {RECORDS[kind]}"
        raise unsupported_operation(what, "ask callable(value), or keep a name beside it")
    return kind


def get_attr(obj: Any, name: str) -> Any:
    """Give ``obj.name``."""
    kind = type(obj)
    readers = ATTRIBUTES.get(kind)
    if readers is not None and name in readers:
        return readers[name](obj)
    if kind in METHODS:
        if name in METHODS[kind]:
            return BoundMethod(obj, name, METHODS[kind][name])
        if isinstance(obj, BaseException):
            found, value = _exception_field(obj, name)
            if found:
                return value
    elif isinstance(obj, type):
        return _class_attribute(obj, name)
    else:
        found, value = _field(obj, name)
        if found:
            return value
    return _rarely(obj, kind, name)


def _rarely(obj: Any, kind: type, name: str) -> Any:
    if name == "__class__":
        return type_of(obj)
    method = lookup(kind, name)
    if method is not None:
        return BoundMethod(obj, name, method)
    of_class = CLASS_METHODS.get(kind, {}).get(name)
    if of_class is not None:
        return BoundMethod(kind, name, of_class)
    if name in CLASS_ATTRIBUTES.get(kind, ()):
        return CLASS_ATTRIBUTES[kind][name]
    raise missing(obj, name)


def _field(obj: Any, name: str) -> tuple[bool, Any]:
    """Read a field of a shadow object, an enum member or an exception."""
    if isinstance(obj, BaseException):
        return _exception_field(obj, name)
    if isinstance(obj, enum.Enum):
        own = name in {"name", "value", "_name_", "_value_"} or (
            name in obj.__dict__ and not name.startswith("_")
        )
        return (True, getattr(obj, name)) if own else (False, None)
    kind: Any = type(obj)
    if isinstance(obj, BaseModel):
        if (
            name in kind.model_fields
            or name in (obj.__pydantic_extra__ or {})
            or name in kind.__private_attributes__
            or (name in obj.__dict__ and not name.startswith("__"))
        ):
            return True, getattr(obj, name)
    elif dataclasses.is_dataclass(obj):
        if name in kind.__dataclass_fields__ or name in getattr(obj, "__dict__", ()):
            return True, getattr(obj, name)
    elif isinstance(obj, tuple) and (name in getattr(kind, "_fields", ()) or name == "_fields"):
        return hasattr(kind, "_fields"), getattr(obj, name, None)
    return False, None


def _exception_field(error: BaseException, name: str) -> tuple[bool, Any]:
    if name.startswith(_PRIVATE):
        return False, None
    if name in error.__dict__ and name != "__traceback__":
        return True, error.__dict__[name]
    known = name in _EXCEPTION_FIELDS or any(
        isinstance(error, native) and name in names for native, names in _NATIVE_FIELDS
    )
    if known and hasattr(error, name):
        return True, getattr(error, name)
    return False, None


def _class_attribute(cls: type, name: str) -> Any:
    if name in {"__name__", "__qualname__"}:
        return getattr(cls, name)
    if isinstance(cls, enum.EnumMeta) and name in cls.__members__:
        return cls.__members__[name]
    if name in CLASS_ATTRIBUTES.get(cls, ()):
        return CLASS_ATTRIBUTES[cls][name]
    if cls in NAMES:
        static = STATIC.get(f"{NAMES[cls]}.{name}")
        if static is not None:
            return static
    elif issubclass(cls, BaseModel | tuple):
        return _shadow_class_attribute(cls, name)
    raise missing(cls, name)


def _shadow_class_attribute(cls: type, name: str) -> Any:
    if issubclass(cls, BaseModel):
        method = CLASS_METHODS[BaseModel].get(name)
        if method is not None:
            return BoundMethod(cls, name, method)
    elif name == "_fields" and hasattr(cls, "_fields"):
        return cls._fields
    elif name == "_make" and hasattr(cls, "_make"):
        return BoundMethod(cls, name, lambda owner, *args: owner._make(*args))
    raise missing(cls, name)


def missing(obj: Any, name: str) -> BaseException:
    """Give what a lookup of ``name`` must raise: CPython's error, or a refusal if CPython has the name."""
    kind = type(obj)
    if kind in RECORDS and (kind not in STANDING_FOR or _has(STANDING_FOR[kind], name)):
        return unsupported_method(public_name(kind), name)
    if isinstance(obj, type):
        return _missing_on_class(obj, name)
    if name in {"__hash__", "__dict__"}:
        return no_identity(f"{type_name(obj)}.{name}")
    absent = isinstance(obj, BaseException) and name == "__notes__"
    if (_has(kind, name) and not absent) or is_stand_in(kind):
        # Of the class of a stand-in only the name is known: it may well have this attribute.
        return unsupported_method(public_name(type(obj)), name)
    return AttributeError(
        f"{type_name(obj)!r} object has no attribute {name!r}", name=name, obj=obj
    )


def _missing_on_class(cls: type, name: str) -> BaseException:
    if _has(cls, name) or _has(type(cls), name):
        return unsupported_method(cls.__name__, name)
    if issubclass(cls, BaseModel):
        return AttributeError(name)
    return AttributeError(
        f"type object {cls.__name__!r} has no attribute {name!r}", name=name, obj=cls
    )


def _has(cls: type, name: str) -> bool:
    return any(name in vars(ancestor) for ancestor in cls.__mro__)


def set_attr(obj: Any, name: str, value: Any) -> None:
    """Do ``obj.name = value``."""
    if isinstance(obj, Context):
        decimals.set_field(obj, name, value)
        return
    _check_writable(obj, name)
    setattr(obj, name, value)


def put_attr(*args: Any, **keywords: Any) -> None:
    """Do ``object.__setattr__(obj, name, value)``: a frozen dataclass does not refuse that."""
    if len(args) == 3 and not keywords and isinstance(args[1], str):  # noqa: PLR2004 - as CPython counts
        obj, name, _ = args
        plain = isinstance(obj, BaseException) or dataclasses.is_dataclass(type(obj))
        if not plain:
            what = f"object.__setattr__ of a {public_name(type(obj))}"
            raise unsupported_operation(what, "assign to the attribute: `value.name = …`")
        _check_writable(obj, name)
    object.__setattr__(*args, **keywords)


def del_attr(obj: Any, name: str) -> None:
    """Do ``del obj.name``."""
    _check_writable(obj, name)
    delattr(obj, name)


def _check_writable(obj: Any, name: str) -> None:
    """Raise what CPython raises, or a refusal, unless the host's own assignment may go on."""
    kind = type(obj)
    if isinstance(obj, BaseException):
        if name.startswith("__") and name not in _EXCEPTION_FIELDS:
            raise unsupported_method(public_name(type(obj)), name)
        if name == "object" and isinstance(obj, UnicodeError):
            # The host reads it without a look at its type.
            what = f"assigning to attribute {name!r} of a {public_name(type(obj))}"
            raise unsupported_operation(what, "raise an error of your own")
        if not name.startswith("__"):
            changed(obj, name)
        return
    if kind in RECORDS or isinstance(obj, type):
        what = f"assigning to attribute {name!r} of a {public_name(type(obj))}"
        raise unsupported_operation(
            what, "keep the value in a variable, a dict or a field of your own"
        )
    if kind in NAMES or not _is_shadow(obj):
        raise _read_only(obj, kind, name)
    if is_reserved(obj, name):
        raise unsupported_method(public_name(type(obj)), name)
    if isinstance(obj, enum.Enum) and name not in {"name", "value"}:
        what = f"assigning to attribute {name!r} of the enum member {obj!r}"
        raise unsupported_operation(what, "keep the value in a dict keyed by the member")


def is_reserved(obj: Any, name: str) -> bool:
    """Whether the host itself may look ``obj.name`` up, and call what it finds: pydantic does that with its own."""
    own = name.startswith("_") and isinstance(obj, BaseModel) and hasattr(BaseModel, name)
    return own or name.startswith("__")


def _is_shadow(obj: Any) -> bool:
    fields = isinstance(obj, tuple) and hasattr(type(obj), "_fields")
    return isinstance(obj, BaseModel | enum.Enum) or dataclasses.is_dataclass(obj) or fields


def _read_only(obj: Any, kind: type, name: str) -> BaseException:
    if hasattr(obj, "__dict__"):
        return unsupported_operation(
            f"assigning to attribute {name!r} of a {public_name(type(obj))}",
            "keep the value beside it",
        )
    if _has(kind, name) and kind.__flags__ & _HEAP_TYPE:
        return unsupported_operation(
            f"assigning to attribute {name!r} of a {public_name(type(obj))}", "make a new value"
        )
    if kind.__flags__ & _HEAP_TYPE:
        return AttributeError(
            f"{type_name(obj)!r} object has no attribute {name!r}", name=name, obj=obj
        )
    try:
        setattr(obj, name, None)
    except (AttributeError, TypeError) as error:
        return error.with_traceback(None)
    return unsupported_operation(
        f"assigning to attribute {name!r} of a {public_name(type(obj))}", "make a new value"
    )


def load_method(obj: Any, name: str) -> Any:
    """Look ``obj.name`` up for a call that comes after the arguments are evaluated."""
    return get_attr(obj, name)


ATTRIBUTES[FunctionValue] = {"__name__": lambda function: function.function.name}
