"""The qualified name of a function of the standard library in; the function of the prelude that stands for it out."""

from __future__ import annotations

from types import FunctionType

from waymark.compiler.prelude import (
    applying,
    closing,
    combining,
    iterating,
    logs,
    ordering,
    typed,
)


def _functions() -> dict[str, FunctionType]:
    found: dict[str, FunctionType] = {}
    for module, owner in (
        (iterating, "itertools"),
        (combining, "itertools"),
        (applying, "functools"),
        (closing, "contextlib"),
        (typed, "typing"),
        (logs, "logging"),
    ):
        for name, value in vars(module).items():
            own = getattr(value, "__module__", "") == module.__name__
            if isinstance(value, FunctionType) and own and not name.startswith("_"):
                found[f"{owner}.{name}"] = value
    found["itertools.chain.from_iterable"] = found.pop("itertools.chain_from_iterable")
    found["logging.warn"] = found["logging.warning"]
    found["logging.fatal"] = found["logging.critical"]
    found["operator.itemgetter"] = found.pop("functools.itemgetter")
    return found


PRELUDE: dict[str, FunctionType] = _functions()
"""``itertools.chain`` and the like; the names are those of ``ir.library.COMPILED``."""
ORDERINGS: dict[str, FunctionType] = {
    name: value for name, value in vars(ordering).items() if isinstance(value, FunctionType)
}
"""What ``functools.total_ordering`` puts into a class, by the names that ``functools`` has for it."""
PACKAGE = __name__.rpartition(".")[0]
"""Functions of this package are compiled into every workflow."""
