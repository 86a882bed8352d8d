"""A class and a name go in; what its body binds the name to comes out, with names of the body put in place."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from types import ModuleType

from waymark.compiler.bindings import bindings_in
from waymark.compiler.source import SourceChanged, SourceFile, SourceMissing, SourceReader


class ClassBodies:
    """Reads the bodies of classes; each module's source is read once."""

    def __init__(self, reader: SourceReader) -> None:
        self._reader = reader

    def in_class_body(self, cls: type, name: str, module: ModuleType) -> bool:
        """Whether the body of a class says what ``name`` is, as far as its source is known."""
        try:
            return bool(self.bound_in_class(cls, name, module)[0])
        except (SourceMissing, SourceChanged):
            return True

    def bound_in_class(
        self, cls: type, name: str, module: ModuleType
    ) -> tuple[list[ast.expr | None], SourceFile]:
        """What binds ``name`` in the body of a class, and the file; raises ``SourceMissing`` or ``SourceChanged``."""
        file = self._reader.module(module)
        nodes = file.classes.get(cls.__name__, ())
        mangler = f"_{cls.__name__.lstrip('_')}"
        written = name.removeprefix(mangler) if name.startswith(f"{mangler}__") else name
        return [value for node in nodes for value in _bound(node, written)], file

    def spelled_out(self, cls: type, value: ast.expr, module: ModuleType) -> ast.expr:
        """An expression of a class body with what the names mean that the body has bound before it."""

        def meant(name: ast.Name) -> ast.expr | None:
            match self.bound_in_class(cls, name.id, module)[0]:
                case [ast.expr() as bound] if _place(bound) < _place(value):
                    return self.spelled_out(cls, bound, module)
                case _:
                    return None

        return _Names(meant).visit(copy.deepcopy(value))  # type: ignore[no-any-return] # it puts expressions in place of names


def names_around(cls: type, module: ModuleType) -> dict[str, object]:
    """Names of a module, and over them those of the classes that stand in the body of a class."""
    inner = {
        name: value
        for name, value in vars(cls).items()
        if isinstance(value, type) and value.__qualname__ == f"{cls.__qualname__}.{name}"
    }
    return {**vars(module), **inner} if inner else vars(module)


class _Names(ast.NodeTransformer):
    """Puts what names mean in their place; in lambdas and comprehensions, names of a class body are not seen."""

    def __init__(self, meant: Callable[[ast.Name], ast.expr | None]) -> None:
        self._meant = meant

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return (self._meant(node) if isinstance(node.ctx, ast.Load) else None) or node

    def visit_Lambda(self, node: ast.Lambda) -> ast.expr:
        node.args.defaults = [self.visit(each) for each in node.args.defaults]
        node.args.kw_defaults = [each and self.visit(each) for each in node.args.kw_defaults]
        return node

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> ast.expr:
        node.generators[0].iter = self.visit(node.generators[0].iter)
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815 - names of ast


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _bound(node: ast.ClassDef, name: str) -> Iterator[ast.expr | None]:
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=found), value=value) if found == name:
                if value is not None:
                    yield value
            case _:
                yield from (None for _ in bindings_in(statement, name))
