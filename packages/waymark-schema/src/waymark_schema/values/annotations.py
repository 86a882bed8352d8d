"""Annotations: a real type hint in, the closed grammar of descriptors out, and a hint again from that."""

from __future__ import annotations

import collections
import collections.abc
import datetime as dt
import decimal
import fractions
import ipaddress
import pathlib
import types
import typing
import uuid
import zoneinfo
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Final, Literal, NewType, TypeVar, Union

import annotated_types
import pydantic
from pydantic.fields import FieldInfo

from waymark_schema.values.descriptors import Annotation, Descriptor
from waymark_schema.values.errors import DescriptorError
from waymark_schema.values.frozen import meant_by

NAMED: dict[str, Any] = {
    "Any": Any,
    "None": None,
    **{
        kind.__name__: kind
        for kind in (
            object, bool, int, float, complex, str, bytes, bytearray, list, dict, set, frozenset, tuple, range, slice,
            dt.datetime, dt.date, dt.time, dt.timedelta, dt.timezone, dt.tzinfo,
            zoneinfo.ZoneInfo, decimal.Decimal, uuid.UUID, fractions.Fraction,
            pathlib.Path, pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath,
            collections.deque, collections.Counter, collections.OrderedDict, collections.defaultdict,
            ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network,
            ipaddress.IPv4Interface, ipaddress.IPv6Interface,
            pydantic.SecretStr, pydantic.SecretBytes, pydantic.BaseModel,
        )
    },
}  # fmt: skip
"""Names of types that stand for themselves."""
_NAMES: dict[Any, str] = {kind: name for name, kind in NAMED.items() if kind is not None}

GENERIC: dict[str, tuple[Any, int]] = {
    "list": (list, 1),
    "set": (set, 1),
    "frozenset": (frozenset, 1),
    "deque": (collections.deque, 1),
    "Sequence": (collections.abc.Sequence, 1),
    "MutableSequence": (collections.abc.MutableSequence, 1),
    "Iterable": (collections.abc.Iterable, 1),
    "Collection": (collections.abc.Collection, 1),
    "Set": (collections.abc.Set, 1),
    "MutableSet": (collections.abc.MutableSet, 1),
    "Counter": (collections.Counter, 1),
    "type": (type, 1),
    "dict": (dict, 2),
    "OrderedDict": (collections.OrderedDict, 2),
    "defaultdict": (collections.defaultdict, 2),
    "Mapping": (collections.abc.Mapping, 2),
    "MutableMapping": (collections.abc.MutableMapping, 2),
}
"""Forms with a fixed number of arguments."""
_GENERIC_NAMES: dict[Any, str] = {origin: name for name, (origin, _) in GENERIC.items()}


def _field_constraint(name: str, value: Any) -> Any:
    details: Any = {name: value}
    return pydantic.Field(**details)


CONSTRAINTS: dict[str, tuple[Callable[[Any], Any], tuple[type, ...]]] = {
    "gt": (annotated_types.Gt, (int, float, bytes)),
    "ge": (annotated_types.Ge, (int, float, bytes)),
    "lt": (annotated_types.Lt, (int, float, bytes)),
    "le": (annotated_types.Le, (int, float, bytes)),
    "multiple_of": (annotated_types.MultipleOf, (int, float, bytes)),
    "min_length": (annotated_types.MinLen, (int,)),
    "max_length": (annotated_types.MaxLen, (int,)),
    "strict": (pydantic.Strict, (bool,)),
    "discriminator": (lambda name: pydantic.Field(discriminator=name), (str,)),
    **{
        name: (partial(_field_constraint, name), allowed)
        for name, allowed in (
            ("pattern", (str,)), ("allow_inf_nan", (bool,)), ("max_digits", (int,)), ("decimal_places", (int,)),
            ("coerce_numbers_to_str", (bool,)), ("union_mode", (str,)),
        )
    },
}  # fmt: skip
"""What may stand in ``annotated``: how to make it, and the types that its value may have (bytes: a wire form)."""

MAX_DEPTH = 32
MAX_PARTS = 1000


class Unspeakable(Exception):
    """A hint that the grammar has no form for."""


class Namer(typing.Protocol):
    """What ``to_grammar`` needs of its user: names of classes, wire forms of literals."""

    def name(self, cls: type) -> str:
        """Qualified name of a user's class, or ``Unspeakable``."""
        ...

    def wire(self, value: Any) -> bytes:
        """Durable wire form of ``value``, or ``Unspeakable``."""
        ...


def to_grammar(hint: Any, namer: Namer) -> Annotation:
    """The grammar's form of a resolved type hint.

    Raises ``Unspeakable`` where the grammar has none.
    """
    if hint is None or hint is type(None):
        return "None"
    origin = typing.get_origin(hint)
    if origin is not None:
        return _generic(hint, origin, namer)
    if isinstance(hint, type):
        hint = meant_by(hint) or hint
        name = _NAMES.get(hint) or (
            _GENERIC_NAMES.get(hint) and [_GENERIC_NAMES[hint], *_anys(hint)]
        )
        return name or namer.name(hint)
    return _unwrapped(hint, namer)


def _anys(origin: Any) -> list[str]:
    return ["Any"] * GENERIC[_GENERIC_NAMES[origin]][1]


def _unwrapped(hint: Any, namer: Namer) -> Annotation:
    if hint is Any:
        return "Any"
    if isinstance(hint, NewType):
        return to_grammar(hint.__supertype__, namer)
    if isinstance(hint, TypeVar):
        return to_grammar(hint.__bound__, namer) if hint.__bound__ is not None else "Any"
    alias = getattr(hint, "__value__", None)
    if alias is not None and type(hint).__name__ == "TypeAliasType":
        return to_grammar(alias, namer)
    if hint is typing.LiteralString:
        return "str"
    msg = f"annotation {hint!r:.200}"
    raise Unspeakable(msg)


def _generic(hint: Any, origin: Any, namer: Namer) -> Annotation:  # noqa: PLR0911 - one line per form
    arguments = typing.get_args(hint)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:], namer)
    if origin in {
        Final,
        typing.Required,
        typing.NotRequired,
        typing.ClassVar,
        getattr(typing, "ReadOnly", Final),
    }:
        return to_grammar(arguments[0], namer)
    if origin is Union or origin is types.UnionType:
        return ["union", *(to_grammar(argument, namer) for argument in arguments)]
    if origin is Literal:
        return ["literal", *(namer.wire(argument).hex() for argument in arguments)]
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[a, ...]
            return ["tuple*", to_grammar(arguments[0], namer)]
        return ["tuple", *(to_grammar(argument, namer) for argument in arguments)]
    name = _GENERIC_NAMES.get(origin)
    if name is not None and len(arguments) == GENERIC[name][1]:
        return [name, *(to_grammar(argument, namer) for argument in arguments)]
    if isinstance(origin, type) and name is None:
        return namer.name(origin)
    msg = f"annotation {hint!r:.200}"
    raise Unspeakable(msg)


def _annotated(hint: Any, extras: tuple[Any, ...], namer: Namer) -> Annotation:
    constraints = [constraint for extra in extras for constraint in constraint_list(extra, namer)]
    inner = to_grammar(hint, namer)
    return ["annotated", inner, *constraints] if constraints else inner


def constraint_list(extra: Any, namer: Namer) -> list[list[Any]]:
    """The constraints that one piece of metadata stands for.

    Raises ``Unspeakable`` for metadata that may run code or that the grammar lacks.
    """
    if isinstance(extra, str | annotated_types.DocInfo) or extra is None:
        return []
    if isinstance(extra, FieldInfo):
        found = [item for part in extra.metadata for item in constraint_list(part, namer)]
        if extra.discriminator is not None:
            found.append(["discriminator", _constant(extra.discriminator, (str,), namer)])
        return found
    if isinstance(extra, annotated_types.GroupedMetadata):
        return [item for part in extra for item in constraint_list(part, namer)]
    if type(extra).__name__ == "_PydanticGeneralMetadata":
        return [
            [name, _constant(value, CONSTRAINTS[name][1], namer)]
            for name, value in sorted(extra.__dict__.items())
            if _known(name)
        ]
    for name, (make, allowed) in CONSTRAINTS.items():
        if isinstance(make, type) and type(extra) is make:
            (value,) = (getattr(extra, slot) for slot in make.__dataclass_fields__)
            return [[name, _constant(value, allowed, namer)]]
    msg = f"metadata {extra!r:.200}"
    raise Unspeakable(msg)


def _known(name: str) -> bool:
    if name in CONSTRAINTS:
        return True
    msg = f"constraint {name!r}"
    raise Unspeakable(msg)


def _constant(value: Any, allowed: tuple[type, ...], namer: Namer) -> Any:
    if type(value) in allowed and not isinstance(value, bytes):
        return value
    if bytes in allowed:
        return namer.wire(value)
    msg = f"constraint value {value!r:.200}"
    raise Unspeakable(msg)


def from_grammar(
    form: Annotation,
    resolve: Callable[[str], Any],
    read: Callable[[bytes], Any],
    containers: collections.abc.Mapping[str, Callable[..., Any]] = types.MappingProxyType({}),
) -> Any:
    """The type hint that a form stands for; ``resolve`` gives classes by qualified name, ``read`` values of wire forms.

    ``containers`` replace forms of ``NAMED`` (called without arguments) and ``GENERIC`` (called with hints).

    Raises ``DescriptorError`` for anything outside the grammar. Nothing is evaluated.
    """
    return _Forms(resolve, read, containers).hint(form, 0)


class _Forms:
    def __init__(
        self,
        resolve: Callable[[str], Any],
        read: Callable[[bytes], Any],
        containers: collections.abc.Mapping[str, Callable[..., Any]],
    ) -> None:
        self.resolve = resolve
        self.read = read
        self.containers = containers
        self.parts = 0

    def hint(self, form: Annotation, depth: int) -> Any:
        self.parts += 1
        if depth > MAX_DEPTH or self.parts > MAX_PARTS:
            msg = f"an annotation with more than {MAX_DEPTH} levels or {MAX_PARTS} parts"
            raise DescriptorError(msg)
        if isinstance(form, str):
            if form in self.containers:
                return self.containers[form]()
            return NAMED[form] if form in NAMED else self.resolve(form)
        if not isinstance(form, list | tuple) or not form or not isinstance(form[0], str):
            raise _bad(form)
        name, *rest = form
        if name == "literal":
            return self._literal(rest, form)
        if name == "annotated":
            return self._annotated(rest, form, depth)
        hints = tuple(self.hint(part, depth + 1) for part in rest)
        return self._composed(name, hints, form)

    def _composed(self, name: str, hints: tuple[Any, ...], form: Annotation) -> Any:
        if name == "union" and hints:
            return Union[hints]  # noqa: UP007 - made from a tuple
        if name == "tuple":
            return types.GenericAlias(tuple, hints)
        if name == "tuple*" and len(hints) == 1:
            return types.GenericAlias(tuple, (hints[0], ...))
        origin, arity = GENERIC.get(name, (None, 0))
        if origin is None or len(hints) != arity:
            raise _bad(form)
        if name in self.containers:
            return self.containers[name](*hints)
        return origin[hints if arity > 1 else hints[0]]

    def _literal(self, rest: list[Any], form: Annotation) -> Any:
        if not rest or not all(isinstance(part, str) for part in rest):
            raise _bad(form)
        try:
            values = tuple(self.read(bytes.fromhex(part)) for part in rest)
        except ValueError:
            raise _bad(form) from None
        return Literal[values]

    def _annotated(self, rest: list[Any], form: Annotation, depth: int) -> Any:
        if not rest:
            raise _bad(form)
        hint = self.hint(rest[0], depth + 1)
        extras = tuple(self._constraint(part) for part in rest[1:])
        if typing.get_origin(hint) is Annotated:
            # A container with a mark of its own: what is asked of its length comes first.
            hint, *marks = typing.get_args(hint)
            extras = (*extras, *marks)
        return Annotated[(hint, *extras)] if extras else hint

    def _constraint(self, part: Any) -> Any:
        if not isinstance(part, list | tuple) or len(part) != 2 or part[0] not in CONSTRAINTS:  # noqa: PLR2004 - a pair
            raise _bad(part)
        make, allowed = CONSTRAINTS[part[0]]
        value = part[1]
        if type(value) not in allowed or (isinstance(value, str) and len(value) > MAX_PARTS):
            raise _bad(part)
        return make(self.read(value) if isinstance(value, bytes) else value)


def _bad(form: Any) -> DescriptorError:
    return DescriptorError(f"{form!r:.200} is not an annotation of the closed grammar")


def required_keys(cls: Any, hints: dict[str, Any]) -> frozenset[str]:
    """Keys that a ``TypedDict`` must have, also where its annotations were text when it was made."""
    return frozenset(
        name
        for name, hint in hints.items()
        if typing.get_origin(hint) is typing.Required
        or (typing.get_origin(hint) is not typing.NotRequired and name in cls.__required_keys__)
    )


def mentioned(descriptor: Descriptor) -> Iterator[str]:
    """Names of the classes that a descriptor refers to by its bases and annotations."""
    yield from descriptor.bases
    queue = [field.annotation for field in descriptor.fields]
    while queue:
        part = queue.pop()
        if isinstance(part, str):
            if part not in NAMED:
                yield part
        elif isinstance(part, list | tuple) and part and part[0] != "literal":
            queue.extend(part[1:2] if part[0] == "annotated" else part[1:])
