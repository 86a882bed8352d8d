"""Names, cells, displays, attributes and items: an instruction comes in, its closure goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_worker.vm import operations
from waymark_worker.vm.callables import UNBOUND, Cell, FunctionValue, WorkflowObject
from waymark_worker.vm.formatting import join_parts
from waymark_worker.vm.iterators import WALKABLE, iterate
from waymark_worker.vm.linked import Step
from waymark_worker.vm.members import get_attribute, workflow_attribute
from waymark_worker.vm.meter import METER
from waymark_worker.vm.opaque import check_assignment
from waymark_worker.vm.ordered import OrderedSet
from waymark_worker.vm.steps import Place, makes

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Slots = list[Any]


def unbound(name: str, *, free: bool) -> NameError:
    """Make the error of a variable without a value."""
    if free:
        return NameError(
            f"cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
        )
    return UnboundLocalError(
        f"cannot access local variable '{name}' where it is not associated with a value"
    )


@makes(ir.Move)
def _move(node: ir.Move, place: Place) -> Step:
    dst, src = node.dst, node.src
    if src in place.constants:
        value = place.constants[src]

        def load(s: Slots, m: Machine) -> None:
            s[dst] = value

        return load

    def move(s: Slots, m: Machine) -> None:
        s[dst] = s[src]

    return move


@makes(ir.Check)
def _check(node: ir.Check, place: Place) -> Step:
    src, name, free = node.src, node.name, node.free

    def check(s: Slots, m: Machine) -> None:
        if s[src] is UNBOUND:
            raise unbound(name, free=free)

    return check


@makes(ir.Unbind)
def _unbind(node: ir.Unbind, place: Place) -> Step:
    dst = node.dst

    def unbind(s: Slots, m: Machine) -> None:
        s[dst] = UNBOUND

    return unbind


@makes(ir.MakeCell)
def _make_cell(node: ir.MakeCell, place: Place) -> Step:
    dst, src = node.dst, node.src

    def make_cell(s: Slots, m: Machine) -> None:
        s[dst] = Cell(UNBOUND if src < 0 else s[src])

    return make_cell


@makes(ir.LoadCell)
def _load_cell(node: ir.LoadCell, place: Place) -> Step:
    dst, cell, name, free = node.dst, node.cell, node.name, node.free

    def load_cell(s: Slots, m: Machine) -> None:
        value = s[cell].value
        if value is UNBOUND:
            raise unbound(name, free=free)
        s[dst] = value

    return load_cell


@makes(ir.StoreCell)
def _store_cell(node: ir.StoreCell, place: Place) -> Step:
    cell, src = node.cell, node.src

    def store_cell(s: Slots, m: Machine) -> None:
        s[cell].value = UNBOUND if src < 0 else s[src]

    return store_cell


@makes(ir.LoadGlobal)
def _load_global(node: ir.LoadGlobal, place: Place) -> Step:
    dst, index = node.dst, node.index

    def load_global(s: Slots, m: Machine) -> None:
        s[dst] = m.global_value(index)

    return load_global


@makes(ir.MakeFunction)
def _make_function(node: ir.MakeFunction, place: Place) -> Step:
    dst = node.dst
    function = place.linked.functions[node.function]
    defaults, names, values, cells = (
        node.defaults,
        node.keyword_names,
        node.keyword_values,
        node.cells,
    )

    def make_function(s: Slots, m: Machine) -> None:
        s[dst] = FunctionValue(
            function,
            tuple([s[slot] for slot in defaults]),
            {name: s[slot] for name, slot in zip(names, values, strict=True)},
            tuple([s[slot] for slot in cells]),
        )

    return make_function


# --- displays ---------------------------------------------------------------------------------


@makes(ir.Build)
def _build(node: ir.Build, place: Place) -> Step:
    dst, items = node.dst, tuple(node.items)
    if not items:
        kind = {"list": list, "tuple": tuple, "set": OrderedSet}[node.kind]

        def build_empty(s: Slots, m: Machine) -> None:
            s[dst] = kind()

        return build_empty
    if node.kind == "list":

        def build_list(s: Slots, m: Machine) -> None:
            s[dst] = [s[slot] for slot in items]

        return build_list
    if node.kind == "tuple":

        def build_tuple(s: Slots, m: Machine) -> None:
            s[dst] = tuple([s[slot] for slot in items])

        return build_tuple

    def build_set(s: Slots, m: Machine) -> None:
        made = OrderedSet()
        for slot in items:
            operations.set_add(made, s[slot])
        s[dst] = made

    return build_set


@makes(ir.BuildDict)
def _build_dict(node: ir.BuildDict, place: Place) -> Step:
    dst, pairs = node.dst, tuple(zip(node.keys, node.values, strict=True))

    def build_dict(s: Slots, m: Machine) -> None:
        made: dict[Any, Any] = {}
        for key, value in pairs:
            at = s[key]
            if at.__class__ is str:
                made[at] = s[value]
            else:
                operations.dict_set(made, at, s[value])
        s[dst] = made

    return build_dict


@makes(ir.Append)
def _append(node: ir.Append, place: Place) -> Step:
    target, src = node.target, node.src

    def append(s: Slots, m: Machine) -> None:
        into = s[target]
        if into.__class__ is list:
            into.append(s[src])
        else:
            operations.set_add(into, s[src])

    return append


@makes(ir.Extend)
def _extend(node: ir.Extend, place: Place) -> Step:
    target, src, site = node.target, node.src, node.site

    def extend(s: Slots, m: Machine) -> None:
        operations.extend(s[target], s[src], site)

    return extend


@makes(ir.DictSet)
def _dict_set(node: ir.DictSet, place: Place) -> Step:
    target, key, value = node.target, node.key, node.value

    def dict_set(s: Slots, m: Machine) -> None:
        operations.dict_set(s[target], s[key], s[value])

    return dict_set


@makes(ir.DictMerge)
def _dict_merge(node: ir.DictMerge, place: Place) -> Step:
    target, src, site = node.target, node.src, node.site

    def dict_merge(s: Slots, m: Machine) -> None:
        operations.dict_merge(s[target], s[src], site)

    return dict_merge


@makes(ir.ToTuple)
def _to_tuple(node: ir.ToTuple, place: Place) -> Step:
    dst, src = node.dst, node.src

    def to_tuple(s: Slots, m: Machine) -> None:
        METER.charge(len(s[src]) >> 4)
        s[dst] = tuple(s[src])

    return to_tuple


@makes(ir.Slice)
def _slice(node: ir.Slice, place: Place) -> Step:
    dst, start, stop, step = node.dst, node.start, node.stop, node.step

    def make_slice(s: Slots, m: Machine) -> None:
        s[dst] = slice(s[start], s[stop], s[step])

    return make_slice


@makes(ir.Format)
def _format(node: ir.Format, place: Place) -> Step:
    dst, src, conversion, spec = node.dst, node.src, node.conversion, node.spec

    def format_field(s: Slots, m: Machine) -> None:
        value = s[src]
        if spec < 0 and value.__class__ is str and conversion in {"", "s"}:
            s[dst] = value
        else:
            s[dst] = operations.format_value(value, conversion, "" if spec < 0 else s[spec])

    return format_field


@makes(ir.Join)
def _join(node: ir.Join, place: Place) -> Step:
    dst, parts = node.dst, tuple(node.parts)

    def join(s: Slots, m: Machine) -> None:
        s[dst] = join_parts([s[slot] for slot in parts])

    return join


@makes(ir.Unpack)
def _unpack(node: ir.Unpack, place: Place) -> Step:
    src, targets, star = node.src, tuple(node.targets), node.star
    count = len(targets)

    def unpack(s: Slots, m: Machine) -> None:
        value = s[src]
        if star < 0 and value.__class__ in (tuple, list) and len(value) == count:
            for slot, item in zip(targets, value, strict=True):
                s[slot] = item
            return
        for slot, item in zip(targets, operations.unpack(value, count, star), strict=True):
            s[slot] = item

    return unpack


# --- attributes, items ------------------------------------------------------------------------


@makes(ir.GetAttr)
def _get_attr(node: ir.GetAttr, place: Place) -> Step:
    dst, obj, name = node.dst, node.obj, node.name

    def get_attr(s: Slots, m: Machine) -> None:
        value = s[obj]
        if value.__class__ is WorkflowObject:
            s[dst] = workflow_attribute(value, name)
        else:
            s[dst] = get_attribute(m, value, name)

    return get_attr


@makes(ir.SetAttr)
def _set_attr(node: ir.SetAttr, place: Place) -> Step:
    obj, name, src = node.obj, node.name, node.src

    def set_attr(s: Slots, m: Machine) -> None:
        value = s[obj]
        if value.__class__ is WorkflowObject:
            value.attributes[name] = s[src]
        else:
            if m.linked.opaque:
                check_assignment(m.linked, value, name)
            operations.set_attr(value, name, s[src])

    return set_attr


@makes(ir.DelAttr)
def _del_attr(node: ir.DelAttr, place: Place) -> Step:
    obj, name = node.obj, node.name

    def del_attr(s: Slots, m: Machine) -> None:
        value = s[obj]
        if value.__class__ is not WorkflowObject:
            operations.del_attr(value, name)
        elif value.attributes.pop(name, UNBOUND) is UNBOUND:
            msg = f"{value.workflow!r} object has no attribute {name!r}"
            raise AttributeError(msg, name=name)

    return del_attr


@makes(ir.GetItem)
def _get_item(node: ir.GetItem, place: Place) -> Step:
    dst, obj, key = node.dst, node.obj, node.key
    get = operations.get_item

    def get_item(s: Slots, m: Machine) -> None:
        value, index = s[obj], s[key]
        kind, by = value.__class__, index.__class__
        if (kind is list and by is int) or (kind is dict and by is str):
            s[dst] = value[index]
        else:
            s[dst] = get(value, index)

    return get_item


@makes(ir.SetItem)
def _set_item(node: ir.SetItem, place: Place) -> Step:
    obj, key, src = node.obj, node.key, node.src
    put = operations.set_item

    def set_item(s: Slots, m: Machine) -> None:
        value, index = s[obj], s[key]
        kind, by = value.__class__, index.__class__
        if (kind is list and by is int) or (kind is dict and by is str):
            value[index] = s[src]
        else:
            put(value, index, s[src])

    return set_item


@makes(ir.DelItem)
def _del_item(node: ir.DelItem, place: Place) -> Step:
    obj, key = node.obj, node.key

    def del_item(s: Slots, m: Machine) -> None:
        operations.del_item(s[obj], s[key])

    return del_item


@makes(ir.Iterate)
def _iterate(node: ir.Iterate, place: Place) -> Step:
    dst, src = node.dst, node.src

    def make_iterator(s: Slots, m: Machine) -> None:
        value = s[src]
        kind: Any = value.__class__
        s[dst] = iter(value) if kind in WALKABLE else iterate(value)

    return make_iterator
