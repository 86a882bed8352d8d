"""Saved files in; pools whose workers run the last version that was sound, out."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from waymark_worker.dev.checking import Checked, check, digest
from waymark_worker.dev.children import Child, start_announced
from waymark_worker.dev.telling import tell

SLOW_SECONDS = 10.0
_SHOWN_FILES = 3
_SHOWN_NAMES = 5


class Pools:
    """The pool that takes new work, and those before it that finish what they have begun."""

    def __init__(
        self,
        modules: Sequence[str],
        environment: Mapping[str, str],
        *,
        say: Callable[[str, str], None],
        ended: Callable[[int], None],
    ) -> None:
        """``say`` prints a heading and a text; ``ended`` is told when the current pool ends by itself."""
        self._modules = modules
        self._environment = environment
        self._say = say
        self._ended = ended
        self._current: Child | None = None
        self._alive: dict[Child, asyncio.Task[None]] = {}
        self._known: dict[Path, bytes | None] = {}
        self._loaded: frozenset[Path] = frozenset()
        self._told: tuple[str, ...] = ()
        self._sound = False
        self._saved: set[Path] = set()
        """Changed files that no finished check has seen."""
        self._announced: frozenset[Path] = frozenset()
        """Those that were told of; a check that begins again for the same ones is not."""
        self._checking = False

    @property
    def checking(self) -> bool:
        """Whether nothing is lost by cancelling what goes on: a check is under way."""
        return self._checking

    @property
    def children(self) -> tuple[Child, ...]:
        """Every pool that has not ended."""
        return tuple(self._alive)

    @property
    def loaded(self) -> frozenset[Path]:
        """The files that the modules were made of when they were imported last."""
        return self._loaded

    async def begin(self) -> bool:
        """Start the first pool; False when no save can help, because there is no such module."""
        checked = await self._check()
        if checked.nothing_there:
            return False
        if not checked.sound:
            self._say("Waiting", "for a save that mends this; no workers run yet.")
            return True
        self._say("Workers", f"are started for {', '.join(self._modules)}")
        self._sound = await self._replace()
        if self._sound:
            self._say("Workers", f"ready to run {_listed(checked.workflows)}")
        else:
            self._say("Waiting", "for a save; the workers could not start, see above.")
        return True

    async def follow(self, changed: Iterable[Path]) -> None:
        """Act on saved files: check what they make, and replace the workers if it is sound."""
        self._saved.update(path for path in changed if self._is_real(path))
        if not self._saved:
            return
        if self._announced != self._saved:
            self._say("Reload", _shown(sorted(self._saved)))
            self._announced = frozenset(self._saved)
        for path in self._saved:
            _forget_bytecode(path)
        checked = await self._check()
        self._saved.clear()
        self._announced = frozenset()
        if not checked.sound:
            self._sound = False
            kept = "the workers keep what they run" if self._current else "no workers run yet"
            self._say("Reload", f"not done: {kept}. Save again when it is mended.")
            return
        before = self._current
        self._sound = await self._replace()
        if not self._sound:
            kept = "the old ones go on" if before else "none run yet"
            self._say("Reload", f"not done: the new workers could not start, {kept}; see above.")
        elif before:
            self._say(
                "Reload", "done: new runs use it; runs under way finish on what they began with."
            )
        else:
            self._say("Reload", "done: the workers are ready.")

    async def _check(self) -> Checked:
        self._checking = True
        slow = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._slow)
        try:
            checked = await check(self._modules, self._environment)
        finally:
            self._checking = False
            slow.cancel()
        self._loaded = checked.files or self._loaded
        for path in checked.files:
            self._known[path] = digest(path)
        problems = tuple(str(problem) for problem in checked.problems)
        if problems and (problems != self._told or not checked.sound):
            tell("\n\n".join(problems), err=True)
        self._told = problems
        if checked.crash:
            tell(f"waymark check: {checked.crash}", err=True)
        return checked

    def _slow(self) -> None:
        self._say(
            "Waiting",
            f"for {', '.join(self._modules)} to be imported; does it run something, such as a server?"
            ' Put that below `if __name__ == "__main__":`',
        )

    def _is_real(self, path: Path) -> bool:
        """Whether a file is another than it was, and may matter to workers."""
        now = digest(path)
        if path in self._known and self._known[path] == now:
            return False
        if path not in self._known and now is None:
            return False
        self._known[path] = now
        is_test = path.name == "conftest.py" or path.stem.startswith("test_")
        return not is_test or path in self._loaded

    async def _replace(self) -> bool:
        """Start a pool; once it is ready the one before it retires. False if it never is."""
        pool, ready = await start_announced(
            [sys.executable, "-m", "waymark_worker"], environment=self._environment
        )
        self._alive[pool] = asyncio.create_task(self._watch(pool))  # noqa: TID251 - ends with the process it watches
        if not await ready.readline():
            await pool.wait()
            return False
        before, self._current = self._current, pool
        if before is not None:
            before.send(signal.SIGUSR1)
        return True

    async def _watch(self, pool: Child) -> None:
        status = await pool.wait()
        del self._alive[pool]
        if pool is self._current:
            self._ended(status)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    text = ", ".join(names[:_SHOWN_NAMES]) or "actions"
    return f"{text} and {more} more" if more > 0 else text


def _shown(paths: Sequence[Path]) -> str:
    here = Path.cwd()
    names = [
        str(path.relative_to(here)) if path.is_relative_to(here) else str(path) for path in paths
    ]
    more = len(names) - _SHOWN_FILES
    text = ", ".join(names[:_SHOWN_FILES])
    return f"{text} and {more} more changed" if more > 0 else f"{text} changed"


def _forget_bytecode(path: Path) -> None:
    """Bytecode is told from stale one by whole seconds and sizes, which two quick saves can share."""
    with suppress(OSError, NotImplementedError):
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
