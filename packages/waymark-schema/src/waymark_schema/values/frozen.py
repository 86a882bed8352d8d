"""What freezegun has put in the place of a clock or a class of dates in; what it stands for out."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_API = "freezegun.api"


def meant_by(found: object) -> Any:
    """Return what a test that has frozen time would have here without that, or None.

    Only ``freezegun.api`` knows: it keeps ``real_datetime`` for ``FakeDatetime``, and so on.
    """
    api = sys.modules.get(_API)
    if api is None or getattr(found, "__module__", None) != _API:
        return None
    name = getattr(found, "__name__", "")
    kind = name.removeprefix("fake_").removeprefix("Fake").lower()
    known = getattr(api, f"real_{kind}", None)
    return known if getattr(api, name, None) is found else None


def thawed(names: Mapping[str, Any]) -> dict[str, Any]:
    """Copy the names of a module, each with what it would have if no test had frozen time."""
    if _API not in sys.modules:
        return dict(names)
    return {name: meant_by(value) or value for name, value in names.items()}


@contextmanager
def unfrozen() -> Iterator[None]:
    """Import modules inside as if time were not frozen: what they keep of clocks and dates would stay frozen."""
    swapped = [
        (module, name, value, meant)
        for module in (dt, time)
        for name, value in vars(module).items()
        if (meant := meant_by(value)) is not None
    ]
    for module, name, _, meant in swapped:
        setattr(module, name, meant)
    try:
        yield
    finally:
        for module, name, value, _ in swapped:
            setattr(module, name, value)
