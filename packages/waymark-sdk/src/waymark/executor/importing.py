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

from waymark.executor.naming import is_module_name
from waymark_schema import errors
from waymark_schema.errors import WaymarkError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_WAYMARK = (Path(__file__).parents[1], Path(errors.__file__).parent)
_STDLIB = Path(sysconfig.get_path("stdlib"))
_SHOWN_PATHS = 3
_SRC = "src"
_importing: list[str] = []
_EVERYWHERE = "let importing it do nothing that can fail: every worker imports it too"


@dataclass(frozen=True, slots=True)
class ImportFailure:
    """Why a module could not be imported: one text for people, and its parts."""

    module: str
    reason: str
    """Without the name of the module, and without its place."""
    advice: str = ""
    """What to do; empty where the reason says it."""
    for_workers: str = ""
    """The same for who has started workers; they are told less."""
    missing: bool = False
    """There is no module of this name, or a package around it is missing."""
    filename: str | None = None
    line: int = 1
    column: int = 0
    """Characters from the left, 0-based."""
    told: str = ""
    """The reason with its place, if it has one."""

    @property
    def message(self) -> str:
        """The whole of it for who starts workers, with place and next step."""
        return self.message_for(self.for_workers)

    def message_for(self, advice: str) -> str:
        """The whole of it with this next step."""
        reason = self.told or self.reason
        message = f"module {self.module!r} cannot be imported: {reason}"
        if not advice:
            return message
        end = "" if message.endswith((".", "?")) else "."
        return f"{message}{end} {advice[0].upper()}{advice[1:]}"


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
    if not is_module_name(module):
        expected = "expected a name as `import` takes it, such as yourapp.workflows"
        return ImportFailure(module, f"this is not the name of a module; {expected}", missing=True)
    _importing.append(module)
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            return _not_found(module, error.name)
        reason, install = _imports_missing(error.name or str(error))
        return _failed(module, reason, error, install)
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
    advice = "write what this Python can read" if syntax else _EVERYWHERE
    return ImportFailure(
        module,
        f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) else reason,
        install or ("" if _says_what_to_do(error) else advice),
        install,
        filename=filename,
        line=line,
        column=column,
        told=f"{reason}{where}",
    )


def _says_what_to_do(error: BaseException) -> bool:
    """Whether an error is one that Waymark itself raised for what the user wrote."""
    if isinstance(error, WaymarkError):
        return True
    frames = traceback.extract_tb(error.__traceback__)
    ours = bool(frames) and _is_ours(Path(frames[-1].filename))
    return ours and isinstance(error, TypeError | ValueError | NotImplementedError)


def _imports_missing(missing: str) -> tuple[str, str]:
    """Why a module that another one imports is not found, and what to do about it."""
    parent = missing.rpartition(".")[0]
    paths = _search_paths(parent) if parent else []
    searched = "" if any(map(_is_installed, paths)) else _shown(paths)
    if not searched:
        reason = f"it imports {missing!r}, which is not installed here"
        return reason, "Install it in the environment of the workers"
    near = difflib.get_close_matches(missing, _modules_in(parent), n=1, cutoff=0.6)
    meant = f". Did you mean {near[0]!r}?" if near else ""
    reason = f"it imports {missing!r}, which is not in {searched}{meant}"
    return reason, "Correct the name, or put the file there"


def _not_found(module: str, missing: str) -> ImportFailure:
    parent = missing.rpartition(".")[0]
    searched = _search_paths(parent)
    if not searched:
        reason = f"no module named {missing!r} can be there: {parent!r} is a module, not a package"
        alone = f"name that module alone: {parent}"
        return ImportFailure(module, reason, alone, alone, missing=True)
    reason = f"no module named {missing!r} was found in {_shown(searched)}."
    if not parent and _is_in_src(missing):
        ways = f"set PYTHONPATH={_SRC}, where it is, or install its package"
        return ImportFailure(module, reason, ways, ways, missing=True)
    near = difflib.get_close_matches(missing, _modules_in(parent), n=1, cutoff=0.6)
    return ImportFailure(
        module,
        f"{reason} Did you mean {module.replace(missing, near[0], 1)!r}?" if near else reason,
        (
            "run this in the directory that holds it, name it as `import` does (yourapp.workflows), or"
            " install its package"
        ),
        "Start the workers in the directory that holds it, or install the package",
        missing=True,
    )


def _is_in_src(name: str) -> bool:
    """Whether a project of that layout lies here, whose modules are found once it is installed."""
    places = (Path(_SRC, name), Path(_SRC, f"{name}.py"))
    return any(place.exists() for place in places)


def _shown(paths: Sequence[str]) -> str:
    """The first directories of a search path that can hold modules of the user's own."""
    found = {Path(path).resolve(): Path(path).absolute() for path in reversed(paths)}
    places = [str(shown) for place, shown in reversed(found.items()) if _holds_modules(place)]
    return ", ".join(places[:_SHOWN_PATHS]) + (", …" if len(places) > _SHOWN_PATHS else "")


def _holds_modules(place: Path) -> bool:
    """Whether users put modules there: not beside the programs of an environment, nor into Python itself."""
    if not place.is_dir() or place == Path(sysconfig.get_path("scripts")).resolve():
        return False
    return not place.is_relative_to(_STDLIB.resolve()) or place.name == "site-packages"


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


def _is_ours(path: Path) -> bool:
    return any(path.is_relative_to(place) for place in _WAYMARK)


def _is_ours_or_pythons(filename: str) -> bool:
    path = Path(filename)
    if _is_ours(path):
        return True
    return path.is_relative_to(_STDLIB) and not _is_installed(filename)


def _is_installed(filename: str) -> bool:
    """Whether a package there is somebody else's, who would have to bring what is missing."""
    return not {"site-packages", "dist-packages"}.isdisjoint(Path(filename).parts)


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    own = (__file__, importlib.__file__)
    return [
        frame
        for frame in traceback.extract_tb(trace)
        if "importlib" not in frame.filename and frame.filename not in own
    ]
