"""Values of the machine come in; a flat list of nodes that refer to each other by number goes out."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Context
from random import Random
from types import UnionType
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import BaseModel, ValidationError

from waymark_schema.ir.policies import Backoff, RetryPolicy
from waymark_schema.values import validation
from waymark_schema.values.faults import MARK, is_stand_in
from waymark_worker.vm import decimals
from waymark_worker.vm import snapshot_faults as faults
from waymark_worker.vm.builtins import CLASSES
from waymark_worker.vm.callables import Action, BoundMethod, Builtin, CallValue, FunctionValue
from waymark_worker.vm.cursors import (
    Cursor,
    DequeCursor,
    ItemCursor,
    KeyCursor,
    SetCursor,
    ValueCursor,
)
from waymark_worker.vm.decimals import Unshared
from waymark_worker.vm.iterators import STATEFUL
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.scheduling import PENDING, Future
from waymark_worker.vm.snapshot_fields import RECORDS, SINGLE
from waymark_worker.vm.state import Frame
from waymark_worker.vm.views import DictItems, DictKeys, DictValues

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedProgram

INLINE: frozenset[type] = frozenset({type(None), bool, float, str, bytes})
"""Written where they stand, but for constants and NaN, whose identity shows. An int is too, within 64 bits."""
_LOW, _HIGH = -(1 << 63), 1 << 64
NAMES = {cls: name for name, cls in CLASSES.items()}
_encode = msgspec.msgpack.Encoder().encode
_TAGS = {kind: tag for tag, (kind, _) in RECORDS.items()}
_MARKS = {id(mark): tag for tag, mark in SINGLE.items()}


class GraphWriter:
    """Numbers objects as it meets them; what refers to one holds ``[number]``.

    ``careful``: some text holds a lone surrogate, which msgpack cannot write: each such text becomes a node.
    """

    def __init__(self, linked: LinkedProgram, *, careful: bool) -> None:
        self.linked = linked
        self.careful = careful
        self.nodes: list[list[Any]] = []
        self._constants = linked.numbered
        self._numbers: dict[int, int] = {}
        self._objects: list[Any] = []
        """Kept alive while their ``id`` is a key; also the work that is left."""

    def value(self, value: Any) -> Any:
        """The value as it stands in a node: itself, or a reference."""
        kind = value.__class__
        if kind in INLINE:
            if (
                id(value) not in self._constants
                and value == value  # noqa: PLR0124 - a NaN
                and (not self.careful or kind is not str or value.isascii() or _speakable(value))
            ):
                return value
        elif kind is int and _LOW <= value < _HIGH:
            return value
        key = id(value)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._objects)
            self._objects.append(value)
        return [number]

    def values(self, values: Any) -> list[Any]:
        """Many values in order."""
        write = self.value
        return [write(value) for value in values]

    def finish(self) -> None:
        """Write the nodes of everything that was met. Raises TypeError for what has no stored form."""
        objects, nodes, constants = self._objects, self.nodes, self._constants
        while len(nodes) < len(objects):
            value = objects[len(nodes)]
            number = constants.get(id(value))
            if number is not None:
                nodes.append(["constant", number])
                continue
            writer = WRITERS.get(value.__class__)
            nodes.append(writer(self, value) if writer is not None else self._other(value))

    def _other(self, value: Any) -> list[Any]:
        mark = _MARKS.get(id(value))
        if mark is not None:
            return ["single", mark]
        for kind, write in _FAMILIES:
            if isinstance(value, kind):
                return write(self, value)
        if hasattr(value.__class__, "__dataclass_fields__"):
            return _object(self, value)
        # A scalar of the durable values: a date, a Decimal, an enum member, an int of any size ...
        return ["wire", self.linked.codec.encode(value)]


def _speakable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _sequence(tag: str) -> Callable[[GraphWriter, Any], list[Any]]:
    def write(writer: GraphWriter, value: Any) -> list[Any]:
        return [tag, *writer.values(value)]

    return write


def _mapping(tag: str) -> Callable[[GraphWriter, Any], list[Any]]:
    def write(writer: GraphWriter, value: Any) -> list[Any]:
        return [tag, writer.values(value.keys()), writer.values(value.values())]

    return write


def _record(writer: GraphWriter, value: Any) -> list[Any]:
    tag = _TAGS[value.__class__]
    return [tag, *[writer.value(getattr(value, name)) for name, _ in RECORDS[tag][1]]]


def _frame(writer: GraphWriter, frame: Frame) -> list[Any]:
    slots = frame.slots
    kept = [writer.value(slots[slot]) for slot in frame.function.kept]
    return [*_record(writer, frame), frame.function.number, frame.at.index, frame.index, kept]


def _future(writer: GraphWriter, future: Future) -> list[Any]:
    effect = future.effect
    return [*_record(writer, future), None if effect is None else _encode(effect)]


def _call(writer: GraphWriter, call: CallValue) -> list[Any]:
    future = call.future
    if future is not None and future.state != PENDING:
        # Only that it is used up is of interest: what it gave may be long gone.
        future = _SPENT
    written = [writer.value(each) for each in (call.arguments, call.inner, future)]
    return ["call", *written, call.action.number, _encode(call.policy)]


_SPENT = Future()
_SPENT.state = 1


def _function(writer: GraphWriter, value: FunctionValue) -> list[Any]:
    for (cls, name), (_, member) in writer.linked.members.items():
        if member is value:
            return ["member", writer.value(cls), name]
    return [
        "function",
        value.function.number,
        writer.values(value.defaults),
        list(value.keyword_defaults),
        writer.values(value.keyword_defaults.values()),
        writer.values(value.cells),
    ]


def _method(writer: GraphWriter, value: BoundMethod) -> list[Any]:
    return ["method", writer.value(value.receiver), value.name]


def _builtin(writer: GraphWriter, value: Builtin) -> list[Any]:
    return ["builtin", value.name]


def _action(writer: GraphWriter, value: Action) -> list[Any]:
    return ["action", value.number]


def _class(writer: GraphWriter, cls: type) -> list[Any]:
    name = NAMES.get(cls)
    if name is not None:
        return ["class", name]
    if cls in writer.linked.classes:
        return ["entry", writer.linked.classes.index(cls)]
    known = faults.fault_name(cls)
    if known is not None:
        return ["fault", known]
    if is_stand_in(cls):
        return ["stand_in", f"{cls.__module__}:{cls.__qualname__}", writer.values(cls.__bases__)]
    found = writer.linked.types.describe(cls)
    if found is None:
        msg = f"class {cls.__qualname__} has no stored form"
        raise TypeError(msg)
    return ["described", _encode([found[0], list(found[1])])]


def _exception(writer: GraphWriter, error: BaseException) -> list[Any]:
    chained = {
        "cause": writer.value(error.__cause__),
        "context": writer.value(error.__context__),
        "suppress": error.__suppress_context__,
    }
    held = {name: value for name, value in error.__dict__.items() if name != MARK}
    if isinstance(error, ValidationError):
        found = validation.taken_apart(error)
        parts, counts = faults.validation_parts(found)
        return [
            "findings",
            [found.title, found.mode, found.hidden],
            # None first: a list of one int would look like a reference.
            *([None, *writer.values(part)] for part in parts),
            {
                "counts": counts,
                "args": writer.value(error.args),
                "names": list(held),
                "values": writer.values(held.values()),
                "told": faults.past(error),
                **chained,
            },
        ]
    if isinstance(error, BaseExceptionGroup):
        return [
            "exception_group",
            writer.value(error.__class__),
            writer.value(error.message),
            writer.values(error.exceptions),
            # In a dict: what stands here may refer back to the group, which is made without it.
            {
                "args": writer.value(error.args),
                "names": list(held),
                "values": writer.values(held.values()),
                "told": faults.past(error),
                **chained,
            },
        ]
    return [
        "exception",
        writer.value(error.__class__),
        writer.value(error.args),
        list(held),
        writer.values(held.values()),
        chained,
        faults.past(error),
        writer.values(faults.special_parts(error)),
    ]


def _model(writer: GraphWriter, value: BaseModel) -> list[Any]:
    held = value.__dict__
    extra, private = value.__pydantic_extra__, value.__pydantic_private__
    return [
        "model",
        writer.value(value.__class__),
        list(held),
        writer.values(held.values()),
        None if extra is None else [list(extra), writer.values(extra.values())],
        None if private is None else [list(private), writer.values(private.values())],
        sorted(value.__pydantic_fields_set__),
    ]


def _object(writer: GraphWriter, value: Any) -> list[Any]:
    held = dict(getattr(value, "__dict__", ()))
    for cls in value.__class__.__mro__:
        for name in cls.__dict__.get("__slots__", ()):
            if name not in {"__dict__", "__weakref__"} and hasattr(value, name):
                held[name] = getattr(value, name)
    return ["object", writer.value(value.__class__), list(held), writer.values(held.values())]


def _deque(writer: GraphWriter, value: deque[Any]) -> list[Any]:
    return ["deque", value.maxlen, *writer.values(value)]


def _defaultdict(writer: GraphWriter, value: defaultdict[Any, Any]) -> list[Any]:
    keys, values = writer.values(value.keys()), writer.values(value.values())
    return ["defaultdict", keys, values, writer.value(value.default_factory)]


def _iterator(writer: GraphWriter, value: Any) -> list[Any]:
    made_by, arguments, *place = value.__reduce__()
    how = made_by.__name__  # iter, reversed, or the class of a deque's iterator
    return ["iterator", how, writer.values(arguments), place[0] if place else None]


def _host_zip(writer: GraphWriter, value: Any) -> list[Any]:
    parts = value.__reduce__()
    return ["zip", writer.values(parts[1]), len(parts) > 2 and bool(parts[2])]  # noqa: PLR2004 - its state


def _host_enumerate(writer: GraphWriter, value: Any) -> list[Any]:
    source, count = value.__reduce__()[1]
    return ["enumerate", writer.value(source), writer.value(count)]


def _cursor(writer: GraphWriter, value: Cursor) -> list[Any]:
    return ["cursor", writer.value(value.source), value.reverse, value.remaining()]


def _view(writer: GraphWriter, value: Any) -> list[Any]:
    return ["view", value.kind, writer.value(value.mapping)]


def _bytearray(writer: GraphWriter, value: bytearray) -> list[Any]:
    return ["bytearray", bytes(value)]


def _decimal_context(_writer: GraphWriter, value: Context) -> list[Any]:
    return ["decimal_context", *decimals.parts(value)]


def _range(writer: GraphWriter, value: range) -> list[Any]:
    return ["range", *writer.values((value.start, value.stop, value.step))]


def _slice(writer: GraphWriter, value: slice) -> list[Any]:
    return ["slice", *writer.values((value.start, value.stop, value.step))]


def _union(writer: GraphWriter, value: UnionType) -> list[Any]:
    kinds = (None if kind is type(None) else kind for kind in value.__args__)
    return ["union", *writer.values(kinds)]


def _random(writer: GraphWriter, value: Random) -> list[Any]:
    version, state, following = value.getstate()
    return ["random", version, *state, following]


def _backoff(writer: GraphWriter, value: Backoff) -> list[Any]:
    return ["backoff", value.base, value.factor, value.max, value.jitter]


def _retry(writer: GraphWriter, value: RetryPolicy) -> list[Any]:
    return ["retry", value.attempts, list(value.exception_types), writer.value(value.backoff)]


def _named(writer: GraphWriter, value: tuple[Any, ...]) -> list[Any]:
    return ["named", writer.value(value.__class__), *writer.values(value)]


_FAMILIES: tuple[tuple[type, Callable[[GraphWriter, Any], list[Any]]], ...] = (
    (type, _class),
    (BaseException, _exception),
    (BaseModel, _model),
    (tuple, _named),
)
WRITERS: dict[type, Callable[[GraphWriter, Any], list[Any]]] = {
    **dict.fromkeys(_TAGS, _record),
    **{kind: _future for tag, (kind, _) in RECORDS.items() if tag in {"future", "task", "gather"}},
    Frame: _frame,
    CallValue: _call,
    FunctionValue: _function,
    BoundMethod: _method,
    Builtin: _builtin,
    type(NotImplemented): lambda _writer, _value: ["builtin", "NotImplemented"],
    Action: _action,
    list: _sequence("list"),
    tuple: _sequence("tuple"),
    OrderedSet: _sequence("set"),
    OrderedFrozenset: _sequence("frozenset"),
    dict: _mapping("dict"),
    Counter: _mapping("counter"),
    OrderedDict: _mapping("ordered_dict"),
    defaultdict: _defaultdict,
    deque: _deque,
    bytearray: _bytearray,
    **dict.fromkeys((Context, Unshared), _decimal_context),
    range: _range,
    slice: _slice,
    UnionType: _union,
    **dict.fromkeys((DictKeys, DictValues, DictItems), _view),
    **dict.fromkeys((KeyCursor, ValueCursor, ItemCursor, SetCursor, DequeCursor), _cursor),
    **dict.fromkeys(STATEFUL, _iterator),
    zip: _host_zip,
    enumerate: _host_enumerate,
    Random: _random,
    Backoff: _backoff,
    RetryPolicy: _retry,
}
