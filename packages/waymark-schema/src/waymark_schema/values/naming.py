"""A class in, the name that it has on the wire out."""

from __future__ import annotations

import sys


def qualified_name(cls: type) -> str:
    """``module:Qual.Name``, with the importable name of a module that runs as ``__main__``."""
    module = cls.__module__
    if module == "__main__":
        spec = getattr(sys.modules.get("__main__"), "__spec__", None)
        module = spec.name.removesuffix(".__main__") if spec is not None else module
    return f"{module}:{cls.__qualname__}"
