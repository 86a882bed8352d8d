"""The class of a value and an abstract class come in; whether the value passes for one goes out."""

from __future__ import annotations

import asyncio
import builtins as host
import collections.abc
import contextlib
import decimal
import functools
import hashlib
import inspect
import numbers
import re
import types
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from waymark_schema.ir import library
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import RECORDS, public_name
from waymark_worker.vm.nesting import current
from waymark_worker.vm.refusals import unsupported_operation

if TYPE_CHECKING:
    from waymark_worker.vm.invoking import Implementation
    from waymark_worker.vm.linked import LinkedProgram

_MODULES = {"collections.abc": collections.abc, "numbers": numbers}
ABSTRACT: dict[str, type] = {
    name: getattr(_MODULES[name.rpartition(".")[0]], name.rpartition(".")[2])
    for name in library.ABSTRACT
}
"""The class of each name: the host's own, which nothing but ``isinstance`` and the like ever uses."""
_NAMES = {cls: name for name, cls in ABSTRACT.items()}


def _manager(decorator: Any) -> type:
    """Give the class of what ``@contextmanager`` functions make: nothing of it runs before it is entered."""
    return type(decorator(lambda: None)())


_VIEW: dict[Any, Any] = {}
_DEQUE = type(iter(deque[Any]()))
"""Since 3.12 of another module than before."""
_STANDS_FOR: dict[str, Any] = {
    "function": types.FunctionType,
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
    "coroutine": types.CoroutineType,
    "generator": types.GeneratorType,
    "async_generator": types.AsyncGeneratorType,
    "traceback": types.TracebackType,
    "zip": zip,
    "enumerate": enumerate,
    "map": map,
    "filter": filter,
    **{
        type(each).__name__: type(each)
        for view in (_VIEW.keys(), _VIEW.values(), _VIEW.items())
        for each in (view, iter(view))
    },
    "set_iterator": type(iter(set[Any]())),
    f"{_DEQUE.__module__}.{_DEQUE.__qualname__}": _DEQUE,
    "decimal.ContextManager": type(decimal.localcontext()),
    "_hashlib.HASH": type(hashlib.sha256()),
    "functools.KeyWrapper": type(functools.cmp_to_key(max)),
    "re.Pattern": re.Pattern,
    "re.Match": re.Match,
    "_asyncio.Future": asyncio.Future,
    "_asyncio.Task": asyncio.Task,
    "_GatheringFuture": type("_GatheringFuture", (asyncio.Future,), {}),
    "_UnixSelectorEventLoop": asyncio.SelectorEventLoop,
    "TaskGroup": asyncio.TaskGroup,
    "Timeout": asyncio.Timeout,
    **{
        name: getattr(asyncio, name)
        for name in "Lock Event Condition Semaphore Queue PriorityQueue LifoQueue".split()
    },
    "suppress": contextlib.suppress,
    "nullcontext": contextlib.nullcontext,
    "_GeneratorContextManager": _manager(contextlib.contextmanager),
    "_AsyncGeneratorContextManager": _manager(contextlib.asynccontextmanager),
}
"""Name of a record of the machine → the class that its values have in CPython."""


def _made_of(cls: type) -> Implementation:
    """What carries out a call of an abstract class: CPython's error, or a refusal where CPython makes an object."""

    def make(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        if inspect.isabstract(cls):
            return cls(*args, **keywords)
        raise unsupported_operation(f"calling {cls.__name__}", "call a class of your own")

    return make


CALLS: dict[str, Implementation] = {name: _made_of(cls) for name, cls in ABSTRACT.items()}
"""What carries out a call of each."""


def is_instance(ctx: Any, value: Any, spec: Any) -> bool:
    """Give ``isinstance(value, spec)``."""
    kind = type(value)
    if kind in RECORDS:
        return _any(spec, lambda cls: _record_passes(kind, cls), _NO_CLASS)
    if _is_of_program(kind):
        return _any(spec, lambda cls: _passes(ctx, kind, cls), _NO_CLASS)
    if isinstance(spec, tuple):
        return _any(spec, partial(host.isinstance, value), _NO_CLASS)
    return host.isinstance(value, spec)


_NO_CLASS: Callable[[Any], bool] = partial(host.isinstance, None)
_NO_CLASSES: Callable[[Any], bool] = partial(host.issubclass, type(None))
"""What raises CPython's error for what cannot be asked."""


def is_subclass(ctx: Any, args: list[Any], keywords: dict[str, Any]) -> bool:
    """Give ``issubclass(cls, spec)``."""
    if len(args) != 2 or keywords or not isinstance(args[0], type):  # noqa: PLR2004 - as CPython counts
        return host.issubclass(*args, **keywords)
    kind, spec = args
    if _is_of_program(kind):
        return _any(spec, lambda cls: _passes(ctx, kind, cls), _NO_CLASSES)
    return _any(spec, partial(host.issubclass, kind), _NO_CLASSES)


def _is_of_program(kind: type) -> bool:
    own = vars(kind)
    return "__waymark_shadow__" in own or "__waymark_stand_in__" in own


_PER_CLASS = 16
"""Units of the budget for a look at one class of a tuple in a tuple."""


def _any(spec: Any, passes: Callable[[type], bool], refuse: Callable[[Any], bool]) -> bool:
    """Whether one of the classes of ``spec`` does; ``refuse`` raises where it is no class.

    Tuples that stand in each other are charged for as often as they are looked at, which may be without end.
    """
    if isinstance(spec, tuple):
        for one in spec:
            if isinstance(one, tuple):
                METER.charge(_PER_CLASS * (len(one) + 1))
            if _any(one, passes, refuse):
                return True
        return False
    if isinstance(spec, types.UnionType):
        refuse(spec)
        return any(_any(one, passes, refuse) for one in spec.__args__)
    return passes(spec) if isinstance(spec, type) else refuse(spec)


def _record_passes(kind: type, cls: type) -> bool:
    if cls is object:
        return True
    if cls not in _NAMES:
        return False
    known = stands_for(kind)
    if known is None:
        raise unsupported_operation(
            f"asking whether a {RECORDS[kind]} is a {cls.__name__}", "keep a name beside it"
        )
    return issubclass(known, cls)


def stands_for(kind: type) -> type | None:
    """Give the class that a record's values have in CPython, where there is one."""
    known: type | None = _STANDS_FOR.get(RECORDS[kind])
    return kind if known is None and kind.__flags__ & _OF_THE_HOST else known


_OF_THE_HOST = 1 << 8
"""Flag of types that cannot be changed: of the records, the host's own iterators."""


def _passes(ctx: Any, kind: type, cls: type) -> bool:
    """Whether a class of the program passes for ``cls``; of an abstract one only the program can tell."""
    name = _NAMES.get(cls)
    if name is None:
        return issubclass(kind, cls)
    machine = current() if ctx is None else ctx
    linked: LinkedProgram | None = None if machine is None else machine.linked
    answers = None if linked is None else linked.abstract.get(kind)
    if answers is None:
        what = f"asking whether a {public_name(kind)} is a {cls.__name__}: the program does not know that class"
        raise unsupported_operation(what, "name the class in an annotation of the workflow")
    return name in answers
