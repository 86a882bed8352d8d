"""A compiled special method and a class come in; CPython's own operators and builtins then find it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waymark_schema.values.faults import TOLD
from waymark_worker.vm.calls import call_function
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import SPECIALS
from waymark_worker.vm.nesting import Failed, machine_for, run

if TYPE_CHECKING:
    from waymark_schema.ir.program import TypeEntry
    from waymark_schema.values.descriptors import Descriptor
    from waymark_worker.vm.callables import FunctionValue
    from waymark_worker.vm.linked import LinkedProgram


def is_special(name: str) -> bool:
    """Whether operators and builtins look a name up by themselves."""
    return name.startswith("__") and name.endswith("__")


def host_specials(
    cls: type, descriptor: Descriptor, own: dict[str, tuple[str, FunctionValue]]
) -> None:
    """Put the compiled special methods among a class's own members on the machine's class."""
    for name, (how, function) in own.items():
        if how == "method" and (is_special(name) or _derives(cls, name)):
            _host(cls, name, function, descriptor)


def inherit_texts(
    cls: type, linked: LinkedProgram, own: dict[str, tuple[str, FunctionValue]]
) -> None:
    """Let an exception class without texts of its own say what the compiled methods of its bases say."""
    for name in TOLD if issubclass(cls, BaseException) else ():
        compiled = (cls, name) in linked.members and name not in own
        if compiled and (cls, name) not in linked.uncompiled and name in vars(cls):
            delattr(cls, name)  # once: the class outlives its program's linked form


def _derives(cls: type, name: str) -> bool:
    """Whether the host's ``split`` and ``subgroup`` of a group call a method."""
    return name == "derive" and issubclass(cls, BaseExceptionGroup)


def _host(cls: type, name: str, function: FunctionValue, descriptor: Descriptor) -> None:
    told = TOLD.get(name) if issubclass(cls, BaseException) else None
    setattr(cls, name, _calling(f"{cls.__qualname__}.{name}", function, told))
    setattr(cls, SPECIALS, frozenset({name, *getattr(cls, SPECIALS, ())}))
    if name == "__eq__" and not _keeps_hash(descriptor):
        cls.__hash__ = None  # type: ignore[assignment] # as a class statement with an __eq__ does


def _keeps_hash(descriptor: Descriptor) -> bool:
    """Whether dataclass or pydantic make a hash of their own beside an ``__eq__`` that was written."""
    options = descriptor.options
    return bool(options.get("unsafe_hash") or (options.get("frozen") and options.get("eq", True)))


def _calling(
    what: str, function: FunctionValue, told: Callable[[Any], str | None] | None
) -> Callable[..., Any]:
    def special(*args: Any, **keywords: Any) -> Any:
        machine = machine_for(what)
        try:
            made = run(machine, lambda: call_function(machine, function, list(args), keywords))
        except Failed as failed:
            error = failed.error
            said = told(args[0]) if told is not None and isinstance(error, AttributeError) else None
            if said is not None:
                return said  # it came from an action, without what no journal can keep
        else:
            if made.__class__ is str:
                # The host puts it into a text of its own, whose length nobody can tell before.
                METER.charge(len(made) >> 1)
            return made
        machine.carried = error
        raise error

    return special


def specials(entries: list[TypeEntry]) -> list[tuple[str, str]]:
    """(class, name) of each special method that a program compiled in."""
    return sorted(
        (entry.descriptor.qualname, name)
        for entry in entries
        for name in entry.methods
        if is_special(name)
    )
