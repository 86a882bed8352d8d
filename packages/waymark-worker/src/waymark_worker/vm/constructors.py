"""A builtin type and arguments come in; a new value, its size bounded beforehand, goes out."""

from __future__ import annotations

import collections
import datetime as dt
import pathlib
import re
import uuid
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from waymark_schema.ir.policies import Backoff, RetryPolicy
from waymark_worker.vm.arithmetic import bits_of
from waymark_worker.vm.attributes import type_of
from waymark_worker.vm.callbacks import Hosted
from waymark_worker.vm.formatting import number_in, show
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.iteration import hostable, items
from waymark_worker.vm.limits import KEPT
from waymark_worker.vm.meter import METER, check_bits, check_items, check_text
from waymark_worker.vm.method_costs import check_decimal
from waymark_worker.vm.names import CALLABLES, RECORDS, type_name
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.recorded import make_random
from waymark_worker.vm.refusals import unsupported_operation

Args = list[Any]
Keywords = dict[str, Any]

_EXPONENT = re.compile(r"[eE][-+]?(\d+)")
_MAX_BASE_BITS = 6


def _plain(cls: type) -> Implementation:
    def construct(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        return cls(*args, **keywords)

    return construct


def _of_items(cls: Callable[..., Any]) -> Implementation:
    def construct(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if len(args) == 1 and not keywords:
            return cls(items(args[0]))
        return cls(*args, **keywords)

    return construct


def _int(_ctx: Any, args: Args, keywords: Keywords) -> int:
    if args:
        value = args[0]
        if isinstance(value, Decimal):
            check_decimal(value, "int() of a Decimal")
        elif isinstance(value, str | bytes | bytearray):
            if len(args) > 1 or keywords:
                check_bits(len(value) * _MAX_BASE_BITS, "the result of int()")
            METER.charge(len(value) >> 3)
        elif type(value) in RECORDS:
            msg = (
                "int() argument must be a string, a bytes-like object or a real number, "
                f"not {type_name(value)!r}"
            )
            raise TypeError(msg)
    return int(*args, **keywords)


def _float(_ctx: Any, args: Args, keywords: Keywords) -> float:
    if args and type(args[0]) in RECORDS:
        msg = f"float() argument must be a string or a real number, not {type_name(args[0])!r}"
        raise TypeError(msg)
    return float(*args, **keywords)


def _str(_ctx: Any, args: Args, keywords: Keywords) -> str:
    if len(args) == 1 and not keywords:
        return show(args[0])
    if args:
        check_text(
            len(args[0]) if isinstance(args[0], bytes | bytearray) else 0, "the result of str()"
        )
    return str(*args, **keywords)


def _byte_string(cls: type) -> Implementation:
    def construct(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if args:
            first = args[0]
            if isinstance(first, int):
                check_text(max(first, 0), f"the result of {cls.__name__}()")
            elif isinstance(first, str):
                check_text(len(first) * 4, f"the result of {cls.__name__}()")
            else:
                args = [hostable(first), *args[1:]]
        return cls(*args, **keywords)

    return construct


def _list(_ctx: Any, args: Args, keywords: Keywords) -> list[Any]:
    if len(args) != 1 or keywords:
        return list(*args, **keywords)
    if type(args[0]) is range:
        check_items(_length(args[0]), "list()")
    return list(items(args[0]))


def _tuple(ctx: Any, args: Args, keywords: Keywords) -> tuple[Any, ...]:
    if len(args) != 1 or keywords:
        return tuple(*args, **keywords)
    return args[0] if type(args[0]) is tuple else tuple(_list(ctx, args, keywords))


def _length(numbers: range) -> int:
    try:
        return len(numbers)
    except OverflowError:
        return 1 << 62


def _dict(cls: type) -> Implementation:
    def construct(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        return cls(*map(hostable, args), **keywords)

    return construct


def _defaultdict(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if args and args[0] is not None:
        factory = args[0]
        if not isinstance(factory, type) and type(factory) in CALLABLES:
            factory = Hosted(factory)
        elif not isinstance(factory, type) or factory not in _FACTORIES:
            collections.defaultdict(factory)  # raises CPython's own TypeError
            factory = Hosted(factory)
        return collections.defaultdict(factory, *map(hostable, args[1:]), **keywords)
    return collections.defaultdict(*args[:1], *map(hostable, args[1:]), **keywords)


_FACTORIES: frozenset[type] = frozenset(
    {int, float, str, bool, bytes, list, dict, tuple, OrderedSet}
)
"""What the host may call by itself."""


def _deque(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if args:
        args = [items(args[0]), *args[1:]]
    METER.charge(KEPT)
    return collections.deque(*args, **keywords)


def _fraction(_ctx: Any, args: Args, keywords: Keywords) -> Fraction:
    for part in (*args, *keywords.values()):
        if isinstance(part, Decimal):
            check_decimal(part, "Fraction() of a Decimal")
        elif isinstance(part, str):
            check_bits(len(part) * 4, "the result of Fraction()")
            for exponent in _EXPONENT.findall(part):
                check_bits(number_in(exponent) * 4, "the result of Fraction()")
        else:
            METER.charge((bits_of(part) >> 5) ** 2 >> 7)
    return Fraction(*args, **keywords)


def _decimal(_ctx: Any, args: Args, keywords: Keywords) -> Decimal:
    if args and isinstance(args[0], str):
        METER.charge(len(args[0]))
    elif args and isinstance(args[0], int):
        METER.charge((args[0].bit_length() >> 5) ** 2 >> 7)
    return Decimal(*args, **keywords)


def _object(_ctx: Any, _args: Args, _keywords: Keywords) -> Any:
    what = "object() as a value of its own"
    raise unsupported_operation(
        what, "use None, an enum member or a string of your own as the marker"
    )


def _type(_ctx: Any, args: Args, keywords: Keywords) -> type:
    if len(args) == 1 and not keywords:
        return type_of(args[0])
    what = "making a class with type()"
    raise unsupported_operation(what, "write the class at module level")


CONSTRUCTORS: dict[str, Implementation] = {
    "bool": _plain(bool),
    "int": _int,
    "float": _float,
    "str": _str,
    "bytes": _byte_string(bytes),
    "bytearray": _byte_string(bytearray),
    "list": _list,
    "tuple": _tuple,
    "dict": _dict(dict),
    "set": _of_items(OrderedSet),
    "frozenset": _of_items(OrderedFrozenset),
    "range": _plain(range),
    "slice": _plain(slice),
    "object": _object,
    "type": _type,
    "datetime.datetime": _plain(dt.datetime),
    "datetime.date": _plain(dt.date),
    "datetime.time": _plain(dt.time),
    "datetime.timedelta": _plain(dt.timedelta),
    "datetime.timezone": _plain(dt.timezone),
    "zoneinfo.ZoneInfo": _plain(zoneinfo.ZoneInfo),
    "decimal.Decimal": _decimal,
    "uuid.UUID": _plain(uuid.UUID),
    "fractions.Fraction": _fraction,
    "pathlib.PurePosixPath": _plain(pathlib.PurePosixPath),
    "pathlib.Path": _plain(pathlib.Path),
    "collections.deque": _deque,
    "collections.Counter": _dict(collections.Counter),
    "collections.OrderedDict": _dict(collections.OrderedDict),
    "collections.defaultdict": _defaultdict,
    "random.Random": make_random,
    "waymark.RetryPolicy": _plain(RetryPolicy),
    "waymark.Backoff": _plain(Backoff),
    "waymark.BackoffPolicy": _plain(Backoff),
}
"""How to call each type of ``ir.language.TYPES``, by its name."""
