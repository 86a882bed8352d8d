"""Descriptors of a program's type table in, the machine's classes and the binding of its codec out."""

from __future__ import annotations

from asyncio.exceptions import (
    CancelledError,
    IncompleteReadError,
    InvalidStateError,
    LimitOverrunError,
)
from asyncio.queues import QueueEmpty, QueueFull
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Annotated, Any

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

from waymark_schema.values.descriptors import Descriptor, digest
from waymark_schema.values.shadows import Shadows
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet


class ShadowTypes(Shadows):
    """The classes of one program, and of the strangers that come with values.

    ``ShadowTypes(descriptors)`` is the ``TypeBinding`` of the machine's codec; ``shadow(qualname)`` gives a
    class of the table, ``describe(cls)`` what it was built from, ``adopt(descriptors)`` strangers' classes.

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

    def class_of(self, descriptor: Descriptor) -> type:
        """The class of a descriptor of the table."""
        return self.shadow(descriptor.qualname)


def _set_hint(made: Callable[[Iterable[Any]], Any], host: Any) -> Callable[..., Any]:
    """How a model's field of a set type is validated: by pydantic's own rules, its order kept."""

    def hint(item: Any = Any) -> Any:
        def schema(_source: Any, handler: Callable[[Any], Any]) -> Any:
            def validate(value: Any, by_set: Callable[[Any], Any]) -> Any:
                listed = isinstance(value, OrderedSet | OrderedFrozenset | AbstractSet | Iterator)
                items = list(value) if listed else value
                by_set(items)  # its errors are those of CPython's sets
                return made(_one_by_one(items, by_set))

            return core_schema.no_info_wrap_validator_function(
                validate,
                handler(host[item]),
                serialization=core_schema.plain_serializer_function_ser_schema(
                    made, return_schema=core_schema.any_schema()
                ),
            )

        return Annotated[Any, GetPydanticSchema(get_pydantic_core_schema=schema)]

    return hint


def _one_by_one(items: Iterable[Any], by_set: Callable[[Any], Any]) -> list[Any]:
    return [validated for item in items for validated in by_set([item])]


ShadowTypes.exceptions = {
    f"{error.__module__}:{error.__qualname__}": error
    for error in (
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
