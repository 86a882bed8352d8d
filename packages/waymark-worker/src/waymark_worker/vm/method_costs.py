"""A method comes in; one that bounds what it will make, and charges for what it walks, goes out."""

from __future__ import annotations

import codecs
import datetime as dt
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from waymark_worker.vm.formatting import fill, fill_from
from waymark_worker.vm.invoking import apply_each
from waymark_worker.vm.iteration import SIZED, hostable, items, prepare
from waymark_worker.vm.meter import METER, check_bits, check_items, check_text
from waymark_worker.vm.names import type_name
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.refusals import LimitExceeded, unsupported_operation
from waymark_worker.vm.sorting import put_sorted
from waymark_worker.vm.views import DictItems, DictKeys, DictValues
from waymark_worker.vm.weights import PER_FINDING, weigh

Method = Callable[..., Any]

_CHEAP: dict[type, frozenset[str]] = {
    cls: frozenset(names.split())
    for cls, names in {
        list: "append clear pop",
        bytearray: "append pop",
        dict: "get pop popitem setdefault",
        Counter: "get pop popitem setdefault",
        OrderedDict: "get pop popitem setdefault move_to_end",
        defaultdict: "get pop popitem setdefault",
        OrderedSet: "add discard remove pop",
        deque: "append appendleft pop popleft clear",
    }.items()
}
_SIZED = (
    str,
    bytes,
    bytearray,
    list,
    tuple,
    dict,
    deque,
    range,
    OrderedSet,
    OrderedFrozenset,
    DictKeys,
    DictItems,
)

_SHORT = 64
"""Below this a walk is part of what the block costs anyway."""
_SCALARS: frozenset[type] = frozenset({int, float, bool, type(None)})


def cheap(cls: type, name: str) -> bool:
    """Whether the host's method may run as it is: its time does not grow with what it is given."""
    return name in _CHEAP.get(cls, ()) or not issubclass(cls, _SIZED)


def _length(value: Any) -> int:
    if isinstance(value, str | bytes | bytearray):
        return len(value) >> 3
    if isinstance(value, _SIZED):
        return len(value)
    return 0


def scanning(host: Method) -> Method:
    """Charge for the receiver and the arguments, then run ``host``."""

    def run(receiver: Any, *args: Any, **keywords: Any) -> Any:
        if len(receiver) > _SHORT:
            METER.charge(_length(receiver))
        if args:
            for arg in args:
                if type(arg) not in _SCALARS:
                    METER.charge(_length(arg))
        return host(receiver, *args, **keywords)

    return run


def _padding(name: str) -> Method:
    def pad(text: Any, *args: Any) -> Any:
        if args and isinstance(args[0], int):
            check_text(max(args[0], len(text)), f"the result of {name}")
        return getattr(type(text), name)(text, *args)

    return pad


def _expandtabs(text: Any, *args: Any, **keywords: Any) -> Any:
    size = args[0] if args else keywords.get("tabsize", 8)
    if isinstance(size, int):
        check_text(
            len(text) + max(size, 0) * text.count("\t" if isinstance(text, str) else b"\t"),
            "expandtabs",
        )
    return text.expandtabs(*args, **keywords)


def _replace(text: Any, *args: Any, **keywords: Any) -> Any:
    given = (*args, *keywords.values())
    texts = [arg for arg in given if isinstance(arg, type(text))]
    if len(texts) > 1:
        limit = next((arg for arg in given if isinstance(arg, int)), -1)
        found = text.count(texts[0])
        times = found if limit < 0 else min(found, limit)
        check_text(
            len(text) + max(len(texts[1]) - len(texts[0]), 0) * times, "the result of replace"
        )
    METER.charge(len(text) >> 3)
    return text.replace(*args, **keywords)


def _join(separator: Any, *args: Any) -> Any:
    if len(args) != 1:
        return separator.join(*args)
    parts = args[0]
    if type(parts) is not list:
        parts = list(items(parts, message="can only join an iterable"))
    METER.charge(len(parts))
    size = sum(len(part) for part in parts if isinstance(part, str | bytes | bytearray))
    check_text(size + len(separator) * len(parts), "the result of join")
    return separator.join(parts)


def _translate(text: Any, *args: Any, **keywords: Any) -> Any:
    METER.charge(len(text))
    if isinstance(text, str) and args and isinstance(args[0], dict):
        METER.charge(len(args[0]))
        longest = max(
            (len(value) for value in args[0].values() if isinstance(value, str)), default=1
        )
        check_text(len(text) * max(longest, 1), "the result of translate")
    return text.translate(*args, **keywords)


_ENCODINGS = frozenset(
    "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be ascii iso8859-1 iso8859-15 cp1252".split()
)


def _coding(name: str) -> Method:
    def convert(value: Any, *args: Any, **keywords: Any) -> Any:
        encoding = args[0] if args else keywords.get("encoding", "utf-8")
        if isinstance(encoding, str) and codecs.lookup(encoding[:100]).name not in _ENCODINGS:
            what = f"the encoding {encoding[:100]!r} in a workflow"
            raise unsupported_operation(
                what, "use utf-8, utf-16, utf-32, ascii or latin-1, or an action"
            )
        check_text(len(value) * 4, f"the result of {name}")
        return getattr(type(value), name)(value, *args, **keywords)

    return convert


def _to_bytes(number: int, *args: Any, **keywords: Any) -> bytes:
    length = args[0] if args else keywords.get("length", 1)
    if isinstance(length, int):
        check_text(length, "the result of to_bytes")
    return number.to_bytes(*args, **keywords)


def _from_bytes(cls: type[int], *args: Any, **keywords: Any) -> int:
    if args:
        found = hostable(args[0])
        args = (found if found is args[0] else bytes(found), *args[1:])
    if args and isinstance(args[0], bytes | bytearray | list | tuple):
        check_bits(len(args[0]) * 8, "the result of from_bytes")
    return cls.from_bytes(*args, **keywords)


def _sort(target: list[Any], *args: Any, **keywords: Any) -> None:
    if args or not keywords.keys() <= {"key", "reverse"}:
        target.sort(*args, **keywords)
    key, reverse = keywords.get("key"), keywords.get("reverse", False)
    METER.charge(len(target) * max(len(target).bit_length(), 1) >> 1)
    if key is None:
        for item in target:
            if not isinstance(item, int | float | str):
                weigh(item)
        target.sort(reverse=reverse)
        return
    values = target[:]
    target.clear()  # as CPython: the key functions see an empty list
    try:
        keys = apply_each(key, values)
    except BaseException:
        target[:] = values
        raise
    put_sorted(target, values, keys, reverse=reverse)


_NOT_ITERABLE = "{!r} object is not iterable"
_NOT_BYTES = "can't extend bytearray with {}"


def _extend(target: Any, *args: Any) -> None:
    if len(args) != 1:
        target.extend(*args)
        return
    if args[0] is target:
        check_items(len(target), "the result of extend")
        target.extend(list(target))
        return
    if type(args[0]) in SIZED:
        METER.charge(len(args[0]))
        target.extend(args[0])
        return
    message = _NOT_BYTES if type(target) is bytearray else _NOT_ITERABLE
    target.extend(items(args[0], message=message))


def _extendleft(target: deque[Any], *args: Any) -> None:
    if len(args) == 1:
        args = (args[0] if args[0] is target else items(args[0]),)
    target.extendleft(*args)


def _insert(target: Any, *args: Any) -> None:
    METER.charge(len(target) >> 6)
    target.insert(*args)


def _keys(mapping: Any, *args: Any) -> DictKeys:
    if args:
        mapping.keys(*args)
    return DictKeys(mapping)


def _values(mapping: Any, *args: Any) -> DictValues:
    if args:
        mapping.values(*args)
    return DictValues(mapping)


def _items(mapping: Any, *args: Any) -> DictItems:
    if args:
        mapping.items(*args)
    return DictItems(mapping)


def _update(mapping: Any, *args: Any, **keywords: Any) -> None:
    METER.charge(sum(map(_length, args)) + 1)
    mapping.update(*map(hostable, args), **keywords)


def _walking(name: str) -> Method:
    """Charge for the receiver, then hand the host the other one's items as they come."""

    def run(receiver: Any, *args: Any, **keywords: Any) -> Any:
        METER.charge(len(receiver))
        return getattr(type(receiver), name)(receiver, *map(hostable, args), **keywords)

    return run


def _set_method(name: str) -> Method:
    def run(receiver: Any, *others: Any) -> Any:
        METER.charge(len(receiver))
        if len(others) > 1:
            prepare(*others)
        return getattr(type(receiver), name)(receiver, *map(_consumable, others))

    return run


def _consumable(other: Any) -> Any:
    if isinstance(other, OrderedSet | OrderedFrozenset | dict | list | tuple | str):
        METER.charge(len(other))
        return other
    return _Later(other)


class _Later:
    """An argument that is asked for its items once its turn has come: by then those before it are used up."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __iter__(self) -> Iterator[Any]:
        return items(self.value)


def _aware(name: str) -> Method:
    def run(moment: dt.datetime, *args: Any, **keywords: Any) -> Any:
        zone_missing = name == "astimezone" and (args[:1] or tuple(keywords.values())) in {
            (),
            (None,),
        }
        if moment.utcoffset() is None or zone_missing:
            what = f"datetime.{name}() in the time zone of the machine that happens to run the workflow"
            raise unsupported_operation(
                what, "give the datetime and the call a tzinfo (timezone.utc, ZoneInfo)"
            )
        return getattr(dt.datetime, name)(moment, *args, **keywords)

    return run


def _fromtimestamp(cls: type[dt.datetime], *args: Any, **keywords: Any) -> Any:
    zone = args[1] if len(args) > 1 else keywords.get("tz")
    if zone is None:
        what = "datetime.fromtimestamp() in the time zone of the machine that happens to run the workflow"
        raise unsupported_operation(what, "pass tz=timezone.utc or another tzinfo")
    return cls.fromtimestamp(*args, **keywords)


def _strftime(moment: Any, *args: Any, **keywords: Any) -> Any:
    template = args[0] if args else keywords.get("format", "")
    if isinstance(template, str) and len(template) > 4096:  # noqa: PLR2004 - the host may expand each into 256
        msg = f"a time format of {len(template)} characters; at most 4096 are allowed"
        raise LimitExceeded(msg)
    return moment.strftime(*args, **keywords)


def _exact(name: str) -> Method:
    def run(number: Decimal, *args: Any, **keywords: Any) -> Any:
        check_decimal(number, f"Decimal.{name}")
        return getattr(Decimal, name)(number, *args, **keywords)

    return run


def check_decimal(number: Decimal, what: str) -> None:
    """Bound the integer that ``number`` stands for: an exponent is short to write and long to expand."""
    if number.is_finite():
        check_bits(abs(int(number.as_tuple().exponent)) * 10 // 3, what)


def _most_common(counter: Counter[Any], *args: Any, **keywords: Any) -> list[tuple[Any, int]]:
    METER.charge(len(counter) * max(len(counter).bit_length(), 1) >> 1)
    return counter.most_common(*args, **keywords)


def _elements(counter: Counter[Any], *args: Any) -> Any:
    if args:
        counter.elements(*args)  # raises CPython's own TypeError
    check_items(sum(max(count, 0) for count in counter.values()), "elements()")
    return iter(list(counter.elements()))


def _fromkeys(cls: type[dict[Any, Any]], *args: Any) -> Any:
    if args:
        args = (items(args[0]), *args[1:])
    return cls.fromkeys(*args)


def _copied_model(model: BaseModel, *args: Any, **keywords: Any) -> Any:
    weigh(model)
    return model.model_copy(*args, **keywords)


def _dumped(name: str) -> Method:
    def run(model: BaseModel, *args: Any, **keywords: Any) -> Any:
        weigh(model)
        if name == "model_dump_json" or keywords.get("mode") == "json":
            keywords.setdefault("fallback", _listed)
        try:
            return _with_own_sets(getattr(model, name)(*args, **keywords))
        except PydanticSerializationError as error:
            text = str(error).removeprefix(_IN_FALLBACK)
        raise PydanticSerializationError(text)

    return run


_IN_FALLBACK = "Error serializing to JSON: PydanticSerializationError: "


def _with_own_sets(dumped: Any) -> Any:
    """Copy the sets in what pydantic has made: it copies the containers it knows, and shares all else."""
    if isinstance(dumped, OrderedSet):
        return dumped.copy()
    if isinstance(dumped, dict):
        for key, item in list(dumped.items()):
            dumped[key] = _with_own_sets(item)
    elif isinstance(dumped, list | deque):
        for place, item in enumerate(list(dumped)):
            dumped[place] = _with_own_sets(item)
    elif type(dumped) is tuple:
        return tuple(map(_with_own_sets, dumped))
    return dumped


def _listed(value: Any) -> Any:
    """What pydantic makes of a set where no field says that it is one."""
    if isinstance(value, OrderedSet | OrderedFrozenset):
        return list(value)
    msg = f"Unable to serialize unknown type: {type(value)}"
    raise PydanticSerializationError(msg)


def _of_its_class(name: str) -> Method:
    """Each named tuple has its own method of that name."""

    def run(value: Any, *args: Any, **keywords: Any) -> Any:
        return getattr(type(value), name)(value, *args, **keywords)

    return run


def _add_note(error: BaseException, *args: Any) -> None:
    error.add_note(*args)


def _errors(error: ValidationError, *args: Any, **keywords: Any) -> Any:
    METER.charge(PER_FINDING * error.error_count())
    return error.errors(*args, **keywords)


def _copy(sequence: Any, *args: Any) -> Any:
    check_items(len(sequence) >> 2, "the copy")
    return sequence.copy(*args)


Overrides = Iterable[tuple[tuple[str, str], Method]]


def _of_texts() -> Overrides:
    for text in ("str", "bytes", "bytearray"):
        for name in ("center", "ljust", "rjust", "zfill"):
            yield (text, name), _padding(name)
        yield (text, "expandtabs"), _expandtabs
        yield (text, "replace"), _replace
        yield (text, "join"), _join
        yield (text, "translate"), _translate
        yield (
            (text, "encode" if text == "str" else "decode"),
            _coding("encode" if text == "str" else "decode"),
        )


def _of_containers() -> Overrides:
    for sequence in ("list", "deque", "bytearray"):
        yield (sequence, "extend"), _extend
        yield (sequence, "insert"), _insert
        yield (sequence, "copy"), _copy
    for mapping in ("dict", "Counter", "OrderedDict", "defaultdict"):
        yield (mapping, "keys"), _keys
        yield (mapping, "values"), _values
        yield (mapping, "items"), _items
        yield (mapping, "update"), _update
        yield (f"type {mapping}", "fromkeys"), _fromkeys
    for name in (
        "difference",
        "intersection",
        "isdisjoint",
        "issubset",
        "issuperset",
        "symmetric_difference",
        "union",
    ):
        yield ("set", name), _set_method(name)
        yield ("frozenset", name), _set_method(name)
    for name in (
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "update",
    ):
        yield ("set", name), _set_method(name)


def _of_others() -> Overrides:
    for name in ("astimezone", "timestamp"):
        yield ("datetime", name), _aware(name)
    for moment in ("datetime", "date", "time"):
        yield (moment, "strftime"), _strftime
    for name in ("as_integer_ratio", "to_integral", "to_integral_exact", "to_integral_value"):
        yield ("Decimal", name), _exact(name)
    yield ("BaseModel", "model_copy"), _copied_model
    for name in ("model_dump", "model_dump_json"):
        yield ("BaseModel", name), _dumped(name)


OVERRIDES: dict[tuple[str, str], Method] = {
    **dict(_of_texts()),
    **dict(_of_containers()),
    **dict(_of_others()),
    ("namedtuple", "_replace"): _of_its_class("_replace"),
    ("namedtuple", "_asdict"): _of_its_class("_asdict"),
    ("str", "format"): fill,
    ("str", "format_map"): fill_from,
    ("int", "to_bytes"): _to_bytes,
    ("type int", "from_bytes"): _from_bytes,
    ("list", "sort"): _sort,
    ("deque", "extendleft"): _extendleft,
    ("dict_keys", "isdisjoint"): _walking("isdisjoint"),
    ("dict_items", "isdisjoint"): _walking("isdisjoint"),
    ("Counter", "most_common"): _most_common,
    ("Counter", "elements"): _elements,
    ("Counter", "subtract"): _walking("subtract"),
    ("type datetime", "fromtimestamp"): _fromtimestamp,
    ("BaseException", "add_note"): _add_note,
    ("ValidationError", "errors"): _errors,
}
"""By (type, method), or (``type`` and its name, method of the type itself)."""


def not_callable(value: Any) -> TypeError:
    """Give CPython's error for calling what cannot be called."""
    msg = f"{type_name(value)!r} object is not callable"
    return TypeError(msg)
