"""One host function with its number goes in; its lowered form in the tables, or diagnostics, come out."""

from __future__ import annotations

import ast
import inspect
from abc import abstractmethod
from functools import cached_property
from pathlib import PurePath
from types import FunctionType

from waymark.compiler import members, subset
from waymark.compiler.context import Context, Families
from waymark.compiler.defaults import of_parameters
from waymark.compiler.diagnostics import Reporter, Text
from waymark.compiler.frames import Surroundings, close_frame, open_frame, signature
from waymark.compiler.getters import with_lambdas
from waymark.compiler.inits import is_generated, write_init
from waymark.compiler.made import make_all
from waymark.compiler.managed import is_maker, managed
from waymark.compiler.named_defaults import fill
from waymark.compiler.prelude.names import PACKAGE
from waymark.compiler.scopes import analyse, function_kind
from waymark.compiler.source import FunctionNode, SourceChanged, SourceFile, SourceMissing
from waymark.compiler.symbols import Namespace
from waymark.compiler.synthetic import managing
from waymark.compiler.tables import Job, Tables, origin_of

TRANSPARENT = frozenset({
    "staticmethod", "classmethod", "property", "override", "typing.override", "typing_extensions.override",
    "computed_field", "pydantic.computed_field",
})  # fmt: skip
"""Decorators of methods that run nothing when the method is called, or that calls know of."""
_OF_PROPERTIES = (".getter", ".setter", ".deleter")
ADVICE = {
    "WM130": "define it in a file that Python can import, and keep the file beside its bytecode",
    "WM131": "import the module again (restart the process) after editing its file",
}


def run_job(tables: Tables, families: Families, job: Job) -> None:
    """Lower one function; what is wrong with it is reported.

    A method of a value's class, and what only such a method needs, is left out of the program instead.
    """
    origin = _origin(tables, job)
    if origin is None:
        _run_bounded(tables, families, job)
        return
    before, tables.reporter, tables.origin = tables.reporter, Reporter(), origin
    try:
        _run_bounded(tables, families, job)
        found = tables.reporter.found
    finally:
        tables.reporter, tables.origin = before, None
    if found:
        name = origin.partition(":")[2]
        place = f"{PurePath(found[0].filename).name}:{found[0].line}"
        tables.failed.setdefault(
            origin, f"`{name}` cannot be compiled in: {found[0].message} ({place})"
        )


def _origin(tables: Tables, job: Job) -> str | None:
    if job.owner is None or not _of_value(tables, job):
        return job.origin
    return origin_of(job.owner, job.function)


def _run_bounded(tables: Tables, families: Families, job: Job) -> None:
    try:
        _run(tables, families, job)
    except RecursionError:
        code = job.function.__code__
        where = ast.Pass()
        where.lineno, where.col_offset = code.co_firstlineno, 0
        message = f"an expression in `{code.co_name}` is nested too deep"
        tables.reporter.report(
            "WM100", where, Text(code.co_filename, ()), message, "use several statements"
        )


def _run(tables: Tables, families: Families, job: Job) -> None:
    if is_generated(job.function):
        write_init(tables, families, job)
        return
    made = managed(job.function)
    if made is not None:
        inner = tables.function(made.function, job.owner)
        managing(tables, job.number, inner, made)
        return
    found = _source(tables, job)
    if found is None:
        return
    node, file = found
    if not _acceptable(tables, job, node, file.text):
        return
    own = job.owner is not None and issubclass(tables.workflow, job.owner)
    refused = subset.REFUSED if own else subset.REFUSED_IN_HELPERS
    subset.check(node, file.text, tables.reporter, refused)
    _lower(tables, families, job, node, file)


def _source(tables: Tables, job: Job) -> tuple[FunctionNode, SourceFile] | None:
    code = job.function.__code__
    where = ast.Pass()
    where.lineno, where.col_offset = code.co_firstlineno, 0
    text = Text(code.co_filename, ())
    try:
        if _of_value(tables, job) or _stands_in(tables, job):
            return tables.reader.member(job.function)
        return tables.reader.function(job.function)
    except SourceMissing as error:
        tables.reporter.report("WM130", where, text, str(error), ADVICE["WM130"])
    except SourceChanged as error:
        tables.reporter.report("WM131", where, text, str(error), ADVICE["WM131"])
    return None


def _stands_in(tables: Tables, job: Job) -> bool:
    """Whether a test has put a function in the place of another one."""
    if job.owner is None:
        return job.function in tables.stand_ins
    return tables.captures.stands_in_class(job.function, job.owner)


def _of_value(tables: Tables, job: Job) -> bool:
    """Whether a function is one of a class of values, not of the workflow's."""
    return job.owner is not None and not issubclass(tables.workflow, job.owner)


def _acceptable(tables: Tables, job: Job, node: FunctionNode, text: Text) -> bool:
    """Whether a function may be compiled in at all."""
    function = job.function
    head = subset.head(node)
    problem: tuple[str, str, str] | None = None
    for decorator in node.decorator_list:
        name = ast.unparse(decorator)
        meant = _named(name, function)
        made = is_maker(meant) or meant in (abstractmethod, cached_property)
        if (
            not made
            and not name.endswith(_OF_PROPERTIES)
            and name.partition("(")[0] not in TRANSPARENT
        ):
            problem = (
                "WM133",
                f"`{node.name}` has the decorator `@{name}`, which would not run",
                "remove the decorator, or make the function an @action",
            )
    fits = _stands_in(tables, job) or (_of_value(tables, job) and _is_of_module(job.function))
    if _is_made_elsewhere(job) and not fits:
        head, text = _under_decorators(tables, function, head, text)
        problem = _made_elsewhere(job)
    if function.__module__.startswith(f"{PACKAGE}."):
        return True
    if problem is not None:
        code, message, instead = problem
        tables.reporter.report(code, head, text, message, instead)
    return problem is None


def _made_elsewhere(job: Job) -> tuple[str, str, str]:
    name, owner = job.function.__name__, job.owner
    if owner is None or "." in job.function.__qualname__ or hasattr(job.function, "__wrapped__"):
        why = f"`{name}` was made by a decorator or another function, not by a `def` in its place"
        return "WM122", why, _instead_of_decorating(job.function)
    why = (
        f"`{name}` is a function of the module that class `{owner.__qualname__}` takes for a method"
    )
    return "WM122", why, f"call `{name}(…)` itself, or write a `def` in the class"


def _instead_of_decorating(function: FunctionType) -> str:
    if hasattr(function, "registry") and hasattr(function, "dispatch"):  # functools.singledispatch
        return "write `match` or a chain of isinstance()"
    if hasattr(function, "__wrapped__"):
        return "write what the decorator does as a function that takes the other one: `await again(fetch, url)`"
    return "define it with a plain `def`, or make it an @action"


def _under_decorators(
    tables: Tables, function: FunctionType, head: ast.AST, text: Text
) -> tuple[ast.AST, Text]:
    """Place of the ``def`` that decorators made a function of: what they made may stand in a library."""
    inner = inspect.unwrap(function)
    if inner is function or not isinstance(inner, FunctionType):
        return head, text
    try:
        node, file = tables.reader.function(inner)
    except (SourceMissing, SourceChanged):
        return head, text
    return subset.head(node), file.text


def _named(name: str, function: FunctionType) -> object:
    """The host object that a decorator's name means in the module of a function."""
    first, *rest = name.split(".")
    found = function.__globals__.get(first)
    for each in rest:
        found = getattr(found, each, None)
    return found


def _is_made_elsewhere(job: Job) -> bool:
    """Whether the code of a function is not that of the ``def`` under its name in its module or class."""
    code = job.function.__code__
    if job.owner is not None:
        return code.co_qualname != f"{job.owner.__qualname__}.{code.co_name}"
    return "<locals>" in code.co_qualname or hasattr(job.function, "__wrapped__")


def _is_of_module(function: FunctionType) -> bool:
    """Whether a function is the one that a ``def`` at the top of its module made."""
    name = function.__code__.co_qualname
    return function.__globals__.get(name) is function and not hasattr(function, "__wrapped__")


def _lower(
    tables: Tables, families: Families, job: Job, node: FunctionNode, file: SourceFile
) -> None:
    owner = None if _is_of_module(job.function) else job.owner
    private = owner.__name__ if owner is not None else ""
    namespace = Namespace.of(job.function, file, private=private)
    node = with_lambdas(node, namespace, tables.language)
    around = Surroundings(tables, families, namespace, file.text, owner)
    qualname = job.function.__qualname__.rpartition("<locals>.")[2]
    ctx = open_frame(around, analyse(node), qualname=qualname)
    defaults = of_parameters(ctx, job, node, fill(ctx, job, node))
    _own(ctx, job, node)
    if job.number == 0:
        make_all(ctx)
    ctx.body(node.body)
    kind = function_kind(node)
    close_frame(ctx, job.number, name=node.name, kind=kind, parameters=signature(node, defaults))


def _own(ctx: Context, job: Job, node: FunctionNode) -> None:
    """Tell the context which variable is the workflow itself."""
    owner = job.owner
    if owner is None or not issubclass(ctx.tables.workflow, owner):
        return
    found = members.member(owner, vars(owner).get(node.name))
    kind = found.kind if isinstance(found, members.Method) else "method"
    if kind == "static":
        return
    arguments = [*node.args.posonlyargs, *node.args.args]
    if not arguments:
        ctx.report("WM134", subset.head(node), f"`{node.name}` has no `self`", "add `self`")
        return
    name = arguments[0].arg
    if name in ctx.scope.rebound:
        ctx.report(
            "WM113", arguments[0], f"`{name}` is assigned to in `{node.name}`", "use another name"
        )
    if kind == "class":
        ctx.class_variable = ctx.scope.variables[name]
    else:
        ctx.self_variable = ctx.scope.variables[name]
