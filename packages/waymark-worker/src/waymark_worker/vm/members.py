"""An object and a name come in; the attribute goes out: of ``self``, a compiled member, or what operations know."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_schema.values.faults import TOLD, is_changed
from waymark_worker.vm import formatting, operations
from waymark_worker.vm.callables import UNBOUND, BoundFunction, FunctionValue, WorkflowObject
from waymark_worker.vm.callbacks import Hosted
from waymark_worker.vm.names import type_name
from waymark_worker.vm.nesting import current
from waymark_worker.vm.records import METHODS, get_record_attribute
from waymark_worker.vm.refusals import UnsupportedOperation, unsupported_operation

if TYPE_CHECKING:
    from waymark_schema.ir.program import TypeEntry
    from waymark_worker.vm.linked import LinkedProgram
    from waymark_worker.vm.machine import Machine

_READ = frozenset({"property", "cached"})
_NO_VALUES = frozenset({*_READ, "setter", "deleter", "init"})
"""How members are reached that are not there as values."""
_REWRITE = "write what it does as a function of the module, or compute it in an action"


def get_attribute(machine: Machine, value: Any, name: str) -> Any:
    """Give ``value.name``; a compiled property is not called here, see ``property_of``."""
    if value.__class__ is WorkflowObject:
        return workflow_attribute(value, name)
    if value.__class__ in METHODS:
        return get_record_attribute(value, name)
    linked = machine.linked
    if linked.uncompiled:
        refuse_uncompiled(linked, value, name)
    if linked.members:
        found = _compiled(linked, value, name)
        if found is not None:
            return found
    if linked.attributes:
        cls = value if isinstance(value, type) else value.__class__
        shared = linked.attributes.get((cls, name), UNBOUND)
        if shared is not UNBOUND and name not in getattr(value, "__dict__", ()):
            return shared
    try:
        return operations.get_attr(value, name)
    except AttributeError:
        if _may_have_more(linked, value):
            raise _refusal(type_name(value), name, "the program does not know that class") from None
        refuse_uncompiled(linked, value, "__getattr__")
        raise


def _may_have_more(linked: LinkedProgram, value: Any) -> bool:
    """Whether the class of an object is one that no annotation of the program mentions: its methods are unknown."""
    kind = type(value)
    return "__waymark_shadow__" in vars(kind) and kind not in linked.classes


def _compiled(linked: LinkedProgram, value: Any, name: str) -> Any:
    if isinstance(value, type):
        member = linked.members.get((value, name))
        if member is None or member[0] in _NO_VALUES:
            return None
        return BoundFunction(member[1], value) if member[0] == "class" else member[1]
    how, function = linked.members.get((value.__class__, name), ("", None))
    if function is None or how in _NO_VALUES:
        return None
    if name in getattr(value, "__dict__", ()):
        return None  # what an instance has itself goes before the methods of its class
    if how == "static":
        return function
    return BoundFunction(function, value if how == "method" else value.__class__)


def property_of(linked: LinkedProgram, value: Any, name: str) -> FunctionValue | None:
    """The compiled getter behind ``value.name``, if that is one."""
    member = linked.members.get((value.__class__, name))
    if member is None or member[0] not in _READ:
        return None
    return None if member[0] == "cached" and name in _kept(value) else member[1]


def _kept(value: Any) -> dict[str, Any]:
    return getattr(value, "__dict__", {})


def workflow_attribute(value: WorkflowObject, name: str) -> Any:
    """Give ``self.name`` of the running workflow."""
    found = value.attributes.get(name, UNBOUND)
    if found is UNBOUND:
        found = value.shared.get(name, UNBOUND)
        if found is UNBOUND:
            msg = f"{value.workflow!r} object has no attribute {name!r}"
            raise AttributeError(msg, name=name)
    return found


def _of_field(value: Any, name: str) -> Any:
    """Give ``value.name`` of a field of ``str.format``; a compiled property runs to its end at once."""
    machine = current()
    if machine is None:
        return operations.get_attr(value, name)
    getter = property_of(machine.linked, value, name)
    if getter is not None:
        return Hosted(getter)(value)
    try:
        return get_attribute(machine, value, name)
    except AttributeError:
        if value.__class__ is not WorkflowObject:
            raise
    # Its class may have it: what of that is compiled in goes by what the code mentions.
    raise unsupported_operation(f"self.{name} in a field of str.format", "use an f-string")


formatting.use(_of_field, operations.get_item)


def refuse_uncompiled(linked: LinkedProgram, value: Any, name: str) -> None:
    """Raise ``UnsupportedOperation`` for a member that the class has and the program lacks."""
    why = linked.uncompiled.get((value if isinstance(value, type) else value.__class__, name))
    if why is not None:
        raise _refusal(type_name(value), name, why)


def _refusal(owner: str, name: str, why: str) -> UnsupportedOperation:
    return UnsupportedOperation("WM201", f"{owner}.{name} was not compiled in: {why}", _REWRITE)


def special_names(entries: list[TypeEntry]) -> list[tuple[str, str]]:
    """(class, name) of each special method that the classes of a type table have and the program lacks."""
    return sorted(
        (entry.descriptor.qualname, name)
        for entry in entries
        for name in entry.uncompiled
        if _is_special(name)
    )


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def refuse_special(cls: type, name: str, why: str) -> None:
    """Make a special method of a class of this program refuse: the default would be silently different.

    An exception that came from an action still says what it said there, until it is changed.
    """
    told = TOLD.get(name) if issubclass(cls, BaseException) else None
    setattr(cls, name, _refusing(cls.__qualname__, name, why, told))


def _refusing(
    owner: str, name: str, why: str, told: Callable[[Any], str | None] | None
) -> Callable[..., Any]:
    def refuse(self: Any, *_args: Any, **_keywords: Any) -> Any:
        said = told(self) if told is not None and not is_changed(self) else None
        if said is not None:
            return said
        raise _refusal(owner, name, why)

    return refuse
