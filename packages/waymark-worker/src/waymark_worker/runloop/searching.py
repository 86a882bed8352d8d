"""Statements that take rows, and whether their answers came, in; when to look for what nobody knows was taken, out."""

from __future__ import annotations

import math
from collections.abc import Callable

from waymark_worker.journal import Sessions

SEARCH_SECONDS = 2.0
"""Between two looks where nobody can tell when the backend of a lost statement has ended."""


class Search:
    """One for each session that takes rows for a lease, which may hold some that nobody here knows of.

    Where it is known that the backend of the lost statement has ended, one look is enough. Behind a pooler it may be
    committed long after its connection was lost, so there they go on for as long as the lease lives.
    """

    def __init__(self, sessions: Sessions, now: Callable[[], float]) -> None:
        """``now``: seconds of a clock that never goes back."""
        self._sessions = sessions
        self._now = now
        self._asking = False
        self._at = math.inf

    def asks(self) -> None:
        """A statement is about to be sent."""
        self._asking = True

    def answered(self) -> None:
        """What it took is known here."""
        self._asking = False

    def lost(self) -> None:
        """The session is gone, with the answer if one was awaited."""
        if self._asking:
            self._asking, self._at = False, self._now()

    def done(self) -> None:
        """A look has been had, behind everything that was lost before."""
        certain = self._sessions.knows_backends
        self._at = math.inf if certain else self._now() + SEARCH_SECONDS

    @property
    def due_in(self) -> float:
        """Seconds until the next look, below zero if it is late; infinite while every statement was answered."""
        return self._at - self._now()
