"""A dict comes in; its keys, values or items as views that a snapshot can hold go out."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import has, register, type_name
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet


class DictView:
    """What ``keys()``, ``values()`` and ``items()`` give: the host's own view, and the dict it belongs to.

    The host's views do not let go of their dict, and their set operators give sets without an order.
    """

    __slots__ = ("host", "mapping")
    kind = ""

    def __init__(self, mapping: dict[Any, Any]) -> None:
        self.mapping = mapping
        self.host: Any = getattr(mapping, self.kind)()

    @property
    def pieces(self) -> list[Any]:
        """What a walk over the view visits."""
        return list(self.host)

    def __iter__(self) -> Iterator[Any]:
        yield from self.host

    def __reversed__(self) -> Iterator[Any]:
        yield from reversed(self.host)

    def __len__(self) -> int:
        return len(self.mapping)

    def __contains__(self, item: object) -> bool:
        return item in self.host

    def __repr__(self) -> str:
        return repr(self.host)


def _host(value: object) -> Any:
    return value.host if isinstance(value, DictView) else value


def _set_of(other: Any) -> OrderedSet:
    kind = type(other)
    if not hasattr(kind, "__iter__") and not has(kind, "__getitem__"):
        # Said here as CPython does, which asks no ``__ror__`` of the other side either.
        msg = f"{type_name(other)!r} object is not iterable"
        raise TypeError(msg)
    return OrderedSet(other)


def _combined(host: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def combine(self: Any, other: Any) -> Any:
        # The view is a set for this; CPython takes any iterable on the other side of its operators.
        METER.charge(len(self))
        return host(OrderedSet(self), _set_of(other))

    return combine


def _combined_back(host: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def combine(self: Any, other: Any) -> Any:
        METER.charge(len(self))
        return host(_set_of(other), OrderedSet(self))

    return combine


def _ordered(host: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        other = _host(other)
        if isinstance(other, OrderedSet | OrderedFrozenset):
            other = set(other)
        try:
            return host(self.host, other)
        except TypeError:
            return NotImplemented

    return compare


class _SetView(DictView):
    __slots__ = ()
    __and__ = _combined(operator.and_)
    __or__ = _combined(operator.or_)
    __sub__ = _combined(operator.sub)
    __xor__ = _combined(operator.xor)
    __rand__ = _combined_back(operator.and_)
    __ror__ = _combined_back(operator.or_)
    __rsub__ = _combined_back(operator.sub)
    __rxor__ = _combined_back(operator.xor)
    __eq__ = _ordered(operator.eq)
    __lt__ = _ordered(operator.lt)
    __le__ = _ordered(operator.le)
    __gt__ = _ordered(operator.gt)
    __ge__ = _ordered(operator.ge)
    __hash__ = None  # type: ignore[assignment] # as the host's views: they are not hashable

    def isdisjoint(self, other: Iterable[Any]) -> bool:
        """Whether the view and ``other`` share no item."""
        return bool(self.host.isdisjoint(_host(other)))


class DictKeys(_SetView):
    """``dict.keys()``."""

    __slots__ = ()
    kind = "keys"


class DictItems(_SetView):
    """``dict.items()``."""

    __slots__ = ()
    kind = "items"


class DictValues(DictView):
    """``dict.values()``."""

    __slots__ = ()
    kind = "values"


for _view in (DictKeys, DictItems, DictValues):
    _view.__name__ = _view.__qualname__ = f"dict_{_view.kind}"
    register(_view, _view.__name__)
