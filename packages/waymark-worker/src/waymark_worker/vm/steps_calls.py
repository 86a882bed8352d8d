"""Calls: an instruction comes in; a closure specialised on a constant callee goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_schema.ir.policies import StoredPolicy, stored_policy
from waymark_worker.vm import operations
from waymark_worker.vm.callables import (
    Action,
    Builtin,
    CallValue,
    Coroutine,
    FunctionValue,
    SleepValue,
)
from waymark_worker.vm.calls import SPECIAL, call, call_action
from waymark_worker.vm.limits import KEPT, MAX_DEPTH
from waymark_worker.vm.linked import Step
from waymark_worker.vm.members import get_attribute, property_of
from waymark_worker.vm.methods import METHODS
from waymark_worker.vm.names import type_name
from waymark_worker.vm.refusals import unsupported_operation
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import Future
from waymark_worker.vm.state import PUSHED, Frame, Waiting, too_deep
from waymark_worker.vm.steps import Place, makes

if TYPE_CHECKING:
    from collections.abc import Callable

    from waymark_worker.vm.machine import Machine

Slots = list[Any]


def operands(node: ir.CallPure | ir.Call) -> Callable[[Slots], tuple[list[Any], dict[str, Any]]]:
    """Make what collects positional and keyword arguments from the slots."""
    args, star, star_keywords = tuple(node.args), node.star, node.star_keywords
    pairs = tuple(zip(node.keyword_names, node.keyword_values, strict=True))
    if star < 0 and star_keywords < 0:
        if not pairs:
            return lambda s: ([s[slot] for slot in args], {})
        return lambda s: ([s[slot] for slot in args], {name: s[slot] for name, slot in pairs})

    def collect(s: Slots) -> tuple[list[Any], dict[str, Any]]:
        given = [s[slot] for slot in args] if star < 0 else list(s[star])
        named = (
            {name: s[slot] for name, slot in pairs} if star_keywords < 0 else dict(s[star_keywords])
        )
        return given, named

    return collect


@makes(ir.LoadMethod)
def _load_method(node: ir.LoadMethod, place: Place) -> Step:
    dst, obj, name = node.dst, node.obj, node.name

    def load_method(s: Slots, m: Machine) -> None:
        s[dst] = get_attribute(m, s[obj], name)

    return load_method


@makes(ir.CallMethod)
def _call_method(node: ir.CallMethod, place: Place) -> Step:
    block, dst, obj, name, args = place.block, node.dst, node.obj, node.name, tuple(node.args)
    pairs = tuple(zip(node.keyword_names, node.keyword_values, strict=True))
    run = operations.call_method

    def call_method(s: Slots, m: Machine) -> None:
        value = s[obj]
        given, named = [s[slot] for slot in args], {key: s[slot] for key, slot in pairs}
        if value.__class__ in METHODS:
            s[dst] = run(m, value, name, given, named)
            return
        # A field may hold anything that can be called: a function of the program, a class.
        frame: Any = m.frame
        frame.at = block
        callee = get_attribute(m, value, name)
        made = call(m, callee, given, named)
        if made is PUSHED:
            raise Waiting(frame, dst)
        s[dst] = made

    if name == "append" and len(args) == 1 and not pairs:
        item = args[0]

        def append(s: Slots, m: Machine) -> None:
            value = s[obj]
            if value.__class__ is list:
                value.append(s[item])
                s[dst] = None
            else:
                call_method(s, m)

        return append
    return call_method


@makes(ir.CallPure)
def _call_pure(node: ir.CallPure, place: Place) -> Step:
    callee = place.constants.get(node.callee)
    collect = operands(node)
    block, dst, slot = place.block, node.dst, node.callee
    plain = not node.keyword_names and node.star < 0 and node.star_keywords < 0
    if callee.__class__ is Builtin and callee.name not in SPECIAL:
        return _pure_builtin(callee, dst, collect, tuple(node.args) if plain else None)
    if callee.__class__ is Action:
        return _pure_action(callee, dst, collect, tuple(node.args) if plain else None)
    if (
        callee.__class__ is FunctionValue
        and plain
        and callee.function.kind == "async"
        and callee.function.simple == len(node.args)
        and not callee.function.cells
    ):
        return _coroutine(callee, dst, tuple(node.args))

    def call_pure(s: Slots, m: Machine) -> None:
        frame: Any = m.frame
        frame.at = block
        args, keywords = collect(s)
        value = call(m, s[slot], args, keywords)
        if value is PUSHED:
            raise Waiting(frame, dst)
        s[dst] = value

    return call_pure


def _pure_builtin(callee: Builtin, dst: int, collect: Any, args: tuple[int, ...] | None) -> Step:
    run = callee.implementation
    if args is not None and len(args) == 1:
        only = args[0]

        def call_with_one(s: Slots, m: Machine) -> None:
            s[dst] = run(m, [s[only]], {})

        return call_with_one

    def call_builtin(s: Slots, m: Machine) -> None:
        given, named = collect(s)
        s[dst] = run(m, given, named)

    return call_builtin


def _pure_action(action: Action, dst: int, collect: Any, args: tuple[int, ...] | None) -> Step:
    names, policy = action.names, action.policy
    if args is not None and len(args) == len(names) and action.simple:
        pairs = tuple(zip(names, args, strict=True))

        def call_value(s: Slots, m: Machine) -> None:
            m.fuel -= KEPT
            s[dst] = CallValue(action, {name: s[slot] for name, slot in pairs}, policy)

        return call_value

    def bind_value(s: Slots, m: Machine) -> None:
        given, named = collect(s)
        s[dst] = call_action(m, action, given, named)

    return bind_value


def _coroutine(callee: FunctionValue, dst: int, args: tuple[int, ...]) -> Step:
    function = callee.function
    template, count = function.template, len(args)

    def coroutine(s: Slots, m: Machine) -> None:
        m.fuel -= KEPT
        slots = template.copy()
        slots[:count] = [s[slot] for slot in args]
        s[dst] = Coroutine(Frame(function, slots, None, 0))

    return coroutine


@makes(ir.Call)
def _call(node: ir.Call, place: Place) -> Step:
    block = place.block
    block.dst, block.target = node.dst, place.target(node.target)
    callee = place.constants.get(node.callee)
    plain = not node.keyword_names and node.star < 0 and node.star_keywords < 0
    if (
        callee.__class__ is FunctionValue
        and plain
        and callee.function.kind == "sync"
        and callee.function.simple == len(node.args)
        and not callee.function.cells
    ):
        return _direct(callee, place, tuple(node.args))
    collect = operands(node)
    slot, dst, target = node.callee, node.dst, block.target

    def call_any(s: Slots, m: Machine) -> Any:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        args, keywords = collect(s)
        value = call(m, s[slot], args, keywords)
        if value is PUSHED:
            return None
        s[dst] = value
        return target

    return call_any


def _direct(callee: FunctionValue, place: Place, args: tuple[int, ...]) -> Step:
    function, block = callee.function, place.block
    template, count = function.template, len(args)

    def call_direct(s: Slots, m: Machine) -> None:
        frame: Any = m.frame
        frame.at = block
        depth = frame.depth + 1
        if depth > MAX_DEPTH:
            raise too_deep()
        slots = template.copy()
        slots[:count] = [s[slot] for slot in args]
        m.frame = Frame(function, slots, frame, depth)

    return call_direct


@makes(ir.Access)
def _access(node: ir.Access, place: Place) -> Step:
    block = place.block
    block.dst, block.target = node.dst, place.target(node.target)
    dst, obj, name, target = node.dst, node.obj, node.name, block.target

    def access(s: Slots, m: Machine) -> Any:
        value = s[obj]
        getter = property_of(m.linked, value, name)
        if getter is not None:
            m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
            made = call(m, getter, [value], {})
            if made is PUSHED:
                return None
            s[dst] = made
        else:
            s[dst] = get_attribute(m, value, name)
        return target

    return access


@makes(ir.WithPolicy)
def _with_policy(node: ir.WithPolicy, place: Place) -> Step:
    dst, slot = node.dst, node.call
    sources = (node.retry, node.timeout, node.backoff)

    def with_policy(s: Slots, m: Machine) -> None:
        value = s[slot]
        if value.__class__ is not CallValue:
            raise _no_call(value)
        retry, timeout, backoff = (None if each < 0 else s[each] for each in sources)
        policy = merged_policy(value.policy, retry, timeout, backoff)
        s[dst] = CallValue(value.action, value.arguments, policy, value)

    return with_policy


def _no_call(value: Any) -> BaseException:
    if isinstance(value, Coroutine | SleepValue | Future | Routine):
        what = f"run_action() with a {type_name(value)}"
        return unsupported_operation(
            what, "give it the call of an action; await a helper by itself"
        )
    return TypeError(f"object {type_name(value)} can't be used in 'await' expression")


def merged_policy(default: StoredPolicy, retry: Any, timeout: Any, backoff: Any) -> StoredPolicy:
    """Put what ``run_action`` was given over the action's own policy."""
    given = stored_policy(retry=retry, timeout=timeout, backoff=backoff)
    if retry is None and backoff is None:
        return StoredPolicy(
            default.attempts, default.exception_types, default.base, default.factor, default.max, default.jitter,
            given.timeout or default.timeout,
        )  # fmt: skip
    if retry is None and default.attempts > 1:
        # A backoff alone changes only the pauses of an action that already retries.
        return StoredPolicy(
            default.attempts, default.exception_types, given.base, given.factor, given.max, given.jitter,
            given.timeout or default.timeout,
        )  # fmt: skip
    if timeout is None and default.timeout:
        return StoredPolicy(
            given.attempts,
            given.exception_types,
            given.base,
            given.factor,
            given.max,
            given.jitter,
            default.timeout,
        )
    return given


@makes(ir.Local)
def _local(node: ir.Local, place: Place) -> Step:
    dst, kind, args = node.dst, node.kind, tuple(node.args)
    pairs = tuple(zip(node.keyword_names, node.keyword_values, strict=True))

    def local(s: Slots, m: Machine) -> None:
        taken = m.local.take(
            kind, [s[slot] for slot in args], {name: s[slot] for name, slot in pairs}
        )
        s[dst] = m.decode(taken)

    return local
