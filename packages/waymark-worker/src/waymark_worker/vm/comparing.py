"""Two operands come in; the outcome of a comparison, identity or membership test goes out."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from waymark_worker.vm.iteration import SIZED, one_by_one
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import RECORDS, has, type_name
from waymark_worker.vm.views import DictItems, DictKeys
from waymark_worker.vm.weights import weigh

_FLAT: frozenset[type] = frozenset({int, float, bool, str, bytes, type(None)})
_HASHED: frozenset[type] = frozenset({dict}) | {
    kind
    for kind in SIZED
    if kind.__name__ in {"set", "frozenset", "Counter", "OrderedDict", "defaultdict"}
}


def _compared(host: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def compare(left: Any, right: Any) -> Any:
        if type(left) not in _FLAT and type(right) not in _FLAT:
            weigh(left)
            if right is not left:
                weigh(right)
        return host(left, right)

    return compare


def _has_no_order(kind: type) -> bool:
    return kind in RECORDS and not issubclass(kind, DictKeys | DictItems)


def _ordered(symbol: str, host: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    plain = _compared(host)

    def compare(left: Any, right: Any) -> Any:
        if _has_no_order(type(left)) or _has_no_order(type(right)):
            kinds = f"{type_name(left)!r} and {type_name(right)!r}"
            msg = f"{symbol!r} not supported between instances of {kinds}"
            raise TypeError(msg)
        return plain(left, right)

    return compare


def contains(container: Any, item: Any) -> bool:
    """Give ``item in container``."""
    kind = type(container)
    if kind in _HASHED:
        if type(item) not in _FLAT:
            weigh(item)
        return item in container
    if kind in SIZED:
        METER.charge(len(container) >> (4 if kind is str or kind is bytes else 0))
        return item in container
    if hasattr(kind, "__contains__") or has(kind, "__iter__") or has(kind, "__getitem__"):
        return item in container
    found = one_by_one(container, message="argument of type {!r} is not iterable")
    return any(other is item or other == item for other in found)


def is_in(left: Any, right: Any) -> bool:
    """Give ``left in right``."""
    return contains(right, left)


def is_not_in(left: Any, right: Any) -> bool:
    """Give ``left not in right``."""
    return not contains(right, left)


COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": _compared(operator.eq),
    "!=": _compared(operator.ne),
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
    "is": operator.is_,
    "is not": operator.is_not,
    "in": is_in,
    "not in": is_not_in,
}
