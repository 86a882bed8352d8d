"""A function object goes in; its syntax tree, from text proven to be what was imported, comes out."""

from __future__ import annotations
import __future__

import ast
import linecache
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from waymark.compiler.diagnostics import Text
from waymark.compiler.trees import walk

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class SourceMissing(Exception):
    """No text was found for a function."""


class SourceChanged(Exception):
    """The text that was found does not compile to the code that was imported."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One parsed file with every function of its tree, by first line and name, and every class."""

    content: str
    text: Text
    tree: ast.Module
    codes: dict[str, list[CodeType]]
    nodes: dict[tuple[int, str], FunctionNode]
    classes: dict[str, list[ast.ClassDef]]
    """Every class of its tree, by name."""
    lambdas: dict[int, list[ast.Lambda]]
    """Every lambda of its tree, by line."""


@dataclass(slots=True)
class SourceReader:
    """Reads and parses each file once, and again when its text has changed."""

    files: dict[str, SourceFile] = field(default_factory=dict)

    def function(self, function: FunctionType) -> tuple[FunctionNode, SourceFile]:
        """Return the tree of a function and its file.

        Raises:
            SourceMissing: typed into a prompt, run from a string, or imported without its text.
            SourceChanged: the file was edited after it was imported.
        """
        candidate, file = self._code(function)
        node = file.nodes.get((candidate.co_firstlineno, candidate.co_name))
        if node is None:
            msg = f"{candidate.co_qualname!r} is a lambda; expected a function written with `def`"
            raise SourceMissing(msg)
        return node, file

    def member(self, function: FunctionType) -> tuple[FunctionNode, SourceFile]:
        """Do as ``function`` does; a lambda comes as the ``def`` that does the same."""
        candidate, file = self._code(function)
        if candidate.co_name != "<lambda>":
            return self.function(function)
        found = file.lambdas.get(candidate.co_firstlineno, [])
        alike = found if len(found) == 1 else [one for one in found if _makes(one, candidate)]
        return _as_definition(alike[0]) if alike else self.function(function)[0], file

    def _code(self, function: FunctionType) -> tuple[CodeType, SourceFile]:
        code = function.__code__
        file = self._file(code, function.__globals__)
        loose = "@pytest_ar" in function.__globals__
        for candidate in file.codes.get(code.co_qualname, ()):
            if same_code(candidate, code, loose=loose):
                return candidate, file
        msg = f"{code.co_qualname!r} in {code.co_filename!r} is not what was imported"
        raise SourceChanged(msg)

    def module(self, module: ModuleType) -> SourceFile:
        """Return the parsed file of a module.

        Raises:
            SourceMissing: a builtin or extension module, or one without its text.
        """
        filename = getattr(module, "__file__", None) or ""
        lines = _lines(filename, vars(module)) if filename.endswith(".py") else []
        if not lines:
            msg = f"module {module.__name__!r} has no source"
            raise SourceMissing(msg)
        return self._parsed(filename, lines)

    def _file(self, code: CodeType, names: dict[str, Any]) -> SourceFile:
        filename = code.co_filename
        if filename.startswith("<") and not filename.startswith("<ipython"):
            msg = f"{code.co_qualname!r} was typed into a prompt or run from a string"
            raise SourceMissing(msg)
        lines = _lines(filename, names)
        if not lines:
            msg = f"no text of {filename!r} was found (only its bytecode?)"
            raise SourceMissing(msg)
        return self._parsed(filename, lines)

    def _parsed(self, filename: str, lines: list[str]) -> SourceFile:
        content = "".join(lines)
        found = self.files.get(filename)
        if found is None or found.content != content:
            found = self.files[filename] = parse(filename, content)
        return found


_SHARED: ContextVar[SourceReader | None] = ContextVar("shared source reader", default=None)


@contextmanager
def shared_sources() -> Iterator[None]:
    """Parse each file once for all workflows that are compiled inside, not once for each of them."""
    token = _SHARED.set(SourceReader())
    try:
        yield
    finally:
        _SHARED.reset(token)


def current_reader() -> SourceReader:
    """The reader of the enclosing ``shared_sources``, else a new one."""
    return _SHARED.get() or SourceReader()


def _lines(filename: str, names: dict[str, Any]) -> list[str]:
    """Text of a file as it is now, or as the loader of its module has it."""
    linecache.checkcache(filename)
    return linecache.getlines(filename, names)


def parse(filename: str, text: str) -> SourceFile:
    """Parse and compile one file.

    Raises:
        SourceChanged: the text is no longer valid Python.
    """
    content, text = text, text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they were shown when the module was imported
            tree = ast.parse(text, filename)
            module = compile(text, filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        msg = f"{filename!r} no longer compiles: {error}"
        raise SourceChanged(msg) from error
    codes: dict[str, list[CodeType]] = {}
    _collect_codes(module, codes)
    nodes: dict[tuple[int, str], FunctionNode] = {}
    classes: dict[str, list[ast.ClassDef]] = {}
    lambdas: dict[int, list[ast.Lambda]] = {}
    for node in walk(tree):
        if isinstance(node, ast.Lambda):
            lambdas.setdefault(node.lineno, []).append(node)
        elif isinstance(node, ast.ClassDef):
            classes.setdefault(node.name, []).append(node)
        elif isinstance(node, FunctionNode):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            nodes[first, node.name] = node
    lines = tuple(text.split("\n"))
    return SourceFile(content, Text(filename, lines), tree, codes, nodes, classes, lambdas)


def _makes(node: ast.Lambda, code: CodeType) -> bool:
    """Whether a lambda that is not the only one in its line is where a code object comes from."""
    flags = code.co_flags & __future__.annotations.compiler_flag
    made = compile(ast.Expression(node), "", "eval", flags=flags, dont_inherit=True)
    return any(isinstance(one, CodeType) and same_code(one, code) for one in made.co_consts)


def _as_definition(node: ast.Lambda) -> ast.FunctionDef:
    result = ast.copy_location(ast.Return(node.body), node.body)
    made = ast.FunctionDef(name="<lambda>", args=node.args, body=[result], decorator_list=[])
    return ast.copy_location(made, node)


def _collect_codes(code: CodeType, found: dict[str, list[CodeType]]) -> None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found.setdefault(constant.co_qualname, []).append(constant)
            _collect_codes(constant, found)


def same_code(one: CodeType, other: CodeType, *, loose: bool = False) -> bool:
    """Whether two code objects do the same, line numbers and file names left aside.

    ``loose`` is for modules whose asserts pytest has rewritten: their signatures are compared.
    """
    signature = ("co_argcount", "co_kwonlyargcount", "co_posonlyargcount", "co_flags", "co_name")
    if any(getattr(one, name) != getattr(other, name) for name in signature):
        return False
    arguments = one.co_argcount + one.co_kwonlyargcount
    if loose:
        return one.co_varnames[:arguments] == other.co_varnames[:arguments]
    names = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars")
    if any(getattr(one, name) != getattr(other, name) for name in names):
        return False
    if len(one.co_consts) != len(other.co_consts):
        return False
    return all(map(_same_constant, one.co_consts, other.co_consts))


def _same_constant(one: object, other: object) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return same_code(one, other)
    return type(one) is type(other) and repr_of(one) == repr_of(other)


def repr_of(value: object) -> object:
    """Compare sets by content, everything else by text: ``-0.0`` and nan included."""
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return repr(value)
