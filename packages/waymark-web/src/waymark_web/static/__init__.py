"""The files of this folder in; their bytes, types and addresses that change with their content out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    name: str
    content: bytes
    media_type: str
    version: str

    @property
    def url(self) -> str:
        """Its address; another content has another one, so it may be kept for ever."""
        return f"/static/{self.version}/{self.name}"


@cache
def assets() -> dict[str, Asset]:
    """Every file that browsers may have, by name."""
    found = {}
    for file in files(__package__).iterdir():
        media_type = _TYPES.get("." + file.name.rpartition(".")[2])
        if media_type is not None:
            content = file.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:12]
            found[file.name] = Asset(file.name, content, media_type, version)
    return found
