"""Words in; whether they name modules as ``import`` does, and which name a path should have been, out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path, PurePath

_EXPECTED = "expected the name of a module, as `import` takes it"


def is_module_name(word: str) -> bool:
    """Whether a word could be imported by it."""
    return all(part.isidentifier() for part in word.split("."))


def misnamed(word: str) -> str | None:
    """Why a word names no module, and what to write; None for one that may."""
    is_path = PurePath(word).suffix == ".py" or len(PurePath(word).parts) > 1 or "/" in word
    if is_module_name(word) and not is_path:
        return None
    where = _importable(Path(word)) if is_path else None
    if where is None:
        return f"{word!r} is not the name of a module; {_EXPECTED}, such as yourapp.workflows"
    name, directory = where
    told = f"{name}, in the directory {directory}" if directory else name
    return f"{word!r} is a path; {_EXPECTED}: {told}"


def _importable(path: Path) -> tuple[str, str] | None:
    """Name of the module that a path holds, and the directory to be in for it, if that is another one."""
    whole = (Path.cwd() / path).resolve()
    whole = whole.with_suffix("") if whole.suffix == ".py" else whole
    if whole.name == "__init__":
        whole = whole.parent
    here = Path.cwd().resolve()
    if whole == here:
        return None
    root = _root(whole)
    bases = [each for each in _bases() if _name(whole, each) and not _in_package(each)]
    if bases:
        best = max(bases, key=lambda each: len(each.parts))
        name = _name(whole, best)
        if not (name.startswith("src.") and (best / "src").is_relative_to(here)):
            return name, ""
        root = best / "src"
    name = _name(whole, root)
    shown = root.relative_to(here) if root.is_relative_to(here) and root != here else root
    return (name, "" if root == here else str(shown)) if name else None


def _bases() -> Iterator[Path]:
    """Where ``import`` looks in commands of ours: they put the current directory first."""
    yield Path.cwd().resolve()
    for entry in sys.path:
        if Path(entry).is_dir():
            yield Path(entry).resolve()


def _name(whole: Path, base: Path) -> str:
    """The name of a module below a directory; empty if it has none there."""
    if not whole.is_relative_to(base):
        return ""
    parts = whole.relative_to(base).parts
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""


def _root(whole: Path) -> Path:
    """The directory around the outermost package."""
    root = whole.parent
    while _in_package(root):
        root = root.parent
    return root


def _in_package(directory: Path) -> bool:
    return (directory / "__init__.py").is_file()
