"""The stored inputs of an instance come in; the first frame of its ``run()`` goes out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from waymark_schema.values.errors import MalformedValue
from waymark_worker.vm.callables import FunctionValue, WorkflowObject
from waymark_worker.vm.linked import LinkedProgram
from waymark_worker.vm.state import Frame


def first_frame(linked: LinkedProgram, workflow: WorkflowObject, given: dict[str, Any]) -> Frame:
    """Bind ``given`` (arguments by parameter name) to ``run()``; raises ``MalformedValue`` if they do not fit."""
    function = linked.functions[0]
    run = FunctionValue(function)
    positional: list[Any] = [workflow]
    keywords: dict[str, Any] = {}
    for parameter in function.parameters[1:]:
        if parameter.name not in given:
            continue
        value = given[parameter.name]
        if parameter.kind == "var_positional":
            positional.extend(_listed(value))
        elif parameter.kind == "var_keyword":
            keywords.update(value)
        elif parameter.kind == "keyword_only":
            keywords[parameter.name] = value
        else:
            positional.append(value)
    unknown = given.keys() - {parameter.name for parameter in function.parameters}
    if unknown:
        msg = f"run() of {linked.program.workflow!r} has no parameter {sorted(unknown)!r}"
        raise MalformedValue(msg)
    try:
        slots = function.bind(run, positional, keywords)
    except TypeError as error:
        msg = f"the stored inputs do not fit run() of {linked.program.workflow!r}: {error}"
        raise MalformedValue(msg) from error
    return Frame(function, slots, None, 0)


def _listed(value: Any) -> Iterable[Any]:
    if isinstance(value, list | tuple):
        return value
    msg = f"the stored variable arguments are {value!r:.100}; expected a list"
    raise MalformedValue(msg)
