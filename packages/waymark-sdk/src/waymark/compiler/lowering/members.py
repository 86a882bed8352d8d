"""``self.name`` and ``super().name`` of a workflow, read or called: nodes in, instructions out."""

from __future__ import annotations

import ast
import dataclasses
import sys
from types import ModuleType

from waymark.compiler import members
from waymark.compiler.context import Assign, Context, Execute, Lower
from waymark.compiler.diagnostics import Unsupported
from waymark.compiler.durable import holds_names, is_immutable, without_advice
from waymark.compiler.exception_texts import text_of_arguments
from waymark.compiler.inits import is_generated
from waymark.compiler.invoke import call
from waymark.compiler.language import PRINT, instead_of_capturing
from waymark.compiler.made import why_not
from waymark.compiler.members import Attribute, Framework, Member, Method, Property, Strange
from waymark.compiler.recipes import is_object
from waymark.compiler.symbols import Action, Builtin, Compiled, WorkflowClass
from waymark.compiler.synthetic import BOUND, forwarder
from waymark_schema.failures import SerializationError
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.language import BUILTINS


def read(ctx: Context, node: ast.expr, into: int | None) -> int:
    """``self.name`` as a value."""
    assert isinstance(node, ast.Attribute)
    name = ctx.namespace.mangled(node.attr)
    found = members.find(ctx.tables.workflow, name)
    match found:
        case None:
            return _attribute(ctx, name, into)
        case Attribute(value=value) if hasattr(value, "__waymark_action__"):
            return ctx.builder.constant(ctx.tables.action_value(value.__waymark_action__))
        case Attribute():
            _capture(ctx, node, found, name)
            return _attribute(ctx, name, into)
        case Property(cached=True):
            raise _refused(ctx, node, Strange("a cached_property of the workflow itself"))
        case Property(function=function, owner=owner):
            number = ctx.tables.function(function, owner)
            return _call_with_self(ctx, number, into)
        case Method():
            return _bound(ctx, found, into)
        case Framework() | Strange():
            raise _refused(ctx, node, found)


def _attribute(ctx: Context, name: str, into: int | None) -> int:
    mark = ctx.builder.mark()
    slot = _self(ctx)
    ctx.builder.release(mark)
    target = ctx.target(into)
    ctx.builder.emit(ins.GetAttr(target, slot, name))
    return target


def _self(ctx: Context) -> int:
    assert ctx.self_variable is not None
    return ctx.load(ctx.self_variable)


def _call_with_self(ctx: Context, number: int, into: int | None) -> int:
    builder = ctx.builder
    mark = builder.mark()
    slot = _self(ctx)
    builder.release(mark)
    target = ctx.target(into)
    label = builder.label()
    callee = builder.constant(ctx.tables.function_value(number))
    builder.terminate(ins.Call(target, callee, [slot], [], [], -1, -1, label))
    builder.place(label)
    return target


def _capture(ctx: Context, node: ast.Attribute, found: Attribute, name: str) -> None:
    """Put a class attribute into the program."""
    tables = ctx.tables
    if name in tables.attributes:
        return
    module = sys.modules.get(found.owner.__module__)
    why: str | None = "its module is not loaded"
    if name == "name":
        why = None
    elif module is not None:
        why = tables.captures.class_attribute(found.owner, name, module)
    if why is None:
        why = _kept(ctx, found, name, module)
    if why is not None:
        ctx.reject(
            "WM126",
            node,
            f"class attribute `{name}` cannot be captured: {why}",
            instead_of_capturing(
                found.value, "set it on the instance before run() is called, or pass it as an input"
            ),
        )


def _kept(ctx: Context, found: Attribute, name: str, module: ModuleType | None) -> str | None:
    """Let the program hold an attribute, or make it; or say why neither can be."""
    tables = ctx.tables
    recipe = tables.captures.class_recipe(found.owner, name, module) if module else None
    if recipe is not None and is_object(found.value):
        tables.captured[recipe.key] = found.value, recipe
        if recipe in tables.assumed.recipes and why_not(ctx, recipe) is None:
            return None
    try:
        tables.attributes[name] = tables.writer.encode(found.value, path=f"self.{name}")
    except SerializationError as error:
        problem = None if recipe is None else why_not(ctx, recipe)
        if recipe is not None and problem is None:
            return None
        if problem is not None and holds_names(found.value):
            return problem.message
        return without_advice(error, found.value)
    return None


def _refused(ctx: Context, node: ast.Attribute, found: Framework | Strange) -> Unsupported:
    if isinstance(found, Framework):
        return ctx.rejected(
            "WM128",
            node,
            f"`{ast.unparse(node)}` is not available inside a workflow yet",
            (
                PRINT
                if found.name == "log"
                else "use actions, asyncio.sleep, asyncio.gather and self.run_action(…)"
            ),
        )
    name = ctx.namespace.mangled(node.attr)
    if members.class_in(ctx.tables.workflow, name) is not None:
        owner = ctx.tables.workflow.__qualname__
        what = f"`{ast.unparse(node)}` is a class"
        return ctx.rejected("WM133", node, what, f"read it as `{owner}.{node.attr}`")
    return ctx.rejected(
        "WM133",
        node,
        f"`{ast.unparse(node)}` is {found.what}, which cannot be compiled in",
        "make it a plain method",
    )


def _bound(ctx: Context, found: Method, into: int | None) -> int:
    """``self.method`` as a value: a function that passes everything on, the workflow first."""
    tables, builder = ctx.tables, ctx.builder
    number = tables.function(found.function, found.owner)
    if found.kind == "static":
        return builder.constant(tables.function_value(number))
    function = forwarder(
        tables,
        number,
        name=found.function.__name__,
        qualname=found.function.__qualname__.rpartition("<locals>.")[2],
        span=builder.span,
        filename=ctx.text.filename,
    )
    mark = builder.mark()
    slot = _self(ctx)
    builder.release(mark)
    target = ctx.target(into)
    builder.emit(ins.MakeFunction(target, function, [], [BOUND], [slot], []))
    return target


def member_call(ctx: Context, node: ast.Call, into: int | None) -> int | None:
    """``self.name(…)`` or ``super().name(…)``; None for any other call."""
    func = node.func
    if isinstance(func, ast.Name) and func.id == "super" and ctx.scope.find("super") is None:
        ctx.reject(
            "WM112",
            node,
            "`super()` can only be used to call a method",
            "write `super().method(…)`",
        )
    if not isinstance(func, ast.Attribute):
        return None
    if ctx.is_self(func.value):
        if func.attr == "run_action":
            return _run_action(ctx, node, into)
        found = members.find(ctx.tables.workflow, ctx.namespace.mangled(func.attr))
        return _called(ctx, node, func, found, into)
    if _is_super(ctx, func.value):
        return _super(ctx, node, func, into)
    base = ctx.symbol(func.value)
    if isinstance(base, WorkflowClass):
        found = members.find(base.cls, ctx.namespace.mangled(func.attr))
        if isinstance(found, Method) and found.kind != "method":
            return _called(ctx, node, func, found, into)
    return None


def _called(
    ctx: Context, node: ast.Call, func: ast.Attribute, found: Member | None, into: int | None
) -> int | None:
    match found:
        case Method(function=function, owner=owner, kind=kind):
            number = ctx.tables.function(function, owner)
            _check_entry(ctx, func, number)
            mark = ctx.builder.mark()
            first = _receiver(ctx, kind)
            callee = ctx.builder.constant(ctx.tables.function_value(number))
            return call(
                ctx, callee, node, into, pure=is_coroutine(function), first=first, mark=mark
            )
        case Framework() | Strange():
            raise _refused(ctx, func, found)
        case _:
            return None


def _receiver(ctx: Context, kind: str) -> tuple[int, ...]:
    """What is passed first; the class of a class method is known here and needs no value."""
    match kind:
        case "static":
            return ()
        case "class":
            return (ctx.none(),)
        case _:
            return (_self(ctx),)


def _check_entry(ctx: Context, func: ast.Attribute, number: int) -> None:
    if number == 0 and ctx.tables.entry_defaults_left_out:
        ctx.reject(
            "WM127",
            func,
            "`run` has a default that is not a constant and cannot be called from the workflow itself",
            "use None as the default and make the value in the body",
        )


def is_coroutine(function: object) -> bool:
    """Whether calling a function only makes a coroutine or generator, without running anything."""
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & (0x80 | 0x20 | 0x200))


def _is_super(ctx: Context, node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="super")) if ctx.scope.find("super") is None:
            return True
    return False


def _super(ctx: Context, node: ast.Call, func: ast.Attribute, into: int | None) -> int | None:
    assert isinstance(func.value, ast.Call)
    if ctx.scope.frame.parent is not None:
        ctx.reject(
            "WM112",
            func,
            "`super()` inside a nested function means that function's first argument",
            "call `super()` in the method itself and keep the result",
        )
    if func.value.args or func.value.keywords or ctx.owner is None:
        ctx.reject(
            "WM112",
            func.value,
            "`super` takes no arguments in a workflow",
            "write `super().method(…)`",
        )
    if ctx.self_variable is not None or ctx.class_variable is not None:
        name = ctx.namespace.mangled(func.attr)
        found = members.find(ctx.tables.workflow, name, after=ctx.owner)
        slot = _called(ctx, node, func, found, into)
        if slot is not None:
            return slot
        ctx.reject("WM112", func, f"no base class has a method `{func.attr}`", "check the name")
    return _super_of_value(ctx, node, func, into)


def _super_of_value(
    ctx: Context, node: ast.Call, func: ast.Attribute, into: int | None
) -> int | None:
    """``super()`` in a method of a model, dataclass or exception: the base is known if there is one only."""
    owner = ctx.owner
    assert owner is not None
    receiver = next(iter(ctx.scope.frame.variables.values()), None)
    if (
        len(owner.__bases__) != 1
        or receiver is None
        or ctx.scope.frame.node.__class__ is ast.Lambda
    ):
        ctx.reject(
            "WM112", func, "`super()` needs a class with one base class here", "name the base class"
        )
    found = members.find(owner, func.attr, after=owner)
    if func.attr == "__setattr__" and found is None and dataclasses.is_dataclass(owner):
        mark = ctx.builder.mark()
        first = (ctx.load(receiver),)
        put = ctx.builtin("object.__setattr__")
        return call(ctx, put, node, into, pure=True, first=first, mark=mark)
    if isinstance(found, Method) and found.kind == "method":
        if is_generated(found.function) and hasattr(found.owner, "__post_init__"):
            ctx.reject(
                "WM112",
                func,
                f"`super().__init__` calls a `__post_init__` of `{found.owner.__qualname__}` or of another class",
                "let @dataclass make the `__init__`",
            )
        why = ctx.tables.why_excluded(found.owner, found.function)
        if why is not None:
            ctx.reject("WM123", func, why, "call a method that can be compiled in")
        number = ctx.tables.function(found.function, found.owner)
        mark = ctx.builder.mark()
        first = (ctx.load(receiver),)
        callee = ctx.builder.constant(ctx.tables.function_value(number))
        pure = is_coroutine(found.function)
        return call(ctx, callee, node, into, pure=pure, first=first, mark=mark)
    if func.attr == "__init__" and found is None and _plain_exception(owner):
        return _exception_arguments(ctx, node, ctx.load(receiver))
    if func.attr == "__str__" and found is None and _says_its_arguments(owner) and not node.args:
        of_key = issubclass(owner, KeyError)
        return text_of_arguments(ctx, ctx.load(receiver), into, of_key=of_key)
    raise ctx.rejected(
        "WM112",
        func,
        f"`super().{func.attr}` is not supported here",
        "call a plain method of your own",
    )


_ODD = (
    OSError,
    StopIteration,
    StopAsyncIteration,
    SystemExit,
    ImportError,
    SyntaxError,
    UnicodeError,
)


def _plain_exception(owner: type) -> bool:
    return (
        issubclass(owner, BaseException)
        and not issubclass(owner, (*_ODD, BaseExceptionGroup))
        and all(base.__module__ == "builtins" or not _own_init(base) for base in owner.__mro__[1:])
    )


def _says_its_arguments(owner: type) -> bool:
    """Whether the builtin base of an exception says nothing but its arguments."""
    return issubclass(owner, BaseException) and not issubclass(owner, (*_ODD, BaseExceptionGroup))


def _own_init(cls: type) -> bool:
    return "__init__" in vars(cls) or "__new__" in vars(cls)


def _exception_arguments(ctx: Context, node: ast.Call, receiver: int) -> int:
    """``super().__init__(a, b)`` of a builtin exception: ``self.args = (a, b)``."""
    if node.keywords or any(isinstance(one, ast.Starred) for one in node.args):
        ctx.reject(
            "WM112",
            node,
            "`super().__init__` of an exception is called with keywords or stars",
            "pass plain positional arguments",
        )
    mark = ctx.builder.mark()
    slots = ctx.operands(node.args)
    value = ctx.builder.temporary()
    ctx.builder.emit(ins.Build("tuple", value, slots))
    ctx.builder.emit(ins.SetAttr(receiver, "args", value))
    ctx.builder.release(mark)
    return ctx.none()


def _run_action(ctx: Context, node: ast.Call, into: int | None) -> int:
    """``self.run_action(call, retry=…, timeout=…, backoff=…)``."""
    names = [keyword.arg for keyword in node.keywords]
    wrong = [name for name in names if name not in {"retry", "timeout", "backoff"}]
    if len(node.args) != 1 or wrong or isinstance(node.args[0], ast.Starred):
        ctx.reject(
            "WM140",
            node,
            "`self.run_action` takes one call and the keywords retry, timeout and backoff",
            "write `await self.run_action(act(x), retry=…, timeout=…)`",
        )
    _check_call(ctx, node.args[0])
    mark = ctx.builder.mark()
    slots = ctx.operands([node.args[0], *(keyword.value for keyword in node.keywords)])
    given = dict(zip(names, slots[1:], strict=True))
    ctx.builder.release(mark)
    target = ctx.target(into)
    policy = (given.get("retry", -1), given.get("timeout", -1), given.get("backoff", -1))
    ctx.builder.emit(ins.WithPolicy(target, slots[0], *policy))
    return target


def _check_call(ctx: Context, given: ast.expr) -> None:
    """Refuse what is surely not the call of an action."""
    found: object = None
    if isinstance(given, ast.Call):
        found = _callee(ctx, given.func)
    what, instead = None, ""
    if isinstance(found, Compiled | Method) and _is_async(found.function):
        what = f"`{ast.unparse(given)}` is the call of a helper"
        instead = (
            "await the helper by itself, and put `self.run_action(…)` around the actions in it"
        )
    elif isinstance(found, Builtin) and BUILTINS[found.name].awaitable:
        what = f"`{ast.unparse(given)}` is no call of an action"
        instead = "await it by itself"
    elif isinstance(ctx.symbol(given), Action):
        what = f"`{ast.unparse(given)}` is an action that is not called"
        instead = f"call it: `self.run_action({ast.unparse(given)}(…))`"
    elif isinstance(given, _NO_CALLS):
        what = f"`{ast.unparse(given)}` is no call of an action"
        instead = "write `await self.run_action(act(x), retry=…, timeout=…)`"
    if what is not None:
        ctx.reject("WM140", given, what, instead)


_NO_CALLS = (
    ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp, ast.Lambda, ast.BinOp, ast.UnaryOp, ast.Compare,
)  # fmt: skip


def _callee(ctx: Context, func: ast.expr) -> object:
    if isinstance(func, ast.Attribute) and ctx.is_self(func.value):
        return members.find(ctx.tables.workflow, ctx.namespace.mangled(func.attr))
    return ctx.symbol(func)


def _is_async(function: object) -> bool:
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & 0x80)


def class_attribute(ctx: Context, node: ast.Attribute, cls: type) -> int:
    """``Workflow.NAME`` of an immutable class attribute, or a static method."""
    found = members.find(cls, ctx.namespace.mangled(node.attr))
    match found:
        case Method(kind="static", function=function, owner=owner):
            number = ctx.tables.function(function, owner)
            return ctx.builder.constant(ctx.tables.function_value(number))
        case Attribute(value=value) if hasattr(value, "__waymark_action__"):
            return ctx.builder.constant(ctx.tables.action_value(value.__waymark_action__))
        case Attribute(value=value, owner=owner) if is_immutable(value):
            module = sys.modules.get(owner.__module__)
            if module and ctx.tables.captures.class_attribute(owner, node.attr, module) is None:
                return ctx.constant(value, node)
    raise ctx.rejected(
        "WM126",
        node,
        f"`{ast.unparse(node)}` cannot be captured",
        f"read it as `self.{node.attr}`, or pass it as an input of run()",
    )


EXPRESSIONS: dict[type[ast.AST], Lower] = {}
STATEMENTS: dict[type[ast.AST], Execute] = {}
TARGETS: dict[type[ast.AST], Assign] = {}
