"""Any value in, a bounded text for messages out; it never fails, whatever the value's ``repr`` does."""

from __future__ import annotations

from typing import Any


def shown(value: Any, limit: int = 200) -> str:
    """``repr(value)``, cut after ``limit`` characters.

    >>> shown("x" * 1000, 5)
    "'xxxx…"
    """
    try:
        text = repr(value)
    except Exception as broken:  # noqa: BLE001 - user code, or an int too long for text
        return f"<{type(value).__qualname__} whose repr() raised {type(broken).__qualname__}>"
    return text if len(text) <= limit else f"{text[:limit]}…"
