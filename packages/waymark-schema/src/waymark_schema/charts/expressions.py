"""An expression in; the steps in it, in the order in which they run, out."""

from __future__ import annotations

import ast

from waymark_schema.charts.meanings import Callee, Meanings, SourceText
from waymark_schema.charts.nodes import Arm, Choice, Loop, Node, Place, Step, Together

LONGEST = 46
_WRAPPERS = frozenset(("wait_for", "shield"))
_STARTS = frozenset(("create_task", "ensure_future"))
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def shortened(node: ast.AST) -> str:
    """Source of a node on one line, cut where it gets long."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return f"class {node.name}" if isinstance(node, ast.ClassDef) else f"def {node.name}(…)"
    text = " ".join(ast.unparse(node).split())
    if len(text) <= LONGEST:
        return text
    if isinstance(node, ast.Call):
        called = " ".join(ast.unparse(node.func).split())
        if len(called) < LONGEST:
            return f"{called}(…)"
    return f"{text[: LONGEST - 1].rstrip()}…"


class Expressions:
    """Expressions of one function to nodes."""

    def __init__(self, text: SourceText, meanings: Meanings) -> None:
        self._text = text
        self._meanings = meanings

    def steps(self, node: ast.AST | None) -> list[Node]:
        """Every step below a node, in the order of evaluation."""
        match node:
            case None | ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found = []
            case ast.Await():
                found = self._awaited(node.value, node)
            case ast.Call() if self._called_name(node) in _STARTS:
                found = self._started(node)
            case ast.IfExp():
                found = self._conditional(node)
            case ast.BoolOp():
                found = self._circuit(node)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                found = self._comprehension(node)
            case _:
                parts = ast.iter_child_nodes(node)
                found = [step for part in parts for step in self.steps(part)]
        return found

    def _place(self, node: ast.expr) -> Place:
        return self._text.place(node)

    def _called_name(self, node: ast.Call) -> str:
        callee = self._meanings.callee(self._place(node))
        if callee is not None and callee.kind == "builtin":
            return callee.name.removeprefix("asyncio.")
        return node.func.attr if isinstance(node.func, ast.Attribute) else ""

    def _awaited(self, node: ast.expr, around: ast.expr) -> list[Node]:
        if not isinstance(node, ast.Call):
            found = self.steps(node)
            return [*found, self._step("await", shortened(node), around)]
        if self._called_name(node) == "gather":
            return [self._gather(node)]
        if self._called_name(node) in _STARTS:
            return [*self.steps(node), self._step("await", "it", around)]
        return [*self._arguments(node), self._call(node, around)]

    def _arguments(self, node: ast.Call) -> list[Node]:
        parts = [node.func, *node.args, *(keyword.value for keyword in node.keywords)]
        return [step for part in parts for step in self.steps(part)]

    def _call(self, node: ast.Call, around: ast.expr) -> Step:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "run_action" and node.args:
            detail = ", ".join(_given(node))
            inner = node.args[0]
            action = self._action(inner)
            kind = "action" if action else "await"
            return self._step(kind, shortened(inner), around, action=action, detail=detail)
        if self._called_name(node) in _WRAPPERS and node.args and self._action(node.args[0]):
            inner = node.args[0]
            detail = ", ".join([self._called_name(node), *_given(node)])
            action = self._action(inner)
            return self._step("action", shortened(inner), around, action=action, detail=detail)
        callee = self._meanings.callee(self._place(node))
        match callee:
            case Callee(kind="action", name=name):
                return self._step("action", shortened(node), around, action=name)
            case Callee(kind="helper", function=number):
                return self._step("helper", shortened(node), around, function=number)
            case Callee(kind="builtin", name="asyncio.sleep"):
                return self._step(
                    "sleep", f"sleep {shortened(node.args[0])}" if node.args else "sleep", around
                )
            case _:
                is_event = self._called_name(node) == "wait_event"
                return self._step("event" if is_event else "await", shortened(node), around)

    def _action(self, node: ast.expr) -> str:
        callee = self._meanings.callee(self._place(node))
        return callee.name if callee is not None and callee.kind == "action" else ""

    def _step(
        self,
        kind: str,
        label: str,
        around: ast.expr,
        *,
        action: str = "",
        detail: str = "",
        function: int = -1,
    ) -> Step:
        place = self._place(around)
        return Step(
            kind,
            label,
            place,
            action=action,
            detail=detail,
            function=function,
            block=self._meanings.block(place),
        )

    def _started(self, node: ast.Call) -> list[Node]:
        before = [step for part in node.args for step in self.steps(part)]
        what = node.args[0] if node.args else node
        action = self._action(what)
        return [*before, self._step("start", shortened(what), node, action=action)]

    def _gather(self, node: ast.Call) -> Together:
        arms = [self._lane(one) for one in node.args]
        keeps = [one for one in node.keywords if one.arg == "return_exceptions"]
        kept = bool(keeps) and not (
            isinstance(keeps[0].value, ast.Constant) and not keeps[0].value.value
        )
        return Together("together, errors kept" if kept else "together", arms, self._place(node))

    def _lane(self, node: ast.expr) -> Arm:
        if isinstance(node, ast.Starred) and isinstance(
            node.value, ast.ListComp | ast.GeneratorExp
        ):
            return Arm("", [self._each(node.value)])
        if isinstance(node, ast.Call):
            return Arm("", self._awaited(node, node))
        return Arm("", [self._step("await", shortened(node), node)])

    def _each(self, node: ast.ListComp | ast.GeneratorExp) -> Loop:
        body = self._awaited(node.elt, node.elt)
        return Loop(f"each, {_clauses(node)}", body, self._place(node))

    def _comprehension(self, node: Comprehension) -> list[Node]:
        first, *others = node.generators
        before = self.steps(first.iter)
        parts: list[ast.AST] = [*first.ifs]
        for one in others:
            parts += [one.iter, *one.ifs]
        parts += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        body = [step for part in parts for step in self.steps(part)]
        return [*before, Loop(_clauses(node), body, self._place(node))] if body else before

    def _conditional(self, node: ast.IfExp) -> list[Node]:
        before = self.steps(node.test)
        yes, no = self.steps(node.body), self.steps(node.orelse)
        if not yes and not no:
            return before
        label = shortened(node.test)
        arms = [Arm(f"if {label}", yes), Arm("else", no)]
        return [*before, Choice("if", label, arms, self._place(node), complete=True)]

    def _circuit(self, node: ast.BoolOp) -> list[Node]:
        found: list[Node] = []
        word, taken = ("and", "if") if isinstance(node.op, ast.And) else ("or", "if not")
        for index in range(len(node.values) - 1, 0, -1):
            inner = [*self.steps(node.values[index]), *found]
            if inner:
                before = node.values[index - 1]
                label = f"{taken} {shortened(before)}"
                found = [Choice(word, shortened(before), [Arm(label, inner)], self._place(node))]
        return [*self.steps(node.values[0]), *found]


def _given(node: ast.Call) -> list[str]:
    """Everything but the first argument, as it is written."""
    rest = [shortened(one) for one in node.args[1:]]
    return [*rest, *(f"{one.arg}={shortened(one.value)}" for one in node.keywords)]


def _clauses(node: Comprehension) -> str:
    parts = []
    for one in node.generators:
        parts.append(f"for {shortened(one.target)} in {shortened(one.iter)}")
        parts += [f"if {shortened(test)}" for test in one.ifs]
    text = " ".join(parts)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
