"""A method that is used as a value goes in; the number of a function, written here, that calls it comes out."""

from __future__ import annotations

from types import FunctionType

from waymark.compiler.builder import Builder
from waymark.compiler.layout import lay_out
from waymark.compiler.managed import Managed
from waymark.compiler.tables import FinishedFunction, Tables
from waymark_schema.ir import instructions as ins
from waymark_schema.ir.instructions import NONE
from waymark_schema.ir.program import Function, Parameter, Span

BOUND = ".self"
"""Name of the parameter that holds the receiver: no source can spell it."""


def forwarder(
    tables: Tables, target: int, *, name: str, qualname: str, span: Span, filename: str
) -> int:
    """Function that passes everything on to function ``target``, with a receiver before it.

    The receiver is its keyword-only parameter ``BOUND``, filled when the value is made.
    """
    builder = Builder(names=["args", BOUND, "kwargs"])
    builder.span = span
    arguments = builder.temporary()
    callee = builder.constant(tables.function_value(target))
    builder.emit(ins.Build("list", arguments, [1]))
    builder.emit(ins.Extend(arguments, 0, "call"))
    label = builder.label()
    builder.terminate(ins.Call(arguments, callee, [], [], [], arguments, 2, label))
    builder.place(label)
    builder.terminate(ins.Return(arguments))
    parameters = [
        Parameter("args", "var_positional"),
        Parameter(BOUND, "keyword_only"),
        Parameter("kwargs", "var_keyword"),
    ]
    return _finish(tables, builder, parameters, name=name, qualname=qualname, filename=filename)


def unbound_method(tables: Tables, owner: str, method: str, *, span: Span, filename: str) -> int:
    """Function that does what ``str.lower`` and its like do when they are called."""
    builder = Builder(names=[BOUND, "args", "kwargs"])
    builder.span = span
    matches, result = builder.temporary(), builder.temporary()
    fits, wrong = builder.label(), builder.label()
    builder.emit(
        ins.CallPure(
            matches,
            builder.constant(tables.builtin("isinstance")),
            [0, builder.constant(tables.builtin(owner))],
        )
    )
    builder.terminate(ins.Branch(matches, fits, wrong))
    builder.place(fits)
    builder.emit(ins.LoadMethod(matches, 0, method))
    builder.emit(ins.Build("list", result, []))
    builder.emit(ins.Extend(result, 1, "call"))
    builder.emit(ins.CallPure(result, matches, [], [], [], result, 2))
    builder.terminate(ins.Return(result))
    builder.place(wrong)
    own = owner.rpartition(".")[2]
    before = f"descriptor '{method}' for '{own}' objects doesn't apply to a '"
    builder.emit(ins.CallPure(result, builder.constant(tables.builtin("type")), [0]))
    builder.emit(ins.GetAttr(result, result, "__name__"))
    builder.emit(
        ins.Join(
            result,
            [
                builder.constant(tables.value(before)),
                result,
                builder.constant(tables.value("' object")),
            ],
        )
    )
    builder.emit(ins.CallPure(result, builder.constant(tables.builtin("TypeError")), [result]))
    builder.terminate(ins.Raise(result))
    parameters = [
        Parameter(BOUND, "positional_only"),
        Parameter("args", "var_positional"),
        Parameter("kwargs", "var_keyword"),
    ]
    return _finish(
        tables, builder, parameters, name=method, qualname=f"{own}.{method}", filename=filename
    )


def managing(tables: Tables, number: int, target: int, found: Managed) -> None:
    """Make function ``number`` what the decorator makes of function ``target``: it gives a context manager."""
    builder = Builder(names=["args", "kwargs"])
    code = found.function.__code__
    builder.span = Span(code.co_firstlineno, 0, code.co_firstlineno, 0)
    callee, arguments = builder.temporary(), builder.temporary()
    maker = builder.constant(tables.builtin(found.maker))
    target_value = builder.constant(tables.function_value(target))
    builder.emit(ins.CallPure(callee, maker, [target_value]))
    builder.emit(ins.Build("list", arguments, []))
    builder.emit(ins.Extend(arguments, 0, "call"))
    label = builder.label()
    builder.terminate(ins.Call(arguments, callee, [], [], [], arguments, 1, label))
    builder.place(label)
    builder.terminate(ins.Return(arguments))
    parameters = [Parameter("args", "var_positional"), Parameter("kwargs", "var_keyword")]
    qualname = found.function.__qualname__.rpartition("<locals>.")[2]
    _finish(
        tables,
        builder,
        parameters,
        name=found.function.__name__,
        qualname=qualname,
        filename=code.co_filename,
        number=number,
    )


def remembering(tables: Tables, target: int, name: str, function: FunctionType) -> int:
    """Function that calls function ``target``, a ``cached_property``, and keeps what it gives in the object."""
    code = function.__code__
    builder = Builder(names=[BOUND])
    builder.span = Span(code.co_firstlineno, 0, code.co_firstlineno, 0)
    keep = builder.constant(tables.builtin("cached_property.__get__"))
    attribute = builder.constant(tables.value(name))
    callee = builder.constant(tables.function_value(target))
    value = builder.temporary()
    builder.emit(ins.CallPure(value, keep, [0, attribute]))
    label = builder.label()
    builder.terminate(ins.Call(value, callee, [0], [], [], NONE, NONE, label))
    builder.place(label)
    builder.emit(ins.CallPure(value, keep, [0, attribute, value]))
    builder.terminate(ins.Return(value))
    return _finish(
        tables,
        builder,
        [Parameter(BOUND, "positional_only")],
        name=function.__name__,
        qualname=function.__qualname__.rpartition("<locals>.")[2],
        filename=code.co_filename,
    )


def _finish(
    tables: Tables,
    builder: Builder,
    parameters: list[Parameter],
    *,
    name: str,
    qualname: str,
    filename: str,
    number: int | None = None,
) -> int:
    number = tables.reserve() if number is None else number

    def finished() -> FinishedFunction:
        layout = lay_out(builder, bound=(1 << len(parameters)) - 1)
        function = Function(
            name,
            qualname,
            "sync",
            parameters,
            layout.slots,
            layout.constants,
            [],
            layout.blocks,
            list(builder.names),
        )
        return FinishedFunction(function, layout.spans, filename)

    tables.functions[number] = finished
    return number
