"""A class and a name go in; what that name is in the class, and by which class, comes out."""

from __future__ import annotations

import dataclasses
import dis
import enum
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any, Literal

from pydantic import BaseModel

from waymark.compiler.prelude.names import ORDERINGS
from waymark_schema.importable import importable_module

OURS = ("waymark", "waymark_schema")
LIBRARIES = frozenset(
    {*OURS, "builtins", "pydantic", "pydantic_core", "annotated_types", "typing_extensions"}
)


@dataclass(frozen=True, slots=True)
class Method:
    """A function in the body of a class."""

    function: FunctionType
    owner: type
    kind: str
    """``method``, ``static`` or ``class``."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its getter, and what sets and deletes it."""

    function: FunctionType
    owner: type
    setter: Accessor = None
    deleter: Accessor = None
    cached: bool = False
    """Whether it is a ``cached_property``: the object keeps what it gives, under the same name."""

    def accessor(self, change: Literal["setter", "deleter"]) -> Accessor:
        """Give what sets or deletes it; None if nothing does."""
        return self.setter if change == "setter" else self.deleter


@dataclass(frozen=True, slots=True)
class Attribute:
    """Any other value in the body of a class."""

    value: object
    owner: type


@dataclass(frozen=True, slots=True)
class Framework:
    """Something that Waymark's own base class offers."""

    name: str


@dataclass(frozen=True, slots=True)
class Strange:
    """A descriptor or callable object that cannot be compiled in."""

    what: str


Accessor = Method | Strange | None
Member = Method | Property | Attribute | Framework | Strange


def is_ours(cls: type) -> bool:
    """Whether Waymark itself defines a class."""
    return cls.__module__.partition(".")[0] in OURS


def package_of(module: str) -> str:
    """Return the top-level package that a module belongs to, as other processes import it."""
    return (importable_module(module) or module).partition(".")[0]


def is_library(module: str) -> bool:
    """Whether a module belongs to Python, pydantic or Waymark, not to the user."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in LIBRARIES


def find(cls: type, name: str, *, after: type | None = None) -> Member | None:
    """What ``name`` is in ``cls``, looked up along its bases (only those ``after`` a class, for ``super()``)."""
    bases = cls.__mro__
    if after is not None:
        bases = bases[bases.index(after) + 1 :]
    for base in bases:
        if base.__module__ == "builtins":
            continue
        if name in vars(base):
            if is_ours(base):
                return Framework(name)
            return member(base, vars(base)[name])
    return None


def class_in(cls: type, name: str) -> type | None:
    """The class that stands in the body of a class, or of a base of it, under a name."""
    found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    return found if isinstance(found, type) else None


def member(owner: type, value: Any) -> Member:
    """What one entry of a class body is."""
    if hasattr(value, "__waymark_action__"):
        return Attribute(value, owner)
    if hasattr(value, "__waymark_run__"):
        # `@workflow` puts what queues a run in the place of `run`; what the user wrote is behind it, here or in a base.
        value = value.__waymark_run__
        owner = [cls for cls in owner.__mro__ if _run_of(cls) is value][-1]
    match value:
        case FunctionType():
            return Method(value, owner, "method")
        case staticmethod() | classmethod():
            return _wrapped(
                owner, value.__func__, "static" if isinstance(value, staticmethod) else "class"
            )
        case (
            property(fget=FunctionType() as getter) | cached_property(func=FunctionType() as getter)
        ):
            return _property(owner, value, getter)
        case _ if callable(value) or hasattr(type(value), "__get__"):
            return Strange(f"an object of class {type(value).__qualname__}")
        case _:
            return Attribute(value, owner)


def _property(
    owner: type, value: property | cached_property[Any], getter: FunctionType
) -> Property:
    if isinstance(value, cached_property):
        return Property(getter, owner, cached=True)
    return Property(
        getter,
        _owner_of(owner, getter),
        _accessor(owner, value.fset, "setter"),
        _accessor(owner, value.fdel, "deleter"),
    )


def _accessor(owner: type, function: Any, kind: str) -> Accessor:
    if function is None:
        return None
    if not isinstance(function, FunctionType):
        return Strange(f"an object of class {type(function).__qualname__}")
    return Method(function, _owner_of(owner, function), kind)


def _owner_of(cls: type, function: FunctionType) -> type:
    """The class in whose body a part of a property was written: ``@Base.x.setter`` takes the others over."""
    return [
        base
        for base in cls.__mro__
        if base is cls
        or any(
            isinstance(value, property) and function in (value.fget, value.fset, value.fdel)
            for value in vars(base).values()
        )
    ][-1]


def _run_of(cls: type) -> Any:
    value = vars(cls).get("run")
    return getattr(value, "__waymark_run__", value)


def _wrapped(owner: type, function: Any, kind: str) -> Member:
    if hasattr(function, "__waymark_action__"):
        return Attribute(function, owner)
    if isinstance(function, FunctionType):
        return Method(function, owner, kind)
    return Strange(f"an object of class {type(function).__qualname__}")


GENERATED = {
    "__init__", "__new__", "__eq__", "__repr__", "__hash__", "__lt__", "__le__", "__gt__", "__ge__",
    "__setattr__", "__delattr__", "__replace__", "__getstate__", "__setstate__", "__signature__",
    "__class_getitem__", "__reduce_ex__", "__reduce__", "__format__", "__str__", "__dir__",
    "__getnewargs__", "__annotate__", "__annotate_func__", "__static_attributes__", "__post_init__",
}  # fmt: skip
"""Special methods that dataclass, enum and namedtuple make by themselves (told from written ones by their code)."""
PLAIN = {"__init__", "__new__", "__post_init__", "__init_subclass__", "__class_getitem__"}
"""Special methods that matter only when an object is made: such a class is opaque, or its ``__init__`` compiled."""


_REVERSIBLE = "add sub mul truediv floordiv mod pow matmul lshift rshift and or xor"
COMPILED = frozenset(
    f"__{name}__"
    for name in (
        "eq ne lt le gt ge hash str repr format bool len contains getitem setitem delitem iter next reversed"
        " call neg pos abs invert int float index round trunc floor ceil divmod rdivmod"
        " enter exit aenter aexit aiter anext"
    ).split()
    + [f"{prefix}{name}" for name in _REVERSIBLE.split() for prefix in ("", "r", "i")]
)
"""Special methods that are compiled in like any other, if their source is in the language."""


def is_special(name: str) -> bool:
    """Whether a name is one of Python's own: ``__name__``."""
    return name.startswith("__") and name.endswith("__")


def special_methods(cls: type) -> Iterator[str]:
    """Names of special methods that the user wrote and that change what an operator or builtin does."""
    for name, value in sorted(vars(cls).items()):
        if not is_special(name) or name in PLAIN:
            continue
        if name == "__new_member__" and issubclass(cls, enum.Enum):
            continue  # ran when the class was made; to call the class is to look a member up
        function = value.fget if isinstance(value, property) else value
        if isinstance(function, FunctionType) and not _generated(cls, name, function):
            yield name


def special_function(cls: type, name: str) -> FunctionType | None:
    """The function behind a special method that can be compiled in, if ``cls`` itself defines one."""
    found = vars(cls).get(name)
    if name not in COMPILED or not isinstance(found, FunctionType):
        return None
    return ordering(found) or (None if _generated(cls, name, found) else found)


def _generated(cls: type, name: str, function: FunctionType) -> bool:
    if function.__code__.co_filename.startswith("<"):
        return True
    if ordering(function) is not None:
        return False
    module = function.__module__.partition(".")[0]
    if module in {
        "dataclasses",
        "enum",
        "pydantic",
        "typing",
        "collections",
        "reprlib",
        "functools",
    }:
        return True
    made = dataclasses.is_dataclass(cls) or issubclass(cls, enum.Enum | BaseModel)
    own = function.__code__.co_filename
    return made and name in GENERATED and any(own.endswith(part) for part in STANDARD_FILES)


def ordering(function: FunctionType) -> FunctionType | None:
    """The function of the prelude for one that ``functools.total_ordering`` made, or None."""
    own = function.__module__ == "functools"
    return ORDERINGS.get(function.__code__.co_name) if own else None


STANDARD_FILES = ("dataclasses.py", "enum.py", "typing.py", "reprlib.py")


def makes_none(cls: type, name: str) -> bool:
    """Whether ``name`` can be called on an abstract class: a static method, or one that never mentions the class."""
    found = find(cls, name)
    if not isinstance(found, Method) or found.kind == "method":
        return False
    code = found.function.__code__
    if found.kind == "static" or not code.co_argcount:
        return found.kind == "static"
    own = code.co_varnames[0]
    mentioned = (each.argval for each in dis.get_instructions(code))
    return not any(own == each or (isinstance(each, tuple) and own in each) for each in mentioned)
