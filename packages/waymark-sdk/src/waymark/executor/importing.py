"""The name of a user module in; nothing, or why it could not be imported and where it went wrong, out."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import pkgutil
import sys
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_WAYMARK = Path(__file__).parents[1]
_STDLIB = Path(sysconfig.get_path("stdlib"))
_SHOWN_PATHS = 3
_importing: list[str] = []
_EVERYWHERE = "let importing it do nothing that can fail: every worker imports it too"


@dataclass(frozen=True, slots=True)
class ImportFailure:
    """Why a module could not be imported: one text for people, and its parts."""

    module: str
    reason: str
    """Without the name of the module."""
    message: str
    """The whole of it, with place and next step."""
    advice: str
    """What to do."""
    missing: bool = False
    """There is no module of this name, or a package around it is missing."""
    filename: str | None = None
    line: int = 1
    column: int = 0
    """Characters from the left, 0-based."""


def add_current_directory() -> None:
    """Put the current directory first on ``sys.path``, as ``python -m`` does."""
    here = os.getcwd()  # noqa: PTH109 - sys.path holds texts
    if not sys.path or sys.path[0] != here:
        sys.path.insert(0, here)


def begun_by_import() -> str | None:
    """Return the module that is being imported here by name, for who must not be asked by one."""
    return _importing[-1] if _importing else None


def import_module(module: str) -> ImportFailure | None:
    """Import one module; return why it could not be, or None. Never raises."""
    _importing.append(module)
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            return _not_found(module, error.name)
        missing = error.name or str(error)
        reason = f"it imports {missing!r}, which is not installed here"
        return _failed(module, reason, error, "Install it in the environment of the workers")
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - user code; its reason is the answer
        what = "it called sys.exit()" if isinstance(error, SystemExit) else _described(error)
        return _failed(module, what, error, "")
    finally:
        _importing.pop()
    return None


def _failed(module: str, reason: str, error: BaseException, install: str) -> ImportFailure:
    filename, line, column = _place(error)
    syntax = isinstance(error, SyntaxError)
    where = "" if filename is None or syntax else f" ({filename}:{line})"
    message = f"module {module!r} cannot be imported: {reason}{where}"
    return ImportFailure(
        module,
        f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) else reason,
        f"{message}. {install}" if install else message,
        install or ("write what this Python can read" if syntax else _EVERYWHERE),
        filename=filename,
        line=line,
        column=column,
    )


def _not_found(module: str, missing: str) -> ImportFailure:
    parent = missing.rpartition(".")[0]
    near = difflib.get_close_matches(missing, _modules_in(parent), n=1, cutoff=0.6)
    paths = _search_paths(parent)
    shown = ", ".join(paths[:_SHOWN_PATHS]) + (", …" if len(paths) > _SHOWN_PATHS else "")
    advice = f" Did you mean {module.replace(missing, near[0], 1)!r}?" if near else ""
    reason = f"no module named {missing!r} was found in {shown}.{advice}"
    return ImportFailure(
        module,
        reason,
        f"module {module!r} cannot be imported: {reason}"
        " Start the workers in the directory that holds it, or install the package",
        (
            "run this in the directory that holds it, name it as `import` does (yourapp.workflows), or"
            " install its package"
        ),
        missing=True,
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


def _place(error: BaseException) -> tuple[str | None, int, int]:
    """Where in the user's own files it went wrong: the last frame that is not the import system's."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 1, max(0, (error.offset or 1) - 1)
    frames = _frames(error.__traceback__)
    # A line of the user's, if there is one, rather than the one of asyncio or of ours that it led to.
    frames = [frame for frame in frames if not _is_ours_or_pythons(frame.filename)] or frames
    return (frames[-1].filename, frames[-1].lineno or 1, 0) if frames else (None, 1, 0)


def _is_ours_or_pythons(filename: str) -> bool:
    path = Path(filename)
    if path.is_relative_to(_WAYMARK):
        return True
    return path.is_relative_to(_STDLIB) and not {"site-packages", "dist-packages"} & {*path.parts}


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    own = (__file__, importlib.__file__)
    return [
        frame
        for frame in traceback.extract_tb(trace)
        if "importlib" not in frame.filename and frame.filename not in own
    ]
