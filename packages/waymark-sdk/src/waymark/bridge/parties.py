"""What a service of the bridge answers to: the asking connection and its number in, answers out."""

from __future__ import annotations

from typing import Protocol

from waymark.bridge.protocol import Answer, Failed
from waymark_schema import errors


class Party(Protocol):
    """A connected client."""

    def answer(self, answer: Answer) -> None:
        """Send it; nothing happens if the client is gone."""
        ...


def failed(request: int, error: Exception) -> Failed:
    """Spell an error so that the client can raise the nearest class that both sides know."""
    known = (
        cls.__name__ for cls in type(error).__mro__ if getattr(errors, cls.__name__, None) is cls
    )
    return Failed(request, next(known, ""), str(error) or type(error).__name__)
