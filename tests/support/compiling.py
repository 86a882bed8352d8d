"""Source text of a workflow module comes in; the imported module, its program or its diagnostics go out."""

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from waymark import UnsupportedPatternError, workflow_registry
from waymark.compiler.diagnostics import Diagnostic
from waymark.compiler.pipeline import Compiled, compile_workflow

HEADER = """\
import asyncio
from waymark import Workflow, action, workflow
from waymark.workflow import Backoff, RetryPolicy

@action
async def act(x: int = 0) -> int:
    return x

"""
_numbers = itertools.count()


def imported(folder: Path, text: str, *, name: str = "") -> ModuleType:
    """Write ``text`` into a module of its own below ``folder`` and import it."""
    name = name or f"compiled_case_{next(_numbers)}"
    path = folder / f"{name}.py"
    path.write_text(text, newline="")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    workflow_registry.discard("w")
    # Not by way of compiled files: they are told apart by whole seconds and sizes, and texts come fast here.
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    exec(code, vars(module))
    return module


def workflow_of(module: ModuleType) -> Any:
    """The class ``W`` of a module."""
    return vars(module)["W"]


def run_text(body: str, *, before: str = "", parameters: str = "", after: str = "") -> str:
    """A module whose workflow ``W`` runs ``body``, which starts in column 8."""
    lines = "\n".join(f"        {line}" if line else "" for line in body.strip("\n").split("\n"))
    head = f"{HEADER}{before}\n@workflow\nclass W(Workflow):\n"
    return f"{head}    async def run(self{parameters}):\n{lines}\n{after}"


def compiled(folder: Path, body: str, **around: str) -> Compiled:
    return compile_workflow(workflow_of(imported(folder, run_text(body, **around))))


def diagnosed(folder: Path, body: str, **around: str) -> tuple[Diagnostic, ...]:
    """Diagnostics of a workflow that must not compile."""
    return problems(workflow_of(imported(folder, run_text(body, **around))))


def problems(workflow: Any) -> tuple[Diagnostic, ...]:
    try:
        compile_workflow(workflow)
    except UnsupportedPatternError as error:
        return tuple(one for one in error.diagnostics if isinstance(one, Diagnostic))
    return ()
