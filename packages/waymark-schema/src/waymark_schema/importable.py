"""The name that a module has in this process in; the name by which every other process imports it out."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

_SCRIPT = frozenset(("__main__", "__mp_main__"))
"""A program that is run, and that program again in a process that multiprocessing spawned."""


def importable_module(name: str) -> str | None:
    """``name``; for a program that is run, the name of its file for the import system.

    None when no import could find it there: it was typed in, or its file's name is no identifier.
    """
    if name not in _SCRIPT:
        return name
    main = sys.modules.get(name)
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name and spec.name not in _SCRIPT:
        return str(spec.name)
    return _of_file(getattr(main, "__file__", None))


@lru_cache(maxsize=8)
def _of_file(filename: str | None) -> str | None:
    """Remembered, because a program may change its directory later and keeps its names."""
    if filename is None:
        return None
    path = Path(filename).resolve()
    if path.suffix != ".py":
        return None
    # Installed and PYTHONPATH roots first (a src/ layout), then the directory that the pool is started
    # in as well, and only then the script's own directory.
    roots = [Path(entry).resolve() for entry in sys.path[1:] if entry]
    roots = sorted(
        (root for root in roots if path.is_relative_to(root)), key=lambda r: -len(r.parts)
    )
    for root in [*roots, Path.cwd().resolve(), path.parent]:
        if path.is_relative_to(root):
            parts = path.relative_to(root).with_suffix("").parts
            if all(part.isidentifier() for part in parts):
                return ".".join(parts)
    return None
