"""A directory in; the Python files that were saved, made or removed below it, out."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import aclosing
from pathlib import Path

ADDED = 1
"""watchfiles' number for what was not there before."""
DEBOUNCE_MS = 400
"""A burst of saves is one change; one that does not end is one change each time this has passed."""
QUIET_MS = 60
MOST_DIRECTORIES = 5_000
_IGNORED = frozenset(("__pycache__", "node_modules", "site-packages", "dist-packages"))


class Watcher:
    """Follows every directory below ``root`` but hidden ones, environments and caches."""

    def __init__(self, root: Path, *, say: Callable[[str], None]) -> None:
        """``say`` is given what the user should know of the watching itself."""
        self._root = root
        self._say = say
        self._elsewhere: frozenset[Path] = frozenset()
        self._changed: set[Path] = set()
        self._news = asyncio.Event()
        self._again = asyncio.Event()
        self._polling: bool | None = None

    def also(self, directories: Iterable[Path]) -> None:
        """Follow these directories too, not what is below them."""
        outside = {one for one in directories if not one.is_relative_to(self._root)}
        if not outside <= self._elsewhere:
            self._elsewhere |= outside
            self._again.set()

    async def changes(self) -> frozenset[Path]:
        """Wait until files have changed since the last call; which ones."""
        await self._news.wait()
        self._news.clear()
        changed, self._changed = frozenset(self._changed), set()
        return changed

    async def run(self) -> None:
        """Watch until cancelled."""
        known: set[Path] | None = None
        while True:
            directories = self._directories()
            if known is not None:
                self._note(file for new in directories - known for file in new.glob("*.py"))
            known = directories
            self._again = asyncio.Event()
            try:
                await self._watch(directories)
            except OSError as error:
                if self._polling:
                    raise
                self._polling = True
                self._say(
                    f"files are polled for changes: the system refuses to watch them ({error})"
                )

    async def _watch(self, directories: set[Path]) -> None:
        from watchfiles import awatch  # noqa: PLC0415 - of the extra `dev`: a pool does without

        watching = awatch(
            *sorted(directories),
            watch_filter=_matters,
            debounce=DEBOUNCE_MS,
            step=QUIET_MS,
            stop_event=self._again,
            force_polling=self._polling,
            recursive=False,
            ignore_permission_denied=True,
        )
        async with aclosing(watching):
            async for found in watching:
                self._note(Path(name) for _, name in found if name.endswith(".py"))
                if any(_is_new_directory(change) for change in found):
                    return

    def _note(self, files: Iterable[Path]) -> None:
        self._changed.update(files)
        if self._changed:
            self._news.set()

    def _directories(self) -> set[Path]:
        found = set(self._elsewhere)
        for folder, below, files in os.walk(self._root):
            if "pyvenv.cfg" in files:
                below.clear()
                continue
            below[:] = [name for name in below if not _is_ignored(name)]
            found.add(Path(folder))
            if len(found) >= MOST_DIRECTORIES:
                self._say(
                    f"only the first {MOST_DIRECTORIES:,} directories below {self._root} are watched;"
                    " start it in the directory of your project"
                )
                break
        return found


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name in _IGNORED


def _matters(change: int, name: str) -> bool:
    path = Path(name)
    if path.name.startswith("."):
        return False
    return path.suffix == ".py" or _is_new_directory((change, name))


def _is_new_directory(change: tuple[int, str]) -> bool:
    kind, name = change
    path = Path(name)
    return kind == ADDED and not _is_ignored(path.name) and path.is_dir()
