"""An object and the name of what may be a property of it come in; the compiled setter or deleter to call goes out."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from waymark_schema.values.faults import changed
from waymark_worker.vm import operations
from waymark_worker.vm.attributes import is_reserved
from waymark_worker.vm.callables import FunctionValue, WorkflowObject
from waymark_worker.vm.members import refuse_uncompiled
from waymark_worker.vm.names import public_name
from waymark_worker.vm.opaque import check_assignment
from waymark_worker.vm.refusals import unsupported_operation

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine


def parts(args: list[Any], keywords: dict[str, Any], count: int) -> list[Any]:
    """Give what is called with an object, a name and perhaps a value, if it is that."""
    usual = len(args) == count and not keywords and isinstance(args[1], str)
    if not usual or is_reserved(args[0], args[1]):
        msg = f"a property with {len(args)} arguments or another name; no compiler writes that"
        raise TypeError(msg)
    return args


def setter(machine: Machine, obj: Any, name: str, value: Any) -> FunctionValue | None:
    """Give what ``obj.name = value`` has to call; None if nothing is left to do.

    Raises what CPython raises for a property without a setter, and for an object that is frozen.
    """
    found = _accessor(machine, obj, name, "setter")
    if found is not None:
        return found
    if isinstance(obj, BaseModel) and _how(machine, obj, name) == "cached":
        obj.__dict__[name] = value  # also if it is frozen
        return None
    if machine.linked.opaque and not _is_property(machine, obj, name):
        check_assignment(machine.linked, obj, name)
    operations.set_attr(obj, name, value)
    return None


def deleter(machine: Machine, obj: Any, name: str) -> FunctionValue | None:
    """Do as ``setter`` does, for ``del obj.name``."""
    found = _accessor(machine, obj, name, "deleter")
    if found is not None:
        return found
    if isinstance(obj, BaseModel) and _how(machine, obj, name) == "cached":
        object.__delattr__(obj, name)
    else:
        operations.del_attr(obj, name)
    return None


def gone(obj: Any, name: str) -> AttributeError:
    """Give the error that a model makes of any ``AttributeError`` while an attribute of it is deleted."""
    return AttributeError(f"{type(obj).__name__!r} object has no attribute {name!r}")


def _is_property(machine: Machine, obj: Any, name: str) -> bool:
    return _how(machine, obj, name) == "property"


def _how(machine: Machine, obj: Any, name: str) -> str:
    return machine.linked.members.get((type(obj), name), ("", None))[0]


def keep(_machine: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    """Keep what a cached property gave in its object; without a value: see whether that can be done."""
    obj, name = parts(args[:2], keywords, 2)
    kind = type(obj)
    known = "__waymark_shadow__" in vars(kind) or isinstance(obj, BaseException)
    if not known or isinstance(obj, Enum) or not hasattr(obj, "__dict__"):
        what = f"the cached property {name!r} of a {public_name(kind)}"
        raise unsupported_operation(what, "make it a property")
    if len(args) != 3:  # noqa: PLR2004 - without a value
        return None
    if isinstance(obj, BaseException):
        changed(obj, name)
    obj.__dict__[name] = args[2]
    return args[2]


def _accessor(machine: Machine, obj: Any, name: str, change: str) -> FunctionValue | None:
    linked = machine.linked
    if isinstance(obj, WorkflowObject):
        msg = f"{name!r} of the workflow itself; no compiler writes that"
        raise TypeError(msg)
    if linked.uncompiled:
        refuse_uncompiled(linked, obj, name)
        refuse_uncompiled(linked, obj, f"{name}.{change}")
    if not _is_property(machine, obj, name) or _is_frozen(obj, name, change):
        return None
    how, found = linked.members.get((type(obj), f"{name}.{change}"), ("", None))
    if found is None or how != change:
        raise _lacking(machine, obj, name, change)
    return found


def _is_frozen(obj: Any, name: str, change: str) -> bool:
    """Whether the class's own ``__setattr__`` or ``__delattr__`` raises before it looks for a property."""
    if isinstance(obj, BaseModel):
        private = change == "setter" and name.startswith("_")
        return bool(obj.model_config.get("frozen")) and not private
    parameters = vars(type(obj)).get("__dataclass_params__")
    return parameters is not None and bool(parameters.frozen)


def _lacking(machine: Machine, obj: Any, name: str, change: str) -> AttributeError:
    lacking = AttributeError(
        f"property {name!r} of {type(obj).__qualname__!r} object has no {change}"
    )
    if change == "setter" or not isinstance(obj, BaseModel):
        return lacking
    missing = gone(obj, name)
    missing.__context__ = lacking
    machine.carried = missing
    return missing
