"""Nothing in; the version of this installation, for hellos and messages, out."""

from functools import lru_cache
from importlib import metadata


@lru_cache(maxsize=1)
def version() -> str:
    """Return the version of this waymark-sdk."""
    return metadata.version("waymark-sdk")
