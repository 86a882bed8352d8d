"""A page of the documentation in; its blocks of code, and the files that they say they belong to, out."""

import re
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of a page in one language."""
    return [body for name, body in _FENCE.findall(page.read_text()) if name == language]


def write_files(page: Path, folder: Path) -> list[str]:
    """Put every Python block where its first line says; return the names of the files."""
    for block in blocks(page, "python"):
        name = block.splitlines()[0].removeprefix("# ")
        with (folder / name).open("a") as file:
            file.write(block + "\n\n")
    return sorted(path.name for path in folder.iterdir())
