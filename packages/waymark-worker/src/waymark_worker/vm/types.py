"""Descriptors of a program's type table in, the machine's classes and the binding of its codec out."""

from __future__ import annotations

import contextlib
from asyncio.exceptions import (
    CancelledError,
    IncompleteReadError,
    InvalidStateError,
    LimitOverrunError,
)
from asyncio.queues import QueueEmpty, QueueFull
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetPydanticSchema, Tag, ValidationError
from pydantic_core import SchemaError, SchemaValidator, core_schema

from waymark_schema.ir.policies import Backoff, RetryPolicy
from waymark_schema.values.binding import Build, TypeRef
from waymark_schema.values.describe import describe
from waymark_schema.values.descriptors import Descriptor, digest
from waymark_schema.values.shadows import Shadows
from waymark_worker.vm.library_faults import LIBRARY_FAULTS
from waymark_worker.vm.ordered import SETS, OrderedFrozenset, OrderedSet


class ShadowTypes(Shadows):
    """The classes of one program, and of the strangers that come with values.

    ``ShadowTypes(descriptors)`` is the ``TypeBinding`` of the machine's codec; ``shadow(qualname)`` gives a
    class of the table, ``describe(cls)`` what it was built from, ``adopt(descriptors)`` strangers' classes.

    >>> from waymark_schema.values.descriptors import Field
    >>> types = ShadowTypes([Descriptor("shop:Order", "dataclass", [], fields=[Field("item")])])
    >>> types.shadow("shop:Order")("tea")
    Order(item='tea')
    """

    set_type: type = OrderedSet
    frozenset_type: type = OrderedFrozenset
    flavour = "machine"

    @property
    def known(self) -> frozenset[bytes]:
        """Digests of the table's descriptors: they need not travel inside values."""
        return frozenset(map(digest, self.namespace.values()))

    def describe(self, cls: type) -> tuple[Descriptor, tuple[Descriptor, ...]] | None:
        """As for every flavour; policies are the machine's own classes, not shadows of them."""
        if cls in POLICIES.values():
            return describe(cls, self._codec.encode)
        return super().describe(cls)

    def builders(self, refs: Sequence[TypeRef]) -> list[Build]:
        """As for every flavour; policies are validated when they arrive."""
        found = super().builders(refs)
        return [
            _POLICY_BUILDERS.get(ref.qualname, build)
            for ref, build in zip(refs, found, strict=True)
        ]

    def class_of(self, descriptor: Descriptor) -> type:
        """The class of a descriptor of the table."""
        if descriptor.qualname in POLICIES:
            return POLICIES[descriptor.qualname]
        return self.shadow(descriptor.qualname)


def _retry_policy(parts: Any) -> RetryPolicy:
    return RetryPolicy(parts["attempts"], parts["exception_types"], backoff=parts["backoff"])


def _backoff(parts: Any) -> Backoff:
    return Backoff(parts["base"], parts["factor"], parts["max"], parts["jitter"])


POLICIES: dict[str, type] = {
    f"{cls.__module__}:{cls.__qualname__}": cls for cls in (RetryPolicy, Backoff)
}
_POLICY_BUILDERS: dict[str, Build] = dict(zip(POLICIES, (_retry_policy, _backoff), strict=True))


def _dumped_set(value: Any, info: core_schema.SerializationInfo) -> Any:
    """A set's copy, or its list in JSON; anything else that the field was given is left to pydantic."""
    if not isinstance(value, SETS):
        return value
    return list(value) if info.mode_is_json() else value.copy()


def _name_in_places(item: Any, handler: GetCoreSchemaHandler) -> str | None:
    """What pydantic calls ``item`` in the places of errors; None where it takes more than ``item`` to tell."""
    try:
        schema = handler.resolve_ref_schema(handler.generate_schema(item))
    except LookupError:  # a class with a set of itself, which is being made
        return None
    if schema["type"] in {"model", "dataclass"}:
        return str(schema["cls"].__name__)
    try:
        return str(SchemaValidator(schema).title)
    except SchemaError:
        return None


def _called(schema: core_schema.CoreSchema, name: str) -> core_schema.CoreSchema:
    """``schema``, with ``name`` for the places of errors where it is a member of a union."""
    handler: Any = lambda _source: schema  # noqa: E731 - what Tag asks is known already
    return Tag(name).__get_pydantic_core_schema__(Any, handler)


def _set_hint(made: Callable[[Iterable[Any]], Any], host: Any) -> Callable[..., Any]:
    """How a model's field of a set type is validated: by pydantic's own rules, the order kept."""

    def hint(item: Any = Any) -> Any:
        noted: list[list[Any]] = []
        """Validated items of the sets that are being validated, the innermost last."""

        def note(validated: Any) -> Any:
            noted[-1].append(validated)
            return validated

        def taken(value: Any, by_set: Callable[[Any], Any]) -> list[Any]:
            noted.append([])
            try:
                by_set(value)
            finally:
                items = noted.pop()
            return items

        def validate(value: Any, by_set: Callable[[Any], Any]) -> Any:
            if type(value) is made:
                # Of all members of a union, pydantic prefers the one whose very type a value has.
                exact = host(value)
                with contextlib.suppress(ValidationError):  # told below, in the value's own order
                    validated = dict(zip(exact, taken(exact, by_set), strict=True))
                    return made(validated[item] for item in value)
            listed = isinstance(value, OrderedSet | OrderedFrozenset | AbstractSet | Iterator)
            return made(taken(list(value) if listed else value, by_set))

        def whole(source: Any, handler: GetCoreSchemaHandler) -> Any:
            serialization = core_schema.plain_serializer_function_ser_schema(
                _dumped_set, info_arg=True, return_schema=core_schema.any_schema()
            )
            schema = core_schema.no_info_wrap_validator_function(
                validate, handler(source), serialization=serialization
            )
            name = _name_in_places(item, handler)
            return schema if name is None else _called(schema, f"{host.__name__}[{name}]")

        def one(source: Any, handler: Callable[[Any], Any]) -> Any:
            return core_schema.no_info_after_validator_function(note, handler(source))

        noting = Annotated[item, GetPydanticSchema(get_pydantic_core_schema=one)]
        return Annotated[host[noting], GetPydanticSchema(get_pydantic_core_schema=whole)]

    return hint


ShadowTypes.exceptions = {
    f"{error.__module__}:{error.__qualname__}": error
    for error in (
        *LIBRARY_FAULTS.values(),
        CancelledError,
        InvalidStateError,
        IncompleteReadError,
        LimitOverrunError,
        QueueEmpty,
        QueueFull,
    )
}
ShadowTypes.containers = {
    "set": _set_hint(OrderedSet, set),
    "frozenset": _set_hint(OrderedFrozenset, frozenset),
    "Set": _set_hint(OrderedFrozenset, frozenset),
    "MutableSet": _set_hint(OrderedSet, set),
}
