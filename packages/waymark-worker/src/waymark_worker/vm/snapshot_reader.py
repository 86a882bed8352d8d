"""Nodes of a snapshot come in; the values that they describe, shared and cyclic as they were, go out."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from waymark_schema.ir.policies import Backoff, RetryPolicy, StoredPolicy
from waymark_schema.values.descriptors import Descriptor
from waymark_schema.values.faults import stand_in
from waymark_worker.vm import builtins, decimals, operations
from waymark_worker.vm import snapshot_faults as faults
from waymark_worker.vm.asynchrony import CALLBACKS
from waymark_worker.vm.callables import BoundMethod, CallValue, Cell, FunctionValue
from waymark_worker.vm.cursors import CURSORS
from waymark_worker.vm.effects import StartCall, StartTimer
from waymark_worker.vm.limits import MAX_DEPTH
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.results import remade
from waymark_worker.vm.scheduling import Future
from waymark_worker.vm.snapshot_fields import RECORDS, SINGLE
from waymark_worker.vm.state import Frame, NativeFrame
from waymark_worker.vm.views import DictItems, DictKeys, DictValues

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedProgram

Node = list[Any]
_effects = msgspec.msgpack.Decoder(StartCall | StartTimer | None)
_policies = msgspec.msgpack.Decoder(StoredPolicy)
_described = msgspec.msgpack.Decoder(tuple[Descriptor, list[Descriptor]])
_put = object.__setattr__
_VIEWS = {view.kind: view for view in (DictKeys, DictValues, DictItems)}
_WALKS: dict[str, Callable[..., Any]] = {
    "iter": iter,
    "reversed": reversed,
}
_PENDING = object()


class GraphReader:
    """Makes every node's object in four rounds, so that each finds what it needs.

    First what can stand empty, then what must be made of its parts (tuples, iterators), then fields and
    lists, and last whatever hashes its keys, inner frozen sets before the sets and dicts that hold them.
    """

    def __init__(self, linked: LinkedProgram, nodes: list[Node]) -> None:
        self.linked = linked
        self.nodes = nodes
        self.objects: list[Any] = [_PENDING] * len(nodes)

    def read(self, roots: list[Any]) -> list[Any]:
        """The values of ``roots``. Raises one error or another for nodes that are no snapshot's."""
        for number, node in enumerate(self.nodes):
            blank = _BLANKS.get(node[0])
            if blank is not None:
                self.objects[number] = blank(self, node)
        self._make_classes()
        for number in range(len(self.nodes)):
            self._make(number)
        for number, node in enumerate(self.nodes):
            fill = _FILLS.get(node[0])
            if fill is not None:
                fill(self, self.objects[number], node)
        for number, node in enumerate(self.nodes):
            if node[0] == "method":  # looked up on objects that have their fields by now
                _fill_method(self, self.objects[number], node)
        self._fill_hashed()
        for number, node in enumerate(self.nodes):
            finish = _LAST.get(node[0])
            if finish is not None:
                finish(self, self.objects[number], node)
        self._check_stacks()
        return self.values(roots)

    def value(self, written: Any) -> Any:
        """The value that stands in a node: itself, or what a reference means."""
        if written.__class__ is list:
            (number,) = written
            return self.objects[number] if number >= 0 else self._refuse(f"reference {number}")
        return written

    def values(self, written: list[Any]) -> list[Any]:
        """Many values in order."""
        read = self.value
        return [read(each) for each in written]

    def _refuse(self, what: str) -> Any:
        msg = f"{what} is nothing that a snapshot holds"
        raise ValueError(msg)

    def _make_classes(self) -> None:
        for number, node in enumerate(self.nodes):
            make = _CLASSES.get(node[0])
            if make is not None:
                self.objects[number] = make(self, node)
        for number, node in enumerate(self.nodes):
            if node[0] == "stand_in":
                bases = tuple(_checked(each, type, "a base") for each in self.values(node[2]))
                self.objects[number] = stand_in(node[1], bases)
        for number, node in enumerate(self.nodes):
            late = _INSTANCES.get(node[0])
            if late is not None:
                self.objects[number] = late(self, node)

    def _make(self, number: int) -> None:
        """Make a node that must be made of its parts; parts of the same sort are made before it."""
        stack = [number]
        open_: set[int] = set()
        while stack:
            at = stack[-1]
            if self.objects[at] is not _PENDING:
                stack.pop()
                continue
            node = self.nodes[at]
            make = _MAKES.get(node[0])
            if make is None:
                self._refuse(f"a node {node[0]!r:.50}")
            missing = [each for each in _references(node) if self.objects[each] is _PENDING]
            if not missing or at in open_:
                if missing:
                    self._refuse("a value that contains itself")
                self.objects[at] = make(self, node)  # type: ignore[misc] # checked above
                stack.pop()
            else:
                open_.add(at)
                stack.extend(missing)

    def _fill_hashed(self) -> None:
        """Frozen sets first, inner before outer: what holds them needs their hash."""
        done: set[int] = set()
        for number, node in enumerate(self.nodes):
            if node[0] == "frozenset":
                self._fill_frozen(number, done)
        for number, node in enumerate(self.nodes):
            fill = _HASHED.get(node[0])
            if fill is not None:
                fill(self, self.objects[number], node)

    def _fill_frozen(self, number: int, done: set[int]) -> None:
        stack = [(number, False)]
        while stack:
            at, ready = stack.pop()
            node = self.nodes[at]
            if ready:
                if node[0] == "frozenset":
                    self.objects[at]._items = dict.fromkeys(self.values(node[1:]))  # noqa: SLF001 - made empty here
                continue
            if at in done:
                continue
            done.add(at)
            stack.append((at, True))
            if node[0] in _THROUGH:
                stack.extend((each, False) for each in _references(node))

    def _check_stacks(self) -> None:
        """Every stack of frames is finite and no deeper than a machine makes it."""
        for each in self.objects:
            if isinstance(each, Frame | NativeFrame):
                caller = each.caller
                if not 0 <= each.depth <= MAX_DEPTH + 1 or (
                    caller is not None and caller.depth >= each.depth
                ):
                    self._refuse("a stack of frames like this")


def _references(node: Node) -> Iterator[int]:
    for each in node:
        if each.__class__ is list:
            if len(each) == 1 and each[0].__class__ is int:
                yield each[0]
            else:
                yield from (inner[0] for inner in each if inner.__class__ is list)


_THROUGH = frozenset({"frozenset", "tuple", "named", "object", "model"})
"""Nodes whose hash may need that of a frozen set inside them."""


def _checked(value: Any, kind: type | tuple[type, ...], what: str) -> Any:
    if not isinstance(value, kind):
        msg = f"{what} is a {type(value).__name__}"
        raise TypeError(msg)
    return value


# --- round 1: what can stand empty --------------------------------------------------------------


def _blank(kind: Any) -> Callable[[GraphReader, Node], Any]:
    return lambda _reader, _node: kind()


def _blank_record(_reader: GraphReader, node: Node) -> Any:
    kind = RECORDS[node[0]][0]
    return object.__new__(kind)


def _blank_frozen(_reader: GraphReader, _node: Node) -> Any:
    return object.__new__(OrderedFrozenset)


def _blank_deque(_reader: GraphReader, node: Node) -> Any:
    return deque(maxlen=node[1])


def _member(reader: GraphReader, node: Node) -> Any:
    return reader.linked.members[_checked(reader.value(node[1]), type, "a class"), node[2]][1]


def _blank_function(_reader: GraphReader, _node: Node) -> Any:
    return object.__new__(FunctionValue)


def _constant(reader: GraphReader, node: Node) -> Any:
    return reader.linked.constants[_index(node[1])]


def _index(number: Any) -> int:
    if number.__class__ is not int or number < 0:
        msg = f"number {number!r:.50} is nothing that a snapshot holds"
        raise ValueError(msg)
    return int(number)


def _random(_reader: GraphReader, node: Node) -> Random:
    made = Random()  # noqa: S311 - the workflow's own
    made.setstate((node[1], tuple(node[2:-1]), node[-1]))
    return made


_BLANKS: dict[str, Callable[[GraphReader, Node], Any]] = {
    **dict.fromkeys(RECORDS, _blank_record),
    "list": _blank(list),
    "decimal_context": lambda _reader, node: decimals.of_parts(*node[1:]),
    "dict": _blank(dict),
    "counter": _blank(Counter),
    "ordered_dict": _blank(OrderedDict),
    "defaultdict": _blank(defaultdict),
    "set": _blank(OrderedSet),
    "frozenset": _blank_frozen,
    "deque": _blank_deque,
    "method": lambda _reader, _node: object.__new__(BoundMethod),
    "function": _blank_function,
    "constant": _constant,
    "single": lambda _reader, node: SINGLE[node[1]],
    "builtin": lambda _reader, node: builtins.value(node[1]),
    "action": lambda reader, node: reader.linked.actions[_index(node[1])],
    "bytearray": lambda _reader, node: bytearray(node[1]),
    "wire": lambda reader, node: reader.linked.codec.decode(node[1]),
    "random": _random,
    "backoff": lambda _reader, node: Backoff(*node[1:]),
}


# --- classes, then their empty instances --------------------------------------------------------


def _described_class(reader: GraphReader, node: Node) -> type:
    descriptor, others = _described.decode(node[1])
    return reader.linked.types.adopt([descriptor, *others])[0]


_CLASSES: dict[str, Callable[[GraphReader, Node], Any]] = {
    "class": lambda _reader, node: builtins.CLASSES[node[1]],
    "entry": lambda reader, node: reader.linked.classes[_index(node[1])],
    "fault": lambda _reader, node: faults.fault_class(node[1]),
    "described": _described_class,
}


def _blank_object(reader: GraphReader, node: Node) -> Any:
    return object.__new__(_checked(reader.value(node[1]), type, "a class"))


def _blank_exception(reader: GraphReader, node: Node) -> Any:
    return faults.blank(_checked(reader.value(node[1]), type, "a class"))


_INSTANCES: dict[str, Callable[[GraphReader, Node], Any]] = {
    "object": _blank_object,
    "model": _blank_object,
    "exception": _blank_exception,
    "member": _member,
}


# --- round 2: what is made of its parts ---------------------------------------------------------


def _cursor(reader: GraphReader, node: Node) -> Any:
    # It walks its source from the start once that is filled: see the last round.
    source = reader.value(node[1])
    return object.__new__(CURSORS[source.__class__])


def _host_iterator(reader: GraphReader, node: Node) -> Any:
    return _WALKS[node[1]](*reader.values(node[2]))


def _view(reader: GraphReader, node: Node) -> Any:
    return _VIEWS[node[1]](_checked(reader.value(node[2]), dict, "the dict of a view"))


def _validation(reader: GraphReader, node: Node) -> Any:
    parts = [reader.values(each)[1:] for each in node[2:8]]
    return faults.validation_error(node[1], parts, node[8]["counts"])


def _checked_kind(kind: Any) -> Any:
    return None if kind is None else _checked(kind, type, "a class of a union")


def _exception_group(reader: GraphReader, node: Node) -> Any:
    cls = _checked(reader.value(node[1]), type, "a class")
    return faults.group(cls, reader.value(node[2]), reader.values(node[3]))


_MAKES: dict[str, Callable[[GraphReader, Node], Any]] = {
    "tuple": lambda reader, node: tuple(reader.values(node[1:])),
    "named": lambda reader, node: remade(
        _checked(reader.value(node[1]), type, "a class"), reader.values(node[2:])
    ),
    "findings": _validation,
    "exception_group": _exception_group,
    "iterator": _host_iterator,
    "zip": lambda reader, node: zip(*reader.values(node[1]), strict=bool(node[2])),
    "enumerate": lambda reader, node: enumerate(reader.value(node[1]), reader.value(node[2])),
    "cursor": _cursor,
    "view": _view,
    "range": lambda reader, node: range(*reader.values(node[1:])),
    "slice": lambda reader, node: slice(*reader.values(node[1:])),
    "union": lambda reader, node: reduce(or_, map(_checked_kind, reader.values(node[1:]))),
    "retry": lambda reader, node: RetryPolicy(
        node[1], list(node[2]), backoff=reader.value(node[3])
    ),
}


# --- round 3: fields and lists ------------------------------------------------------------------


def _fill_list(reader: GraphReader, made: Any, node: Node) -> None:
    made.extend(reader.values(node[1:]))


def _fill_deque(reader: GraphReader, made: Any, node: Node) -> None:
    made.extend(reader.values(node[2:]))


def _fill_record(reader: GraphReader, made: Any, node: Node) -> None:
    fields = RECORDS[node[0]][1]
    for (name, kinds), written in zip(fields, node[1:], strict=False):
        setattr(made, name, _checked(reader.value(written), kinds, f"{name} of a {node[0]}"))
    for name, _ in fields[len(node) - 1 :]:
        setattr(made, name, None)  # it came later than this snapshot


def _fill_future(reader: GraphReader, made: Any, node: Node) -> None:
    _fill_record(reader, made, node[:-1])
    made.effect = None if node[-1] is None else _effects.decode(node[-1])


def _check_callbacks(reader: GraphReader, made: Any, node: Node) -> None:
    stop = SINGLE["stop"]
    for each in made.callbacks:
        if each is not stop:
            _checked(each, CALLBACKS, "a callback")
    for each in getattr(made, "children", ()):
        _checked(each, Future, "a child of a gather")


def _fill_call(reader: GraphReader, made: CallValue, node: Node) -> None:
    _fill_record(reader, made, node)
    made.action = reader.linked.actions[_index(node[-2])]
    made.policy = _policies.decode(node[-1])


def _fill_frame(reader: GraphReader, made: Frame, node: Node) -> None:
    _fill_record(reader, made, node)
    number, at, index, kept = node[-4:]
    function = made.function = reader.linked.functions[_index(number)]
    slots = made.slots = function.template.copy()
    for slot, value in zip(function.kept, reader.values(kept), strict=True):
        slots[slot] = value
    made.at = function.blocks[_index(at)]
    made.next = function.entry
    made.index = _checked(index, int, "the index of a frame")
    if not -1 <= index < len(made.at.code):
        msg = f"a frame stands at instruction {index} of {len(made.at.code)}"
        raise ValueError(msg)


def _fill_function(reader: GraphReader, made: FunctionValue, node: Node) -> None:
    _, number, defaults, names, values, cells = node
    made.function = reader.linked.functions[_index(number)]
    made.defaults = tuple(reader.values(defaults))
    made.keyword_defaults = dict(zip(names, reader.values(values), strict=True))
    made.cells = tuple(_checked(each, Cell, "a cell") for each in reader.values(cells))


def _fill_attributes(reader: GraphReader, made: Any, node: Node) -> None:
    for name, value in zip(node[2], reader.values(node[3]), strict=True):
        _put(made, _checked(name, str, "a field name"), value)


def _fill_model(reader: GraphReader, made: Any, node: Node) -> None:
    def pairs(written: Any) -> Any:
        return (
            None
            if written is None
            else dict(zip(written[0], reader.values(written[1]), strict=True))
        )

    _put(made, "__dict__", dict(zip(node[2], reader.values(node[3]), strict=True)))
    _put(made, "__pydantic_extra__", pairs(node[4]))
    _put(made, "__pydantic_private__", pairs(node[5]))
    _put(made, "__pydantic_fields_set__", set(node[6]))


def _fill_exception(reader: GraphReader, made: Any, node: Node) -> None:
    _, _, args, names, values, _, told, special = node
    held = dict(zip(names, reader.values(values), strict=True))
    faults.fill(
        made,
        _checked(reader.value(args), tuple, "the arguments"),
        held,
        reader.values(special),
        told,
    )
    _chain(reader, made, node[5])


def _fill_made(reader: GraphReader, made: Any, node: Node) -> None:
    """Give what was made of its parts the rest, which may refer back to it."""
    parts = node[-1]
    held = dict(zip(parts["names"], reader.values(parts["values"]), strict=True))
    args = _checked(reader.value(parts["args"]), tuple, "the arguments")
    faults.fill(made, args, held, [], parts["told"])
    _chain(reader, made, parts)


def _chain(reader: GraphReader, made: Any, chained: dict[str, Any]) -> None:
    made.__cause__ = reader.value(chained["cause"])
    made.__context__ = reader.value(chained["context"])
    made.__suppress_context__ = bool(chained["suppress"])


def _fill_method(reader: GraphReader, made: BoundMethod, node: Node) -> None:
    found = operations.load_method(reader.value(node[1]), node[2])
    made.receiver = reader.value(node[1])
    made.name = node[2]
    made.implementation = _checked(found, BoundMethod, "a method").implementation


_FILLS: dict[str, Callable[[GraphReader, Any, Node], None]] = {
    **dict.fromkeys(RECORDS, _fill_record),
    **dict.fromkeys(("future", "task", "gather"), _fill_future),
    "call": _fill_call,
    "frame": _fill_frame,
    "list": _fill_list,
    "deque": _fill_deque,
    "function": _fill_function,
    "object": _fill_attributes,
    "model": _fill_model,
    "exception": _fill_exception,
    "exception_group": _fill_made,
    "findings": _fill_made,
}


# --- round 4: what hashes its keys; then what walks it ------------------------------------------


def _fill_mapping(reader: GraphReader, made: Any, node: Node) -> None:
    for key, value in zip(reader.values(node[1]), reader.values(node[2]), strict=True):
        made[key] = value
    if node[0] == "defaultdict":
        made.default_factory = reader.value(node[3])


def _fill_set(reader: GraphReader, made: OrderedSet, node: Node) -> None:
    made.update(reader.values(node[1:]))


_HASHED: dict[str, Callable[[GraphReader, Any, Node], None]] = {
    **dict.fromkeys(("dict", "counter", "ordered_dict", "defaultdict"), _fill_mapping),
    "set": _fill_set,
}


def _walk(reader: GraphReader, made: Any, node: Node) -> None:
    _, source, reverse, remaining = node
    type(made).__init__(made, reader.value(source), reverse=bool(reverse))
    made.skip_to(_checked(remaining, int, "the place of an iterator"))


def _place(reader: GraphReader, made: Any, node: Node) -> None:
    """Move an iterator on: only now are the lists full that it may walk."""
    place = node[3]
    if place is not None:
        made.__setstate__(_checked(place, int, "the place of an iterator"))
    elif node[1] in {"iter", "reversed"} and not isinstance(reader.value(node[2][0]), range):
        next(made, None)  # over something empty of its own: an iterator that was exhausted


_LAST: dict[str, Callable[[GraphReader, Any, Node], None]] = {
    "cursor": _walk,
    "iterator": _place,
    **dict.fromkeys(("future", "task", "gather"), _check_callbacks),
}
