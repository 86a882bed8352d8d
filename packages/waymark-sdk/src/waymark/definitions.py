"""A class in, its workflow definition out, or the reason why it is not shaped like a workflow."""

from __future__ import annotations

import abc
import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any

from waymark.registry import WorkflowDefinition, place_of, workflow_registry
from waymark_schema.ir.digest import decode, encode_spans
from waymark_schema.wire.frames import ProgramReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from waymark_schema.ir.program import Program

DEFINITION = "__waymark_workflow__"
"""Attribute of a decorated class that holds its ``WorkflowDefinition``."""
WAIT_OPTIONS = ("_blocking", "_priority", "_timeout")
RESERVED = frozenset(
    "start start_sync start_many start_many_sync run_sync options call"
    " run_action wait_event set_tag log".split()
)
INTERCEPTORS = frozenset(
    "__new__ __getattr__ __getattribute__ __setattr__ __delattr__ __init_subclass__ __class_getitem__".split()
)
_compiling = threading.RLock()


def define(cls: Any, root: type) -> Callable[..., Any]:
    """Check and register a workflow class; return its ``run`` as written.

    Raises:
        TypeError: it is not a subclass of ``root`` with an ``async def run``, or it does what a compiled
            class cannot: a metaclass, intercepted attributes, abstract methods, reserved names.
        ValueError: another class has its name.

    """
    _check_class(cls, root)
    written = run_of(cls, root)
    name = _name(cls)
    definition = WorkflowDefinition(
        key=name,
        workflow=cls,
        place=place_of(cls, module=cls.__module__, line=written.__code__.co_firstlineno),
        report=functools.partial(_report, cls),
    )
    workflow_registry.add(definition)
    setattr(cls, DEFINITION, definition)
    cls.name = name
    return written


def definition_of(cls: Any) -> WorkflowDefinition:
    """Return the definition of a class; raises ``TypeError`` when it is not decorated."""
    definition = vars(cls).get(DEFINITION)
    if not isinstance(definition, WorkflowDefinition):
        msg = f"{cls.__qualname__} is not decorated; expected @workflow above the class"
        raise TypeError(msg)
    return definition


def run_of(cls: Any, root: type) -> Callable[..., Any]:
    """Return the ``run`` of a class as written, its own or inherited; raises ``TypeError``."""
    found = next((vars(c)["run"] for c in cls.__mro__ if "run" in vars(c) and c is not root), None)
    if found is None:
        msg = f"{cls.__qualname__} has no run(); expected `async def run(self, …)`"
        raise TypeError(msg)
    written = inspect.unwrap(found) if inspect.isfunction(found) else found
    if not inspect.iscoroutinefunction(written):
        what = "an async generator" if inspect.isasyncgenfunction(written) else repr(written)
        msg = f"run of {cls.__qualname__} is {what}; expected a method written `async def run(self, …)`"
        raise TypeError(msg)
    _check_parameters(cls, written)
    return written  # type: ignore[no-any-return] # narrowed by iscoroutinefunction to a function


def _check_class(cls: Any, root: type) -> None:
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
    cached = vars(cls).get("__waymark_report__")
    if isinstance(cached, ProgramReport):
        return cached
    from waymark.compiler.pipeline import compile_workflow  # noqa: PLC0415 - only at first use

    with _compiling:
        cached = vars(cls).get("__waymark_report__")
        if isinstance(cached, ProgramReport):
            return cached
        compiled = compile_workflow(cls)
        report = ProgramReport(
            workflow=definition_of(cls).name,
            version=compiled.version,
            digest=compiled.digest,
            program=compiled.program_bytes,
            spans=encode_spans(compiled.spans),
            source=compiled.source,
        )
        type.__setattr__(cls, "__waymark_report__", report)
    return report


def build_workflow_ir(workflow: type) -> Program:
    """Compile a workflow class and return its program.

    Raises:
        TypeError: the class is not decorated with ``@workflow``.
        UnsupportedPatternError: it does not compile; the error holds every diagnostic.

    """
    return decode(definition_of(workflow).report().program)
