"""All language cases go in; how often each construct stands in each position, and each name is used, comes out.

``python -m tests.support.coverage_table`` prints it, empty cells last, and fails if there are any.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.language import cases, ending
from tests.language.discovery import modules, workflows
from waymark.compiler import subset
from waymark.compiler.pipeline import compile_workflow
from waymark.compiler.prelude.names import PRELUDE
from waymark_schema.ir import instructions as ins
from waymark_schema.ir import language, library
from waymark_schema.ir.program import BuiltinConstant

BLOCKS = ("body", "branch", "loop", "try", "handler", "finally", "with", "nested")
"""Where a statement stands: what the nearest block around it belongs to; ``nested``: inside a nested function."""
PLACES = (
    "alone",
    "comprehension",
    "argument",
    "operand",
    "awaited",
    "condition",
    "display",
    "part",
)
"""What an expression is part of: a statement, a comprehension, a call's arguments, an operation, what is awaited,
a condition, a display or f-string, or the object of an attribute or a subscript."""

_PATTERNS = {
    kind.__name__ for kind in (*ast.pattern.__subclasses__(), ast.match_case, ast.withitem)
}
_PARTS = {
    "keyword",
    "FormattedValue",
    "comprehension",
    "ExceptHandler",
    "arguments",
    "arg",
    "Slice",
    "Starred",
}
_ONLY_IN_LOOPS = {"Break", "Continue"}
_OPERATORS = [
    kind.__name__
    for family in (ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
    for kind in family.__subclasses__()
]
IMPOSSIBLE: dict[tuple[str, str], str] = {
    **{(name, "body"): "only inside a loop" for name in _ONLY_IN_LOOPS},
    ("Yield", "comprehension"): "not allowed by CPython",
    ("YieldFrom", "comprehension"): "not allowed by CPython",
    ("Yield", "awaited"): "a generator awaits only what it is given; async generators stand elsewhere",
    ("YieldFrom", "awaited"): "not allowed in an asynchronous function",
    ("Nonlocal", "body"): "first statement of a nested function: counted as nested",
}  # fmt: skip
for _name in ("branch", "loop", "try", "handler", "finally", "with", "body"):
    IMPOSSIBLE["Nonlocal", _name] = "stands at the top of a nested function"


@dataclass(slots=True)
class Table:
    """Counts by (node, position), of nodes at all, and of the names of the language."""

    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    nodes: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)

    def empty_cells(self) -> list[tuple[str, str]]:
        """Positions that are possible and that no case has."""
        wanted = [(name, place) for name in statements() for place in BLOCKS]
        wanted += [(name, place) for name in expressions() for place in (*BLOCKS, *PLACES)]
        return [cell for cell in wanted if not self.cells[cell] and cell not in IMPOSSIBLE]

    def missing_nodes(self) -> list[str]:
        """Accepted node types that no case has at all."""
        accepted = {kind.__name__ for kind in subset.ACCEPTED} | set(_OPERATORS)
        return sorted(accepted - set(self.nodes))

    def unused_names(self) -> list[str]:
        """Names of the language that no case uses."""
        return [name for name in wanted_names() if not self.names[name]]


def statements() -> list[str]:
    """Accepted statements."""
    return sorted(kind.__name__ for kind in subset.ACCEPTED if issubclass(kind, ast.stmt))


def expressions() -> list[str]:
    """Accepted expressions."""
    found = {kind.__name__ for kind in subset.ACCEPTED if issubclass(kind, ast.expr)}
    return sorted(found - _PARTS)


@cache
def wanted_names() -> tuple[str, ...]:
    """Each function and method of a type by its qualified name, each other method and attribute with a dot in front."""
    tables = (language.METHODS, language.RECORD_METHODS, language.ATTRIBUTES)
    members = {f".{name}" for table in tables for names in table.values() for name in names}
    there = {*language.BUILTINS, *library.COMPILED} - _NEWER - _ALIASES - _WRITTEN_OUT
    for kind, names in language.CLASS_METHODS.items():
        # Models and named tuples are classes of the program's own.
        if kind in language.BUILTINS:
            there |= {f"{kind}.{name}" for name in names}
        else:
            members |= {f".{name}" for name in names}
    members -= {".with_segments"}  # Python 3.12 has it, for subclasses of paths only
    if sys.version_info < (3, 12):
        members -= {".binomialvariate"}
    return tuple(sorted(there) + sorted(members))


_ALIASES = {
    "asyncio.TimeoutError",
    "bisect.bisect_right",
    "bisect.insort_right",
    "logging.fatal",
    "logging.warn",
    "waymark.BackoffPolicy",
}
"""Other names of what a program holds under its first one."""
_WRITTEN_OUT = {"operator.attrgetter", "operator.methodcaller"}
"""What is a lambda in a program."""
_NEWER = {
    name
    for name, since in {"itertools.batched": (3, 12), "math.sumprod": (3, 12), "math.fma": (3, 13), "random.binomialvariate": (3, 12)}.items()
    if sys.version_info < since
}  # fmt: skip
"""Names that this Python does not have."""


def counted() -> Table:
    """Count over every module of cases."""
    table = Table()
    for module in (*modules(cases), *modules(ending)):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        for node in tree.body:
            _visit(node, "body", "alone", nested=False, table=table, inside=False)
        for workflow in workflows(module):
            _use(workflow, table)
    return table


def _use(workflow: Any, table: Table) -> None:
    """Count the names that a compiled program holds."""
    program = compile_workflow(workflow).program
    table.names.update(each.name for each in program.constants if isinstance(each, BuiltinConstant))
    for function in program.functions:
        table.names[_OF_PRELUDE.get((function.name, function.qualname), "")] += 1
        held = {slot: program.constants[number] for slot, number in function.constants}
        for block in function.blocks:
            for node in (*block.instructions, block.terminator):
                if isinstance(node, ins.CallMethod | ins.LoadMethod | ins.GetAttr | ins.Access):
                    table.names[f".{node.name}"] += 1
                    owner = held.get(node.obj)
                    if isinstance(owner, BuiltinConstant):
                        table.names[f"{owner.name}.{node.name}"] += 1
                if isinstance(node, ins.Local):
                    table.names[node.kind] += 1


_OF_PRELUDE = {
    (each.__name__, each.__qualname__): name
    for name, each in PRELUDE.items()
    if name not in _ALIASES
}
"""What a function of the prelude stands for, by the names that it has in a program."""
_Child = tuple[ast.AST, str, str]


def _visit(
    node: ast.AST, block: str, place: str, *, nested: bool, table: Table, inside: bool
) -> None:
    """Count a node and what is in it; ``inside`` a function, the rest of a module is not the language."""
    name = type(node).__name__
    function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    if inside:
        table.nodes[name] += 1
        if isinstance(node, ast.stmt | ast.expr):
            table.cells[name, block] += 1
            if nested:
                table.cells[name, "nested"] += 1
        if isinstance(node, ast.expr):
            table.cells[name, place] += 1
    deeper = nested or (function and inside)
    for child, child_block, child_place in _children(node, block, place):
        _visit(
            child,
            child_block,
            child_place,
            nested=deeper,
            table=table,
            inside=inside or function,
        )


def _children(node: ast.AST, block: str, place: str) -> Iterator[_Child]:
    blocks = _blocks(node)
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child, blocks.get(name, block), _place(node, name, place)


def _blocks(node: ast.AST) -> dict[str, str]:  # noqa: PLR0911 - one line per family
    """Which list of statements of a node is what kind of block."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return {"body": "body"}
        case ast.If() | ast.match_case():
            return {"body": "branch", "orelse": "branch"}
        case ast.For() | ast.AsyncFor() | ast.While():
            return {"body": "loop", "orelse": "branch"}
        case ast.Try() | ast.TryStar():
            return {"body": "try", "orelse": "try", "finalbody": "finally"}
        case ast.ExceptHandler():
            return {"body": "handler"}
        case ast.With() | ast.AsyncWith():
            return {"body": "with"}
        case _:
            return {}


def _place(node: ast.AST, name: str, place: str) -> str:  # noqa: C901, PLR0911, PLR0912 - one line per family
    match node:
        case ast.stmt() | ast.match_case() | ast.withitem() | ast.ExceptHandler():
            tests = {"test", "guard"}
            return "condition" if name in tests else "alone"
        case ast.comprehension() if name == "ifs":
            return "condition"
        case (
            ast.comprehension()
            | ast.ListComp()
            | ast.SetComp()
            | ast.DictComp()
            | ast.GeneratorExp()
        ):
            return "comprehension"
        case ast.Call():
            return "part" if name == "func" else "argument"
        case ast.Await():
            return "awaited"
        case ast.IfExp() if name == "test":
            return "condition"
        case ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.Compare() | ast.IfExp():
            return "operand"
        case (
            ast.List()
            | ast.Tuple()
            | ast.Set()
            | ast.Dict()
            | ast.JoinedStr()
            | ast.FormattedValue()
        ):
            return "display"
        case ast.Attribute() | ast.Subscript():
            return "part"
        case ast.Lambda():
            return "alone"
        case _:
            return place


def shown(table: Table) -> str:
    """The tables as text."""
    lines = [f"{'':16}" + "".join(f"{name:>14}" for name in (*BLOCKS, *PLACES))]
    for name in (*statements(), *expressions()):
        columns = (*BLOCKS, *PLACES) if name in expressions() else BLOCKS
        lines.append(f"{name:16}" + "".join(f"{_cell(table, name, each):>14}" for each in columns))
    rest = sorted(set(table.nodes) - set(statements()) - set(expressions()))
    lines += ["", "others: " + ", ".join(f"{name} {table.nodes[name]}" for name in rest)]
    wanted = wanted_names()
    used = sum(1 for name in wanted if table.names[name])
    lines += [
        f"names of the language: {used} of {len(wanted)} used",
        f"empty cells: {table.empty_cells()}",
        f"missing nodes: {table.missing_nodes()}",
        f"unused names: {table.unused_names()}",
    ]
    return "\n".join(lines)


def _cell(table: Table, name: str, place: str) -> str:
    return "-" if (name, place) in IMPOSSIBLE else str(table.cells[name, place])


def main() -> int:
    """Print the table; 1 if it has an empty cell."""
    table = counted()
    sys.stdout.write(shown(table) + "\n")
    return int(bool(table.empty_cells() or table.missing_nodes() or table.unused_names()))


if __name__ == "__main__":
    sys.exit(main())
