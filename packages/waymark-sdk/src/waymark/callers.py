"""Errors that a caller has to mend in; the same errors, told at the caller's own line, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from waymark_schema.errors import WaymarkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, TracebackType

C = TypeVar("C", bound="Callable[..., Any]")
_judges: set[CodeType] = set()


def judges_the_call(function: C) -> C:
    """Mark a function that finds fault with what a caller gave, by ``TypeError`` or ``ValueError``."""
    _judges.add(function.__code__)
    return function


class _ToldToTheCaller:
    """A block through which such errors pass without the frames that they crossed in our rooms.

    What is wrong with a call or its surroundings is in the message; where our own code noticed it helps
    nobody, and its screenful of frames hides the one line that does. Everything else keeps its traceback.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, WaymarkError) or _is_judgement(error, trace):
            error.__traceback__ = None
            error.__suppress_context__ = True


def _is_judgement(error: BaseException | None, trace: TracebackType | None) -> TypeGuard[Exception]:
    if not isinstance(error, TypeError | ValueError) or trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code in _judges


told_to_the_caller = _ToldToTheCaller()
