"""A callee and its arguments come in; the value goes out, or a frame that will bring it is pushed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from waymark_worker.vm import accessors
from waymark_worker.vm.async_generators import AsyncGenerator
from waymark_worker.vm.awaiting import gather, start_inline
from waymark_worker.vm.callables import (
    UNBOUND,
    Action,
    BoundFunction,
    BoundMethod,
    Builtin,
    CallValue,
    Coroutine,
    FunctionValue,
    SleepValue,
)
from waymark_worker.vm.callbacks import CALLS, Comparer, Hosted
from waymark_worker.vm.invoking import implementation
from waymark_worker.vm.iterators import EXHAUSTED, NATIVES, Generator, iterate
from waymark_worker.vm.limits import KEPT, MAX_DEPTH
from waymark_worker.vm.members import get_attribute, property_of
from waymark_worker.vm.names import type_name
from waymark_worker.vm.nesting import Failed, run
from waymark_worker.vm.opaque import INLINE_METHODS, whose_code_runs
from waymark_worker.vm.records import RecordMethod, call_record_method
from waymark_worker.vm.refusals import LACKING, UnsupportedOperation
from waymark_worker.vm.replacing import replacing
from waymark_worker.vm.state import PUSHED, Frame, too_deep

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Keywords = dict[str, Any]


def call(machine: Machine, callee: Any, args: list[Any], keywords: Keywords) -> Any:
    """Call ``callee``: its value, or ``PUSHED`` if frames will bring it."""
    run = CALLERS.get(callee.__class__)
    if run is not None:
        return run(machine, callee, args, keywords)
    if isinstance(callee, type):
        return _construct(machine, callee, args, keywords)
    how, function = machine.linked.members.get((callee.__class__, "__call__"), ("", None))
    if function is not None and how == "method":
        return call_function(machine, function, [callee, *args], keywords)
    msg = f"{type_name(callee)!r} object is not callable"
    raise TypeError(msg)


def call_function(
    machine: Machine, callee: FunctionValue, args: list[Any], keywords: Keywords
) -> Any:
    """Call a compiled function: a sync one pushes its frame, others give a coroutine or generator."""
    function = callee.function
    slots = function.bind(callee, args, keywords)
    if function.kind == "sync":
        caller = machine.frame
        depth = caller.depth + 1 if caller is not None else 1
        if depth > MAX_DEPTH:
            raise too_deep()
        machine.frame = Frame(function, slots, caller, depth)
        return PUSHED
    machine.fuel -= KEPT
    frame = Frame(function, slots, None, 0)
    return _SUSPENDABLE[function.kind](frame)


_SUSPENDABLE: dict[str, Callable[[Frame], Any]] = {
    "async": Coroutine,
    "generator": Generator,
    "async_generator": AsyncGenerator,
}


def _call_bound(
    machine: Machine, callee: BoundFunction, args: list[Any], keywords: Keywords
) -> Any:
    return call_function(machine, callee.function, [callee.receiver, *args], keywords)


def call_action(machine: Machine, callee: Action, args: list[Any], keywords: Keywords) -> CallValue:
    """Bind the arguments of an action; nothing starts yet."""
    bound = callee.bind(*args, **keywords)
    arguments = {
        name: value for name, value in zip(callee.names, bound, strict=True) if value is not UNBOUND
    }
    machine.fuel -= KEPT
    return CallValue(callee, arguments, callee.policy)


def _call_builtin(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    special = SPECIAL.get(callee.name)
    if special is not None:
        return special(machine, callee, args, keywords)
    return callee.implementation(machine, args, keywords)


def _call_method(machine: Machine, callee: BoundMethod, args: list[Any], keywords: Keywords) -> Any:
    if callee.receiver.__class__ is Generator:
        return NATIVES["generator"](machine, (callee.receiver, callee.name, args, keywords))
    if callee.name in INLINE_METHODS and machine.linked.opaque:
        cls = whose_code_runs(machine.linked, callee.receiver, callee.name)
        if cls is not None:
            given = args if isinstance(callee.receiver, type) else [callee.receiver, *args]
            return start_inline(machine, cls, given, keywords, method=callee.name)
    if (
        callee.name == "sort"
        and callee.receiver.__class__ is list
        and keywords.get("key") is not None
    ):
        return _sort(machine, callee, args, keywords)
    return callee.implementation(callee.receiver, *args, **keywords)


def _construct(machine: Machine, cls: type, args: list[Any], keywords: Keywords) -> Any:
    linked = machine.linked
    if cls in linked.opaque:
        return start_inline(machine, cls, args, keywords)
    member = linked.members.get((cls, "__init__"))
    if member is not None:
        return _initialise(machine, cls, member[1], args, keywords)
    run = implementation(cls)
    if run is None:
        msg = f"cannot create '{type_name(cls)}' instances"
        raise TypeError(msg)
    return run(machine, args, keywords)


def _initialise(
    machine: Machine, cls: type, constructor: FunctionValue, args: list[Any], keywords: Keywords
) -> Any:
    if issubclass(cls, BaseException):
        made: Any = cls.__new__(cls, *args)
    else:
        made = cls.__new__(cls)
    return NATIVES["construct"](machine, (made, constructor, args, keywords))


# --- builtins that deal with awaitables, or that run a key function ---------------------------


def _gather(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    return_exceptions = keywords.pop("return_exceptions", False)
    if keywords:
        msg = f"gather() got an unexpected keyword argument {next(iter(keywords))!r}"
        raise TypeError(msg)
    return gather(machine, args, return_exceptions=bool(return_exceptions))


def _sleep_arguments(delay: Any, result: Any = None) -> SleepValue:
    return SleepValue(delay, result)


_sleep_arguments.__name__ = _sleep_arguments.__qualname__ = "sleep"


def _sleep(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> SleepValue:
    return _sleep_arguments(*args, **keywords)


def _sorted(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    key = keywords.get("key")
    if key is None or len(args) != 1 or keywords.keys() - {"key", "reverse"}:
        return callee.implementation(machine, args, keywords)
    items = list(iterate(args[0]))
    return NATIVES["sort"](machine, (items, key, keywords.get("reverse", False), None))


def _sort(machine: Machine, callee: BoundMethod, args: list[Any], keywords: Keywords) -> Any:
    if args or keywords.keys() - {"key", "reverse"}:
        return callee.implementation(callee.receiver, *args, **keywords)
    target: list[Any] = callee.receiver
    items = target[:]
    target.clear()  # as CPython: the key functions see an empty list
    return NATIVES["sort"](
        machine, (items, keywords["key"], keywords.get("reverse", False), target)
    )


def _extreme(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    key = keywords.get("key")
    wrong = keywords.keys() - {"key", "default"} or (len(args) > 1 and "default" in keywords)
    if key is None or not args or wrong:
        return callee.implementation(machine, args, keywords)
    items = iterate(args[0]) if len(args) == 1 else iter(args)
    return NATIVES["extreme"](
        machine, (callee.name, items, key, keywords.get("default", EXHAUSTED))
    )


def _getattr(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    if not _two_or_three(args, keywords):
        return callee.implementation(machine, args, keywords)
    getter = property_of(machine.linked, args[0], args[1])
    if getter is not None and len(args) == 2:  # noqa: PLR2004 - without a default
        return call_function(machine, getter, [args[0]], {})
    try:
        return _attribute_now(machine, args[0], args[1], getter)
    except AttributeError:
        if len(args) == 3:  # noqa: PLR2004 - the default
            return args[2]
        raise


def _hasattr(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    if len(args) != 2 or not _two_or_three(args, keywords):  # noqa: PLR2004 - object and name
        return callee.implementation(machine, args, keywords)
    try:
        _attribute_now(machine, args[0], args[1], property_of(machine.linked, args[0], args[1]))
    except AttributeError:
        return False
    except UnsupportedOperation as error:
        if error.code == LACKING:
            return True
        raise
    return True


def _attribute_now(machine: Machine, obj: Any, name: str, getter: FunctionValue | None) -> Any:
    """Read an attribute whose ``AttributeError`` the builtin that asks takes itself."""
    if getter is None:
        return get_attribute(machine, obj, name)
    try:
        return run(machine, lambda: call_function(machine, getter, [obj], {}))
    except Failed as failed:
        error = failed.error
    machine.carried = error
    raise error


def _replace(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    cls = type(args[0]) if len(args) == 1 else None
    if cls in machine.linked.opaque:
        # Which parameters its ``__init__`` has, and what it makes of them, only the class itself knows.
        return start_inline(machine, cls, args, keywords, method="replace")
    if cls is not None and (cls, "__init__") in machine.linked.members and is_dataclass(cls):
        number = machine.linked.members[cls, "__init__"][1].function.number
        init = machine.linked.program.functions[number]
        return _construct(machine, cls, [], replacing(args[0], keywords, init))
    return callee.implementation(machine, args, keywords)


def _set_property(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    obj, name, value = accessors.parts(args, keywords, 3)
    setter = accessors.setter(machine, obj, name, value)
    return None if setter is None else call_function(machine, setter, [obj, value], {})


def _delete_property(machine: Machine, callee: Builtin, args: list[Any], keywords: Keywords) -> Any:
    obj, name = accessors.parts(args, keywords, 2)
    deleter = accessors.deleter(machine, obj, name)
    if deleter is None:
        return None
    if not isinstance(obj, BaseModel):
        return call_function(machine, deleter, [obj], {})
    try:
        return run(machine, lambda: call_function(machine, deleter, [obj], {}))
    except Failed as failed:
        error = failed.error
    if isinstance(error, AttributeError):
        missing = accessors.gone(obj, name)
        missing.__context__ = error
        error = missing
    machine.carried = error
    raise error


def _two_or_three(args: list[Any], keywords: Keywords) -> bool:
    return 2 <= len(args) <= 3 and not keywords and isinstance(args[1], str)  # noqa: PLR2004 - as CPython counts


CALLS.append(call)
CALLERS: dict[type, Callable[[Any, Any, list[Any], Keywords], Any]] = {
    FunctionValue: call_function,
    BoundFunction: _call_bound,
    Action: call_action,
    Builtin: _call_builtin,
    BoundMethod: _call_method,
    Comparer: lambda machine, callee, args, keywords: callee(*args, **keywords),
    Hosted: lambda machine, callee, args, keywords: call(machine, callee.function, args, keywords),
    RecordMethod: call_record_method,
}
SPECIAL: dict[str, Callable[[Any, Builtin, list[Any], Keywords], Any]] = {
    "getattr": _getattr,
    "hasattr": _hasattr,
    "asyncio.gather": _gather,
    "asyncio.sleep": _sleep,
    "sorted": _sorted,
    "min": _extreme,
    "max": _extreme,
    "dataclasses.replace": _replace,
    "property.__set__": _set_property,
    "property.__delete__": _delete_property,
    "cached_property.__get__": lambda machine, callee, args, keywords: accessors.keep(
        machine, args, keywords
    ),
}
"""Builtins that the machine carries out itself, in some or in all cases."""
