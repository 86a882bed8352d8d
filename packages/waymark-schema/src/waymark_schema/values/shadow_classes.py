"""A checked descriptor in, a class with the same equality, order, repr and coercion out, by kind."""

from __future__ import annotations

import collections
import dataclasses
import enum
import sys
import typing
import warnings
from collections.abc import Callable
from typing import Any, Protocol, cast

import typing_extensions
from pydantic import BaseModel, Field, PrivateAttr

from waymark_schema.values import descriptors, faults, standard_enums
from waymark_schema.values.descriptors import Descriptor
from waymark_schema.values.errors import DescriptorError
from waymark_schema.values.naming import plain_name

_TypedDict: Any = typing_extensions.TypedDict if sys.version_info < (3, 12) else typing.TypedDict
_ENUMS: dict[str, Any] = {
    base.__name__: base for base in (enum.Enum, enum.IntEnum, enum.StrEnum, enum.Flag, enum.IntFlag)
}
_MIXINS: dict[str, type] = {kind.__name__: kind for kind in (int, str, float, bytes)}


class Surroundings(Protocol):
    """What building one class needs of the others."""

    def base(self, qualname: str) -> type:
        """The class of a base."""
        ...

    def hint(self, form: Any) -> Any:
        """The type hint of a form of the annotation grammar."""
        ...

    def read(self, wire: bytes) -> Any:
        """The value of a default or member."""
        ...

    def factory(self, name: str) -> Callable[[], Any]:
        """A factory of defaults by name."""
        ...


def build(descriptor: Descriptor, surroundings: Surroundings) -> type:
    """The shadow of one class.

    Raises ``DescriptorError`` where Python or pydantic refuses the combination.
    """
    try:
        with warnings.catch_warnings():
            # A field that hides an attribute of pydantic's is the author's business, and was theirs to see.
            warnings.simplefilter("ignore")
            return _BUILD[descriptor.kind](descriptor, surroundings)
    except (DescriptorError, RecursionError):
        raise
    except Exception as error:
        msg = f"the descriptor of {descriptor.qualname!r:.200} cannot be used: {type(error).__name__}: {error}"
        raise DescriptorError(msg) from error


def _split(descriptor: Descriptor) -> tuple[str, str, str]:
    """Module, qualified name inside it, plain name."""
    module, _, path = descriptor.qualname.partition(":")
    name = plain_name(descriptor.qualname)
    owner = path.partition("[")[0].rpartition(".")[0]
    return module, f"{owner}.{name}" if owner else name, name


def _namespace(descriptor: Descriptor) -> dict[str, Any]:
    module, path, _ = _split(descriptor)
    return {"__module__": module, "__qualname__": path}


def _bases(descriptor: Descriptor, surroundings: Surroundings) -> tuple[type, ...]:
    return tuple(surroundings.base(name) for name in descriptor.bases)


def _model(descriptor: Descriptor, surroundings: Surroundings) -> type:
    namespace = _namespace(descriptor)
    annotations: dict[str, Any] = {}
    for field in descriptor.fields:
        default = _model_default(field, surroundings)
        if field.private:
            namespace[field.name] = PrivateAttr(**default)
            annotations[field.name] = Any
            continue
        annotations[field.name] = surroundings.hint(field.annotation)
        namespace[field.name] = Field(
            **default,
            alias=field.alias or None,
            repr=field.repr,
            frozen=field.frozen or None,
            exclude=field.exclude or None,
        )
    namespace["__annotations__"] = annotations
    options: Any = {**descriptor.options, "arbitrary_types_allowed": True}
    namespace["model_config"] = options
    bases = _bases(descriptor, surroundings) or (BaseModel,)
    metaclass: Any = type(BaseModel)
    made: type = metaclass(_split(descriptor)[2], bases, namespace)
    return made


def _model_default(field: descriptors.Field, surroundings: Surroundings) -> dict[str, Any]:
    if field.factory:
        return {"default_factory": surroundings.factory(field.factory)}
    return {} if field.default is None else {"default": surroundings.read(field.default)}


def _dataclass(descriptor: Descriptor, surroundings: Surroundings) -> type:
    options: Any = {name: value for name, value in descriptor.options.items() if name != "own_init"}
    if descriptor.opaque or descriptor.options.get("own_init"):
        options["init"] = False
    fields = []
    for field in descriptor.fields:
        details: dict[str, Any] = {
            "init": field.init,
            "repr": field.repr,
            "compare": field.compare,
            "hash": field.hash,
            "kw_only": field.keyword_only,
        }
        if field.factory:
            details["default_factory"] = surroundings.factory(field.factory)
        elif field.default is not None:
            details["default"] = surroundings.read(field.default)
        made: Any = dataclasses.field(**details)
        fields.append((field.name, surroundings.hint(field.annotation), made))
    module, path, name = _split(descriptor)
    made_class = dataclasses.make_dataclass(
        name, fields, bases=_bases(descriptor, surroundings), **options
    )
    made_class.__module__, made_class.__qualname__ = module, path
    return made_class


def _namedtuple(descriptor: Descriptor, surroundings: Surroundings) -> type:
    module, path, name = _split(descriptor)
    bases = _bases(descriptor, surroundings)
    if bases:
        return type(name, bases, {**_namespace(descriptor), "__slots__": ()})
    defaults = [
        surroundings.read(field.default) for field in descriptor.fields if field.default is not None
    ]
    names = [field.name for field in descriptor.fields]
    made: Any = collections.namedtuple(name, names, defaults=defaults, module=module)  # type: ignore[misc]  # noqa: PYI024 - names come from the descriptor
    made.__qualname__ = path
    made.__annotations__ = {
        field.name: surroundings.hint(field.annotation) for field in descriptor.fields
    }
    return cast("type", made)  # a class, made of names


def _enum(descriptor: Descriptor, surroundings: Surroundings) -> type:
    module, path, name = _split(descriptor)
    base = _ENUMS[descriptor.bases[-1]]
    details: dict[str, Any] = {"module": module, "qualname": path}
    if "boundary" in descriptor.options:
        details["boundary"] = enum.FlagBoundary[str(descriptor.options["boundary"])]
    members = [(member, surroundings.read(wire)) for member, wire in descriptor.members]
    for mixin in descriptor.bases[:-1]:
        details["type"] = _MIXINS[mixin]
    try:
        made: type = base(name, members, **details)
    except (TypeError, ValueError):
        if "type" not in details or not descriptor.opaque:
            raise
        # The user's own __new__ made the mixed-in part from something else than the value.
        del details["type"]
        made = base(name, members, **details)
    standard_enums.dress(made, descriptor.options)
    return made


def _exception(descriptor: Descriptor, surroundings: Surroundings) -> type:
    bases: tuple[Any, ...] = _bases(descriptor, surroundings) or (Exception,)
    return faults.remembering(type(_split(descriptor)[2], bases, _namespace(descriptor)))


def _typed_dict(descriptor: Descriptor, surroundings: Surroundings) -> type:
    hints = {
        field.name: (typing_extensions.Required if field.init else typing_extensions.NotRequired)[
            surroundings.hint(field.annotation)
        ]
        for field in descriptor.fields
    }
    made: type = _TypedDict(_split(descriptor)[2], hints)
    made.__module__, made.__qualname__ = _split(descriptor)[:2]
    return made


_BUILD: dict[str, Callable[[Descriptor, Surroundings], type]] = {
    "model": _model,
    "dataclass": _dataclass,
    "namedtuple": _namedtuple,
    "enum": _enum,
    "exception": _exception,
    "typed_dict": _typed_dict,
}
