"""A function of a workflow in; its tree with parents, and what the names in it mean, out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from waymark.compiler import members
from waymark.compiler.diagnostics import Reporter
from waymark.compiler.language import Names
from waymark.compiler.source import (
    FunctionNode,
    SourceChanged,
    SourceFile,
    SourceMissing,
    SourceReader,
)
from waymark.compiler.symbols import (
    Action,
    Builtin,
    Compiled,
    Namespace,
    Refused,
    Symbol,
    resolve_attribute,
    resolve_name,
)
from waymark.compiler.tables import Job
from waymark.registry import ActionDefinition

_COROUTINE = 0x80
_LAZY = frozenset(("asyncio.sleep", "asyncio.wait", "asyncio.wait_for"))
"""Builtins that do nothing until they are awaited."""
LOOPS = (ast.For, ast.AsyncFor, ast.While)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Reading:
    """One function under the eyes of the lints."""

    workflow: type
    owner: type | None
    node: FunctionNode
    file: SourceFile
    namespace: Namespace
    language: Names
    reader: SourceReader
    reporter: Reporter
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()
    """Names that the function binds somewhere: their meaning is not known here."""

    @property
    def is_run(self) -> bool:
        """Whether this is the workflow's ``run``."""
        return self.owner is not None and self.node.name == "run"

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Every node of these kinds, nested functions included."""
        for node in ast.walk(self.node):
            if isinstance(node, kinds):
                yield node

    def symbol(self, node: ast.expr) -> Symbol | None:
        """What a name or an attribute chain means, if that is known without running anything."""
        match node:
            case ast.Name(id=name):
                found = (
                    None
                    if name in self.bound
                    else resolve_name(name, self.namespace, self.language)
                )
            case ast.Attribute(value=value, attr=attribute):
                base = self.symbol(value)
                if base is None:
                    return None
                found = resolve_attribute(base, attribute, ast.unparse(node), self.language)
            case _:
                return None
        return None if isinstance(found, Refused) else found

    def action(self, node: ast.AST) -> ActionDefinition | None:
        """The action that a call calls."""
        if not isinstance(node, ast.Call):
            return None
        found = self.symbol(node.func)
        if isinstance(found, Action):
            return found.definition
        member = self.member(node.func)
        definition = getattr(getattr(member, "value", None), "__waymark_action__", None)
        return definition if isinstance(definition, ActionDefinition) else None

    def member(self, node: ast.AST) -> members.Member | None:
        """What ``self.name`` is in the class of the workflow."""
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return None
        return members.find(self.workflow, node.attr) if node.value.id == self.own_name else None

    @property
    def own_name(self) -> str | None:
        """How the function calls its workflow: ``self``."""
        arguments = [*self.node.args.posonlyargs, *self.node.args.args]
        return arguments[0].arg if self.owner is not None and arguments else None

    def builtin(self, node: ast.AST) -> str | None:
        """Name of the builtin that a call calls, such as ``asyncio.sleep``."""
        found = self.symbol(node.func) if isinstance(node, ast.Call) else None
        return found.name if isinstance(found, Builtin) else None

    def is_framework(self, node: ast.AST, name: str) -> bool:
        """Whether a call is ``self.name(…)`` of the Workflow class."""
        if not isinstance(node, ast.Call):
            return False
        return self.member(node.func) == members.Framework(name)

    def helper(self, node: ast.AST) -> Job | None:
        """The helper coroutine of the user's that a call calls."""
        if not isinstance(node, ast.Call):
            return None
        found: object = self.symbol(node.func) or self.member(node.func)
        match found:
            case Compiled(function=function):
                owner = None
            case members.Method(function=function, owner=owner):
                pass
            case _:
                return None
        return Job(0, function, owner) if function.__code__.co_flags & _COROUTINE else None

    def makes_call(self, node: ast.AST) -> bool:
        """Whether an expression is a call that does nothing until it is awaited."""
        return (
            self.action(node) is not None
            or self.helper(node) is not None
            or self.builtin(node) in _LAZY
            or self.is_framework(node, "run_action")
        )

    def warn(self, code: str, node: ast.AST, message: str, instead: str) -> None:
        """Report a warning about a piece of this function's file."""
        self.reporter.report(code, node, self.file.text, message, instead)


def read(workflow: type, job: Job, reader: SourceReader, reporter: Reporter) -> Reading | None:
    """Read one function; None when its text is not known (the compiler says so itself)."""
    try:
        node, file = reader.member(job.function)
    except (SourceMissing, SourceChanged):
        return None
    owner = job.owner
    private = owner.__name__ if owner is not None else ""
    namespace = Namespace.of(job.function, file, private=private)
    parents = {child: parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
    return Reading(
        workflow,
        owner,
        node,
        file,
        namespace,
        Names(),
        reader,
        reporter,
        parents,
        frozenset(bindings(node)),
    )


def bindings(function: FunctionNode) -> Iterator[str]:
    """Names that a function binds, nested functions included: each as often as it is bound."""
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (
                node is not function
            ):
                yield name
            case _:
                continue
