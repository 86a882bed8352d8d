"""A callable value of the workflow comes in; a function that the host's own code can call goes out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.invoking import RESOLVERS, Implementation, implementation
from waymark_worker.vm.names import register, share
from waymark_worker.vm.nesting import Failed, machine_for, run

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedProgram

CALLS: list[Callable[[Any, Any, list[Any], dict[str, Any]], Any]] = []
"""How the machine calls any value; its module puts it here."""


class Hosted:
    """A callable of the workflow in the hands of the host: the factory of a ``defaultdict``, say."""

    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        """Call it; compiled code runs to its end at once. Raises what it raises."""
        machine = machine_for("a call of compiled code")
        pure = None if _runs_code(machine.linked, self.function) else implementation(self.function)
        if pure is not None:
            return pure(machine, list(args), keywords)
        try:
            return run(machine, lambda: CALLS[0](machine, self.function, list(args), keywords))
        except Failed as failed:
            error = failed.error
        machine.carried = error
        raise error


def _runs_code(linked: LinkedProgram, function: Any) -> bool:
    """Whether a class of the program makes its objects with code of its own."""
    return isinstance(function, type) and (
        function in linked.opaque or (function, "__init__") in linked.members
    )


class Comparer:
    """``functools.cmp_to_key(function)``: makes keys that are ordered by the function."""

    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, value: Any) -> Any:
        """The key of ``value``."""
        return functools.cmp_to_key(Hosted(self.function))(value)


def _comparer(_ctx: Any, args: list[Any], keywords: dict[str, Any]) -> Comparer:
    functools.cmp_to_key(*args, **keywords)  # raises CPython's own TypeError
    return Comparer(*args, *keywords.values())


CALLBACKS: dict[str, Implementation] = {"functools.cmp_to_key": _comparer}
"""Functions that make callables for the host."""

register(Comparer, "functools.KeyWrapper", callable=True)
RESOLVERS[Comparer] = lambda comparer: lambda _ctx, args, keywords: comparer(*args, **keywords)
register(Hosted, "function", callable=True)
RESOLVERS[Hosted] = lambda hosted: lambda _ctx, args, keywords: hosted(*args, **keywords)
share(Hosted)
