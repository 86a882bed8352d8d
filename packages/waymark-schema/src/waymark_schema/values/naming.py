"""A class in, the name that it has on the wire out; and whether a text is such a name."""

from __future__ import annotations

import re
import sys

_LONGEST = 1000
_SHAPE = re.compile(
    r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):"
    r"(?P<path>[^\W\d]\w*(?:\.(?:<locals>|[^\W\d]\w*))*)"
    r"(?P<arguments>\[[\w .,:|\[\]<>'\"-]*\])?"
)


def qualified_name(cls: type) -> str:
    """``module:Qual.Name``, with the importable name of a module that runs as ``__main__``."""
    module = cls.__module__
    if module == "__main__":
        spec = getattr(sys.modules.get("__main__"), "__spec__", None)
        module = spec.name.removesuffix(".__main__") if spec is not None else module
    return f"{module}:{cls.__qualname__}"


def is_qualified_name(text: str) -> bool:
    """Whether ``text`` has the shape of ``module:Qual.Name`` (with arguments, for a generic model)."""
    return len(text) <= _LONGEST and _SHAPE.fullmatch(text) is not None
