"""Names of user modules in; what they define, compiled, and why the others could not be imported, out."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import pkgutil
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from waymark.errors import UnsupportedPatternError
from waymark.registry import registry, workflow_registry
from waymark_schema.wire.frames import ModuleFailure, ProgramReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_SHOWN_PATHS = 3


@dataclass(frozen=True, slots=True)
class Preloaded:
    """What a worker can run, as its hello says it."""

    actions: list[str]
    programs: list[ProgramReport]
    failures: list[ModuleFailure]


def preload(modules: Sequence[str]) -> Preloaded:
    """Import the modules, the current directory first on ``sys.path``, and compile their workflows.

    Never raises: a module that fails, even by ``sys.exit()``, becomes a failure with its reason.
    """
    here = os.getcwd()  # noqa: PTH109 - sys.path holds texts
    if not sys.path or sys.path[0] != here:
        sys.path.insert(0, here)
    failures = []
    for module in modules:
        message = _import(module)
        if message is not None:
            failures.append(ModuleFailure(module, message))
    programs = []
    for definition in workflow_registry:
        try:
            programs.append(definition.report())
        except UnsupportedPatternError as error:
            failures.append(ModuleFailure(definition.place.module, str(error)))
    return Preloaded(registry.names(), programs, failures)


def _import(module: str) -> str | None:
    """Import one module; return why it could not be, or None."""
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            return _not_found(module, error.name)
        missing = error.name or str(error)
        return (
            f"module {module!r} cannot be imported: it imports {missing!r}, which is not installed here"
            f"{_place(error.__traceback__)}. Install it in the environment of the workers"
        )
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - user code; its reason is the answer
        what = "it called sys.exit()" if isinstance(error, SystemExit) else _described(error)
        return f"module {module!r} cannot be imported: {what}{_place(error.__traceback__)}"
    return None


def _not_found(module: str, missing: str) -> str:
    parent = missing.rpartition(".")[0]
    near = difflib.get_close_matches(missing, _modules_in(parent), n=1, cutoff=0.6)
    paths = _search_paths(parent)
    shown = ", ".join(paths[:_SHOWN_PATHS]) + (", …" if len(paths) > _SHOWN_PATHS else "")
    advice = f" Did you mean {module.replace(missing, near[0], 1)!r}?" if near else ""
    return (
        f"module {module!r} cannot be imported: no module named {missing!r} was found in {shown}.{advice}"
        " Start the workers in the directory that holds it, or install the package"
    )


def _search_paths(parent: str) -> list[str]:
    if not parent:
        return list(sys.path)
    package = sys.modules.get(parent)
    return list(getattr(package, "__path__", []))


def _modules_in(parent: str) -> list[str]:
    prefix = f"{parent}." if parent else ""
    return [f"{prefix}{found.name}" for found in pkgutil.iter_modules(_search_paths(parent))]


def _described(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


def _place(trace: TracebackType | None) -> str:
    """Where in the user's own files it went wrong: the last frame that is not the import system's."""
    frames = [f for f in traceback.extract_tb(trace) if "importlib" not in f.filename]
    frames = [f for f in frames if f.filename != __file__]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
