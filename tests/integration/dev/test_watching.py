import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from waymark_worker.dev.reloading import Pools
from waymark_worker.dev.watching import Watcher

LAST = "zzz.py"


@asynccontextmanager
async def watching(root: Path) -> AsyncIterator[Watcher]:
    """A watcher that has begun: its first save is seen."""
    told: list[str] = []
    watcher = Watcher(root, say=told.append)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(watcher.run())
        async with asyncio.timeout(30):
            seen: frozenset[Path] = frozenset()
            number = 0
            while not seen:
                # Its first watch begins in a thread that says nothing when it has.
                number += 1
                (root / "begun.py").write_text(f"x = {number}\n")
                try:
                    async with asyncio.timeout(1):
                        seen = await watcher.changes()
                except TimeoutError:
                    continue
            yield watcher
        running.cancel()
    assert told == []


async def seen_until_last(watcher: Watcher, root: Path) -> set[str]:
    """Names of everything that is seen up to one last file that is saved now."""
    (root / LAST).write_text("x = 1\n")
    found: set[Path] = set()
    while root / LAST not in found:
        found |= await watcher.changes()
    return {path.relative_to(root).as_posix() for path in found} - {LAST, "begun.py"}


async def test_saves_renames_and_removals_are_seen(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("x = 1\n")
    (tmp_path / "inner").mkdir()
    async with watching(tmp_path) as watcher:
        (tmp_path / "inner" / "saved.py").write_text("x = 1\n")
        (tmp_path / "aside.tmp").write_text("x = 1\n")
        (tmp_path / "aside.tmp").rename(tmp_path / "renamed.py")
        (tmp_path / "old.py").unlink()
        found = await seen_until_last(watcher, tmp_path)
    assert found == {"inner/saved.py", "renamed.py", "old.py"}


async def test_files_of_new_directories_are_seen_however_early_they_come(tmp_path: Path) -> None:
    async with watching(tmp_path) as watcher:
        deep = tmp_path / "new" / "deeper"
        deep.mkdir(parents=True)
        (deep / "early.py").write_text("x = 1\n")
        found: set[Path] = set()
        while deep / "early.py" not in found:
            found |= await watcher.changes()
        (deep / "late.py").write_text("x = 1\n")
        while deep / "late.py" not in found:
            found |= await watcher.changes()


async def test_what_is_not_the_authors_is_not_seen(tmp_path: Path) -> None:
    folders = [
        ".waymark/postgres",
        "env/lib/x",
        "node_modules/x",
        "pkg/__pycache__",
        "site-packages",
    ]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr\n")
    async with watching(tmp_path) as watcher:
        for folder in folders:
            (tmp_path / folder / "x.py").write_text("x = 1\n")
        for name in ("notes.txt", ".#emacs.py", ".flows.py.swp", "flows.py~", "4913"):
            (tmp_path / name).write_text("x = 1\n")
        assert await seen_until_last(watcher, tmp_path) == set()


async def test_directories_elsewhere_are_followed_once_they_are_named(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    async with watching(tmp_path) as watcher:
        watcher.also([elsewhere, tmp_path / "below"])
        found: frozenset[Path] = frozenset()
        number = 0
        while elsewhere / "library.py" not in found:
            number += 1
            (elsewhere / "library.py").write_text(f"x = {number}\n")
            try:
                async with asyncio.timeout(1):
                    found = await watcher.changes()
            except TimeoutError:
                continue


async def test_a_burst_of_saves_is_few_changes(tmp_path: Path) -> None:
    async with watching(tmp_path) as watcher:
        for number in range(1000):
            (tmp_path / "flows.py").write_text(f"x = {number}\n")
        rounds = 0
        (tmp_path / LAST).write_text("x = 1\n")
        found: frozenset[Path] = frozenset()
        while tmp_path / LAST not in found:
            found = await watcher.changes()
            rounds += 1
    assert rounds < 20


def test_a_change_is_one_of_bytes_that_may_matter_to_workers(tmp_path: Path) -> None:
    pools = Pools(["flows"], {}, say=lambda *_: None, ended=lambda _: None)
    file, test = tmp_path / "flows.py", tmp_path / "test_flows.py"
    file.write_text("x = 1\n")
    test.write_text("x = 1\n")
    assert pools._is_real(file)
    assert not pools._is_real(file)
    file.touch()
    assert not pools._is_real(file)
    file.write_text("x = 2\n")
    assert pools._is_real(file)
    file.unlink()
    assert pools._is_real(file)
    assert not pools._is_real(file)
    assert not pools._is_real(tmp_path / "never_was.py")
    assert not pools._is_real(test)
    assert not pools._is_real(tmp_path / "conftest.py")
