"""A value comes in, its JSON goes out, and back; bounded beforehand, and without code of the program's in between."""

from __future__ import annotations

import calendar
import copy
import dataclasses
import json
import uuid
from collections.abc import Callable
from typing import Any

from waymark_worker.vm.callbacks import Hosted
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.meter import METER, check_text
from waymark_worker.vm.names import RECORDS, refuse_copy
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.weights import CONTAINERS, children, weigh

Args = list[Any]
Keywords = dict[str, Any]

_LINE = 64
"""More than the digits of a number, quotes and separators take."""
_ESCAPED = 6
"""Characters that one may become: ``\\u0000``."""


# --- json -------------------------------------------------------------------------------------


def _dumps(_ctx: Any, args: Args, keywords: Keywords) -> str:
    if keywords.get("cls") is not None:
        what = "json.dumps(..., cls=...)"
        raise unsupported_operation(what, "give a function as default=")
    if keywords.get("default") is not None:
        keywords = {**keywords, "default": _converting(keywords["default"])}
    if args:
        _charge_text(args[0], keywords)
    return json.dumps(*args, **keywords)


def _converting(function: Any) -> Hosted | Callable[[Any], Any]:
    hosted = Hosted(function)

    def convert(value: Any) -> Any:
        made = hosted(value)
        METER.charge(weigh(made))
        return made

    return convert


def _charge_text(value: Any, keywords: Keywords) -> None:
    size = weigh(value)
    indent = keywords.get("indent")
    each = len(indent) if isinstance(indent, str) else indent if isinstance(indent, int) else 0
    separators = keywords.get("separators") or ()
    each += sum(len(text) for text in separators if isinstance(text, str))
    METER.charge(size)
    if each > _LINE or size * _ESCAPED > _ROUGH:
        check_text(size * (_ESCAPED + max(each, 0)), "the result of json.dumps()")


_ROUGH = 4 * 1024 * 1024


_HOOKS = ("object_hook", "object_pairs_hook", "parse_float", "parse_int", "parse_constant")


def _loads(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if keywords.get("cls") is not None:
        what = "json.loads(..., cls=...)"
        raise unsupported_operation(what, "give a function as object_hook=")
    if args and isinstance(args[0], str | bytes | bytearray):
        METER.charge(len(args[0]) >> 1)
    hooks: Keywords = {
        name: Hosted(keywords[name]) for name in _HOOKS if keywords.get(name) is not None
    }
    return json.loads(*args, **{**keywords, **hooks})


# --- copies -----------------------------------------------------------------------------------


def _copied(deep: bool) -> Implementation:  # noqa: FBT001 - two functions, told apart here
    host: Callable[..., Any] = copy.deepcopy if deep else copy.copy

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if len(args) == 1 and not keywords:
            if deep:
                METER.charge(weigh(args[0]))
            _check_durable(args[0], deep=deep)
        elif len(args) > 1 or keywords:
            what = f"copy.{host.__name__}() with a memo"
            raise unsupported_operation(what, "copy everything in one call")
        return host(*args, **keywords)

    return run


def _check_durable(value: Any, *, deep: bool) -> None:
    """Refuse iterators, which the host would copy; the machine's own objects say themselves how they are copied."""
    left, seen = [value], {id(value)}
    while left:
        at = left.pop()
        if type(at) in RECORDS and not hasattr(at, "__deepcopy__"):
            refuse_copy(at)
        if deep:
            fresh = [each for each in children(at) if id(each) not in seen]
            seen.update(map(id, fresh))
            left += fresh
        elif type(at) in CONTAINERS:
            METER.charge(len(at))


def _spread(name: str, factory: str) -> Implementation:
    """``asdict`` and ``astuple``, which copy what the fields hold."""
    host: Callable[..., Any] = getattr(dataclasses, name)

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        for arg in args:
            weigh(arg)
        if factory in keywords:
            keywords = {**keywords, factory: Hosted(keywords[factory])}
        return host(*args, **keywords)

    return run


def _plain(host: Callable[..., Any]) -> Implementation:
    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        METER.charge(sum(len(arg) >> 3 for arg in args if isinstance(arg, str | bytes)))
        return host(*args, **keywords)

    return run


DOCUMENTS: dict[str, Implementation] = {
    "json.dumps": _dumps,
    "json.loads": _loads,
    "copy.copy": _copied(deep=False),
    "copy.deepcopy": _copied(deep=True),
    "dataclasses.asdict": _spread("asdict", "dict_factory"),
    "dataclasses.astuple": _spread("astuple", "tuple_factory"),
    "uuid.uuid3": _plain(uuid.uuid3),
    "uuid.uuid5": _plain(uuid.uuid5),
    **{
        f"calendar.{name}": _plain(getattr(calendar, name))
        for name in ("isleap", "leapdays", "timegm")
    },
}
