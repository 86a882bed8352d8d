"""A class in, its workflow definition out, or the reason why it is not shaped like a workflow."""

from __future__ import annotations

import abc
import functools
import inspect
import sys
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from waymark.registry import WorkflowDefinition, place_of, workflow_registry
from waymark_schema.ir.digest import decode, encode_spans
from waymark_schema.values.frozen import unfrozen
from waymark_schema.wire.frames import ProgramReport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from waymark.compiler.capture import Earlier
    from waymark.compiler.pipeline import Compiled
    from waymark.compiler.rebound import Places
    from waymark_schema.ir.program import Program

DEFINITION = "__waymark_workflow__"
"""Attribute of a decorated class that holds its ``WorkflowDefinition``."""
REPORT = "__waymark_report__"
"""Attribute that holds the program of a class that was compiled."""
VARIANTS = "__waymark_variants__"
"""Attribute that holds all of its programs, in tests."""
FIRST_NAMES = "__waymark_first_names__"
"""Attribute that holds what was in its module when it was made, in tests."""
MOST_VARIANTS = 4
WAIT_OPTIONS = ("_blocking", "_priority", "_timeout")
RESERVED = frozenset(
    "start start_sync start_many start_many_sync run_sync options call"
    " run_action wait_event set_tag log".split()
)
INTERCEPTORS = frozenset(
    "__new__ __getattr__ __getattribute__ __setattr__ __delattr__ __init_subclass__ __class_getitem__".split()
)
_compiling = threading.RLock()
_run_left_to_compiler: ContextVar[bool] = ContextVar("run left to the compiler", default=False)


@contextmanager
def run_left_to_compiler() -> Iterator[None]:
    """Register classes without an ``async def run``, too: for who compiles them next, to tell all of their problems."""
    before = _run_left_to_compiler.set(True)
    try:
        yield
    finally:
        _run_left_to_compiler.reset(before)


def define(cls: Any, root: type) -> Callable[..., Any] | None:
    """Check and register a workflow class; return its ``run`` as written, None if that is left to the compiler.

    Raises:
        TypeError: it is not a subclass of ``root`` with an ``async def run``, or it does what a compiled
            class cannot: a metaclass, intercepted attributes, abstract methods, reserved names.
        ValueError: another class has its name.

    """
    _check_class(cls, root)
    written = None
    if inspect.iscoroutinefunction(_found_run(cls, root)) or not _run_left_to_compiler.get():
        written = run_of(cls, root)
    name = _name(cls)
    definition = WorkflowDefinition(
        key=name,
        workflow=cls,
        place=place_of(cls, module=cls.__module__, line=_line(written)),
        report=functools.partial(_report, cls),
    )
    workflow_registry.add(definition)
    setattr(cls, DEFINITION, definition)
    if "pytest" in sys.modules:
        setattr(cls, FIRST_NAMES, dict(vars(sys.modules.get(cls.__module__, cls))))
    cls.name = name
    return written


def refuse_arguments(names: Iterable[str]) -> None:
    """Raise the ``TypeError`` of a decorator that takes none."""
    given = ", ".join(f"{name}=" for name in names)
    written = " and ".join(f"`{name} = …`" for name in names if name in {"name", "version"})
    instead = f"write {written} in the class" if written else "write @workflow without arguments"
    msg = f"@workflow was given {given}; expected no arguments: {instead}"
    raise TypeError(msg)


def definition_of(cls: Any) -> WorkflowDefinition:
    """Return the definition of a class; raises ``TypeError`` when it is not decorated."""
    definition = vars(cls).get(DEFINITION)
    if not isinstance(definition, WorkflowDefinition):
        msg = f"{cls.__qualname__} is not decorated; expected @workflow above the class"
        raise TypeError(msg)
    return definition


def run_of(cls: Any, root: type) -> Callable[..., Any]:
    """Return the ``run`` of a class as written, its own or inherited; raises ``TypeError``."""
    written = _found_run(cls, root)
    if written is None:
        msg = f"{cls.__qualname__} has no run(); expected `async def run(self, …)`"
        raise TypeError(msg)
    if inspect.isasyncgenfunction(written):
        msg = f"{cls.__qualname__}.run is an async generator; expected one that returns: collect what it yields in a list"
        raise TypeError(msg)
    if not inspect.iscoroutinefunction(written):
        msg = f"{cls.__qualname__}.run must be `async def`; expected a method written `async def run(self, …)`"
        raise TypeError(msg)
    _check_parameters(cls, written)
    return written  # type: ignore[no-any-return] # narrowed by iscoroutinefunction to a function


def _line(written: Any) -> int:
    code = getattr(written, "__code__", None)
    return code.co_firstlineno if code is not None else 1


def _found_run(cls: type, root: type) -> Any:
    """Return what a class has under ``run``, without what decorators made of it; None if it has nothing."""
    found = next((vars(c)["run"] for c in cls.__mro__ if "run" in vars(c) and c is not root), None)
    return inspect.unwrap(found) if inspect.isfunction(found) else found


def _check_class(cls: Any, root: type) -> None:
    if inspect.isfunction(cls):
        msg = (
            f"@workflow was given the function {cls.__qualname__!r}; expected a class:"
            " `class Name(Workflow):` with the function in it as `async def run(self, …)`"
        )
        raise TypeError(msg)
    if not isinstance(cls, type):
        msg = f"@workflow was given {cls!r}; expected a class: write @workflow without arguments"
        raise TypeError(msg)
    where = cls.__qualname__
    if not issubclass(cls, root) or cls is root:
        msg = (
            f"{where} is not a workflow; expected `class {cls.__name__}(Workflow):` below @workflow"
        )
        raise TypeError(msg)
    if type(cls) not in (type, abc.ABCMeta):
        msg = f"{where} has the metaclass {type(cls).__qualname__}; expected none: a workflow is compiled from its text"
        raise TypeError(msg)
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        msg = f"{where} leaves {', '.join(missing)} abstract; expected a class that can be made. Decorate the subclass"
        raise TypeError(msg)
    for base in cls.__mro__:
        if base in (root, object, abc.ABC):
            continue
        if taken := sorted(RESERVED & vars(base).keys()):
            msg = f"{base.__qualname__} defines {', '.join(taken)}; these names belong to Workflow, expected others"
            raise TypeError(msg)
        if tricks := sorted(INTERCEPTORS & vars(base).keys()):
            msg = f"{base.__qualname__} defines {', '.join(tricks)}; expected plain attributes: a workflow is compiled from its text"
            raise TypeError(msg)


def _check_parameters(cls: type, written: Any) -> None:
    parameters = list(inspect.signature(written).parameters.values())
    first = parameters[0] if parameters else None
    if first is None or first.kind not in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD):
        msg = f"run of {cls.__qualname__} does not take the workflow; expected `async def run(self, …)`"
        raise TypeError(msg)
    if taken := [p.name for p in parameters if p.name in WAIT_OPTIONS]:
        msg = f"run of {cls.__qualname__} has the parameter {taken[0]}, an option of waiting; expected another name"
        raise TypeError(msg)


def _name(cls: type) -> str:
    name = vars(cls).get("name")
    if name is None:
        return cls.__name__.lower()
    if not isinstance(name, str) or not name.strip():
        msg = f"{cls.__qualname__}.name is {name!r}; expected a text that is not empty"
        raise TypeError(msg)
    return name


def _report(cls: type) -> ProgramReport:
    cached = vars(cls).get(REPORT)
    if isinstance(cached, ProgramReport) and _patches.followed is None:
        return cached
    with _compiling:
        if _patches.followed is not None and _patches.followed():
            return _report_as_bound(cls)
        cached = vars(cls).get(REPORT)
        if isinstance(cached, ProgramReport):
            return cached
        report = _first_report(cls)
        if report is None:
            with unfrozen():
                from waymark.compiler.pipeline import compile_workflow  # noqa: PLC0415 - only at first use

                report = _made_report(cls, compile_workflow(cls))
        type.__setattr__(cls, REPORT, report)
    return report


def _first_report(cls: type) -> ProgramReport | None:
    """Return the program that a test compiled first, if nothing in it has another meaning now; never a patched one of later."""
    variants = vars(cls).get(VARIANTS)
    first = variants.first if isinstance(variants, _Variants) else None
    return first.report if first is not None and first.places.unchanged() else None


def _report_as_bound(cls: type) -> ProgramReport:
    """Return the program of what the names in a workflow mean now, compiled again if it has to be."""
    variants = _variants(cls)
    for variant in variants.known:
        if variant.places.unchanged():
            return variant.report
    with unfrozen():
        from waymark.compiler.pipeline import compile_as_bound  # noqa: PLC0415 - only in tests

        compiled, places = compile_as_bound(cls, variants.earlier)
    report = _made_report(cls, compiled)
    variants.digests.add(report.digest)
    variant = _Variant(places, report)
    variants.first = variants.first or variant
    variants.known = [variant, *variants.known[: MOST_VARIANTS - 1]]
    return report


def _made_report(cls: type, compiled: Compiled) -> ProgramReport:
    return ProgramReport(
        workflow=definition_of(cls).name,
        version=compiled.version,
        digest=compiled.digest,
        program=compiled.program_bytes,
        spans=encode_spans(compiled.spans),
        source=compiled.source,
    )


class _Patches:
    """Who says whether what tests put in the place of something else has to be looked for; None: nobody will."""

    __slots__ = ("followed",)

    def __init__(self) -> None:
        self.followed: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class _Variant:
    places: Places
    report: ProgramReport


@dataclass(slots=True)
class _Variants:
    """Programs of one class, the last one first: a test may undo what it put in the place of something else."""

    earlier: Earlier
    first: _Variant | None = None
    known: list[_Variant] = field(default_factory=list)
    digests: set[bytes] = field(default_factory=set)


_patches = _Patches()


def _variants(cls: type) -> _Variants:
    found = vars(cls).get(VARIANTS)
    if not isinstance(found, _Variants):
        from waymark.compiler.capture import Earlier  # noqa: PLC0415 - only in tests

        found = _Variants(Earlier({cls.__module__: vars(cls).get(FIRST_NAMES, {})}))
        type.__setattr__(cls, VARIANTS, found)
    return found


def is_compiled(cls: type) -> bool:
    """Whether a decorated class has been compiled in this process."""
    return REPORT in vars(cls) or VARIANTS in vars(cls)


def follow_patches(followed: Callable[[], bool]) -> None:
    """From now on compile a workflow again when a name in it has been bound to something else, while ``followed``."""
    _patches.followed = followed


def are_variants(workflow: str, digests: Collection[bytes]) -> bool:
    """Whether these are programs of one class, which differ by what a test put in the place of something else."""
    definition = workflow_registry.get(workflow)
    return definition is not None and _variants(definition.workflow).digests.issuperset(digests)


def build_workflow_ir(workflow: type) -> Program:
    """Compile a workflow class and return its program.

    Raises:
        TypeError: the class is not decorated with ``@workflow``.
        UnsupportedPatternError: it does not compile; the error holds every diagnostic.

    """
    return decode(definition_of(workflow).report().program)
