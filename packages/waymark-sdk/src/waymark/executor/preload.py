"""Names of user modules in; what they define, compiled, and why the others could not be imported, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from waymark.errors import UnsupportedPatternError
from waymark.executor.importing import add_current_directory, import_module
from waymark.registry import registry, workflow_registry
from waymark_schema.wire.frames import ModuleFailure, ProgramReport

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    add_current_directory()
    failures = []
    for module in modules:
        failure = import_module(module)
        if failure is not None:
            failures.append(ModuleFailure(module, failure.message))
    programs = []
    for definition in workflow_registry:
        try:
            programs.append(definition.report())
        except UnsupportedPatternError as error:
            failures.append(ModuleFailure(definition.place.module, str(error)))
    return Preloaded(registry.names(), programs, failures)
