"""A recorded value is asked for by kind; its wire form comes out, from the journal or freshly made."""

from __future__ import annotations

from typing import Any, Protocol


class LocalSource(Protocol):
    """Where recorded values come from: those in the journal first, fresh ones stored with the entry."""

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Durable wire form of the next recorded value of ``kind`` (a name of ``ir.language.RECORDED``)."""
        ...


class FreshLocals:
    """Makes recorded values and keeps them for the entry. ``ir.language.RECORDED`` names none yet."""

    __slots__ = ("_recorded",)

    def __init__(self) -> None:
        self._recorded: list[bytes] = []

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Raise: a program that passed the checks cannot ask."""
        msg = f"the program records {kind!r}, which this pool cannot make; upgrade waymark-worker"
        raise NotImplementedError(msg)

    def recorded(self) -> list[bytes]:
        """Return what was taken, in order, for the journal."""
        return self._recorded


class RecordedLocals:
    """Gives back what a journal entry recorded, in order."""

    __slots__ = ("_values",)

    def __init__(self, values: list[bytes]) -> None:
        self._values = iter(values)

    def take(self, kind: str, args: list[Any], keywords: dict[str, Any]) -> bytes:
        """Return the next one. Raises LookupError when the entry holds no more."""
        value = next(self._values, None)
        if value is None:
            msg = f"the journal entry holds no further recorded value where the program asks for {kind!r}"
            raise LookupError(msg)
        return value
