"""Values that can be called or awaited, as records: nothing here holds a host function of the user's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_schema.ir.policies import StoredPolicy
from waymark_worker.vm.names import refuse_copy, register, share

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedFunction
    from waymark_worker.vm.scheduling import Future
    from waymark_worker.vm.state import Frame


PARTIAL = "partial.<locals>.call"
"""What ``functools.partial`` gives, by its qualified name."""


class Unbound:
    """The content of a slot or cell without a value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<unbound>"


UNBOUND = Unbound()


class Cell:
    """A variable that closures share."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class FunctionValue:
    """A compiled function with what its definition evaluated: defaults and captured cells."""

    __slots__ = ("cells", "defaults", "function", "keyword_defaults")

    def __init__(
        self,
        function: LinkedFunction,
        defaults: tuple[Any, ...] = (),
        keyword_defaults: dict[str, Any] | None = None,
        cells: tuple[Cell, ...] = (),
    ) -> None:
        self.function = function
        self.defaults = defaults
        self.keyword_defaults = keyword_defaults or {}
        self.cells = cells

    def __copy__(self) -> FunctionValue:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> FunctionValue:
        if self.function.qualname == PARTIAL:
            refuse_copy(self)  # CPython copies its arguments.
        return self


class BoundFunction:
    """A compiled method and the object it was looked up on."""

    __slots__ = ("function", "receiver")

    def __init__(self, function: FunctionValue, receiver: Any) -> None:
        self.function = function
        self.receiver = receiver

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not BoundFunction:
            return NotImplemented
        return self.function is other.function and self.receiver is other.receiver

    def __copy__(self) -> BoundFunction:
        return BoundFunction(self.function, self.receiver)

    def __deepcopy__(self, memo: dict[int, Any]) -> BoundFunction:
        return BoundFunction(self.function, copy.deepcopy(self.receiver, memo))

    __hash__ = None  # type: ignore[assignment] # CPython hashes the receiver's address


class Builtin:
    """A function of the language, by its qualified name."""

    __slots__ = ("implementation", "name")

    def __init__(
        self, name: str, implementation: Callable[[Any, list[Any], dict[str, Any]], Any]
    ) -> None:
        self.name = name
        self.implementation = implementation


class BoundMethod:
    """A pure method of a durable value, looked up but not called yet."""

    __slots__ = ("implementation", "name", "receiver")

    def __init__(self, receiver: Any, name: str, implementation: Callable[..., Any]) -> None:
        self.receiver = receiver
        self.name = name
        self.implementation = implementation


class WorkflowObject:
    """``self`` of ``run()``: the attributes of this instance, then those of its class."""

    __slots__ = ("attributes", "shared", "workflow")

    def __init__(self, workflow: str, attributes: dict[str, Any], shared: dict[str, Any]) -> None:
        self.workflow = workflow
        self.attributes = attributes
        self.shared = shared


class Action:
    """An action of the program as a value."""

    __slots__ = ("bind", "key", "name", "names", "number", "policy", "simple")

    def __init__(
        self,
        number: int,
        *,
        key: str,
        name: str,
        names: tuple[str, ...],
        bind: Callable[..., tuple[Any, ...]],
        policy: StoredPolicy,
        simple: bool,
    ) -> None:
        self.number = number
        self.key = key
        self.name = name
        self.names = names
        self.bind = bind
        self.policy = policy
        self.simple = simple
        """All parameters are plain positional ones."""


class CallValue:
    """One use of an action: arguments bound, not started. Awaiting it starts it, once."""

    __slots__ = ("action", "arguments", "future", "inner", "policy")

    def __init__(
        self,
        action: Action,
        arguments: dict[str, Any],
        policy: StoredPolicy,
        inner: CallValue | None = None,
    ) -> None:
        self.action = action
        self.arguments = arguments
        self.policy = policy
        self.inner = inner
        """The call that ``run_action`` was given: starting this one uses that one up."""
        self.future: Future | None = None


class SleepValue:
    """``asyncio.sleep(delay, result)``, not started."""

    __slots__ = ("delay", "result", "state")

    def __init__(self, delay: Any, result: Any) -> None:
        self.delay = delay
        self.result = result
        self.state = CREATED


CREATED, SUSPENDED, FINISHED = 0, 1, 2


class Coroutine:
    """A call of a compiled ``async def``: its frame, until it is awaited to its end."""

    __slots__ = ("frame", "state")

    def __init__(self, frame: Frame) -> None:
        self.frame: Frame | None = frame
        frame.owner = self
        self.state = CREATED


register(FunctionValue, "function", callable=True)
register(Action, "function", callable=True)
register(BoundFunction, "method", callable=True)
register(Builtin, "builtin_function_or_method", callable=True)
register(BoundMethod, "builtin_function_or_method", callable=True)
register(CallValue, "coroutine")
register(SleepValue, "coroutine")
register(Coroutine, "coroutine")
register(Unbound, "NoneType")
register(Cell, "cell")
register(WorkflowObject, "Workflow")
share(Action, Builtin, BoundMethod)
