"""Terminators and exceptions: where control goes is decided here; a closure that returns the next block comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from waymark_schema.ir import instructions as ir
from waymark_worker.vm import operations
from waymark_worker.vm.awaiting import await_value
from waymark_worker.vm.callables import FINISHED
from waymark_worker.vm.cursors import Cursor
from waymark_worker.vm.iterators import EXHAUSTED, SUSPENDED, Framed, pull
from waymark_worker.vm.linked import Step
from waymark_worker.vm.raising import NOTHING, raise_value
from waymark_worker.vm.state import PUSHED, Frame
from waymark_worker.vm.steps import Place, makes
from waymark_worker.vm.unwinding import give

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Slots = list[Any]
NORMAL, RAISE, RETURN, JUMP = 0, 1, 2, 3
"""How a protected region ended: a completion slot holds one of these and what belongs to it."""
_ENDED: Final = {"normal": NORMAL, "raise": RAISE, "return": RETURN, "jump": JUMP}


@makes(ir.Catch)
def _catch(node: ir.Catch, place: Place) -> Step:
    dst = node.dst

    def catch(s: Slots, m: Machine) -> None:
        s[dst] = m.fault
        m.fault = None

    return catch


@makes(ir.MatchException)
def _match(node: ir.MatchException, place: Place) -> Step:
    dst, exc, pattern = node.dst, node.exc, node.pattern
    kind = place.constants.get(pattern)
    if isinstance(kind, type) and issubclass(kind, BaseException):

        def match_class(s: Slots, m: Machine) -> None:
            s[dst] = isinstance(s[exc], kind)

        return match_class

    def match(s: Slots, m: Machine) -> None:
        s[dst] = operations.matches(s[exc], s[pattern])

    return match


@makes(ir.Complete)
def _complete(node: ir.Complete, place: Place) -> Step:
    completion, src, how = node.completion, node.src, _ENDED[node.how]
    fixed = (how, None) if how == NORMAL else (how, node.target)
    if how in {NORMAL, JUMP}:

        def complete_fixed(s: Slots, m: Machine) -> None:
            s[completion] = fixed

        return complete_fixed

    def complete(s: Slots, m: Machine) -> None:
        s[completion] = (how, s[src])

    return complete


@makes(ir.Jump)
def _jump(node: ir.Jump, place: Place) -> Step:
    target = place.target(node.target)

    def jump(s: Slots, m: Machine) -> Any:
        return target

    return jump


@makes(ir.Branch)
def _branch(node: ir.Branch, place: Place) -> Step:
    test, then, otherwise = node.test, place.target(node.then), place.target(node.otherwise)
    truth = operations.truth

    def branch(s: Slots, m: Machine) -> Any:
        value = s[test]
        if value is True:
            return then
        if value is False:
            return otherwise
        return then if truth(value) else otherwise

    return branch


@makes(ir.Next)
def _next(node: ir.Next, place: Place) -> Step:
    block = place.block
    block.dst, block.target, block.done = node.dst, place.target(node.body), place.target(node.done)
    iterator, dst, body, done = node.iterator, node.dst, block.target, block.done

    def step(s: Slots, m: Machine) -> Any:
        source = s[iterator]
        if isinstance(source, Framed):
            m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
            item = pull(m, source)
            if item is PUSHED:
                return None
        elif isinstance(source, Cursor):
            item = next(source, EXHAUSTED)
        else:
            item = next(source, EXHAUSTED)
        if item is EXHAUSTED:
            return done
        s[dst] = item
        return body

    return step


@makes(ir.Await)
def _await(node: ir.Await, place: Place) -> Step:
    block = place.block
    block.dst, block.target = node.dst, place.target(node.target)
    src, dst, target = node.src, node.dst, block.target

    def await_(s: Slots, m: Machine) -> Any:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        value = await_value(m, s[src])
        if value is PUSHED:
            return None
        s[dst] = value
        return target

    # What a future holds is the program's own: it keeps the context that it has.
    block.raises = await_
    return await_


@makes(ir.Yield)
def _yield(node: ir.Yield, place: Place) -> Step:
    block = place.block
    block.dst, block.target = node.dst, place.target(node.target)
    src, kept = node.src, "generator" not in place.function.kind

    def yield_(s: Slots, m: Machine) -> None:
        frame: Any = m.frame
        frame.at = block
        owner = frame.owner
        owner.state = SUSPENDED
        # A suspended generator is alive as long as something else refers to it.
        frame.owner = owner if kept else None
        caller, frame.caller = frame.caller, None
        give(m, caller, s[src])

    return yield_


@makes(ir.Return)
def _return(node: ir.Return, place: Place) -> Step:
    return leave(place, node.src)


def leave(place: Place, src: int) -> Step:
    """Make the closure that leaves the function with the value in ``src``."""
    if place.function.kind in {"generator", "async_generator"}:

        def end(s: Slots, m: Machine) -> None:
            frame: Any = m.frame
            m.returned = s[src]
            give(m, frame.owner.finish(), EXHAUSTED)

        return end
    if place.function.kind == "async":

        def finish(s: Slots, m: Machine) -> None:
            frame: Any = m.frame
            frame.owner.state = FINISHED
            frame.owner.frame = None
            give(m, frame.caller, s[src])

        return finish

    def return_(s: Slots, m: Machine) -> None:
        caller = m.frame.caller  # type: ignore[union-attr] # an instruction runs in a compiled frame
        if caller.__class__ is Frame:
            at = caller.at
            caller.slots[at.dst] = s[src]
            caller.next = at.target
            m.frame = caller
        else:
            give(m, caller, s[src])

    return return_


@makes(ir.Raise)
def _raise(node: ir.Raise, place: Place) -> Step:
    block, exc, cause = place.block, node.exc, node.cause

    def raise_(s: Slots, m: Machine) -> None:
        error = s[exc]
        if cause < 0 and isinstance(error, BaseException):
            raise error
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        raise_value(m, error, NOTHING if cause < 0 else s[cause])

    block.raises = raise_
    return raise_


@makes(ir.Reraise)
def _reraise(node: ir.Reraise, place: Place) -> Step:
    exc = node.exc

    def reraise(s: Slots, m: Machine) -> None:
        raise s[exc]

    place.block.reraises = reraise
    return reraise


@makes(ir.EndFinally)
def _end_finally(node: ir.EndFinally, place: Place) -> Step:
    completion, target = node.completion, place.target(node.target)
    jumps = [place.target(number) for number in node.jumps]
    returning = None if node.returning < 0 else place.target(node.returning)
    scratch = node.completion
    really_return = leave(place, scratch)

    def end_finally(s: Slots, m: Machine) -> Any:
        how, value = s[completion]
        if how == NORMAL:
            return target
        if how == JUMP:
            return jumps[value]
        if how == RAISE:
            raise value
        if returning is not None:
            return returning
        # The frame ends here: its completion slot may hold the plain value for what leaves it.
        s[scratch] = value
        return really_return(s, m)

    place.block.reraises = end_finally
    return end_finally
