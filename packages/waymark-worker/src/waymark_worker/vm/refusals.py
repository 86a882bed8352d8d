"""What ends an instance without its code seeing it: an unsupported operation or a limit, as an exception."""

from __future__ import annotations

LACKING = "WM201"
"""CPython's type has the name and the language lacks it."""


class UnsupportedOperation(BaseException):
    """CPython could do this and the machine cannot: the instance fails with ``WM2xx``.

    Not an ``Exception``, and no handler or ``finally`` of a workflow ever sees it: a program that
    reacted to it would behave unlike CPython without anybody noticing.
    """

    def __init__(self, code: str, message: str, rewrite: str) -> None:
        super().__init__(code, message, rewrite)
        self.code = code
        self.message = message
        self.rewrite = rewrite

    def __str__(self) -> str:
        return f"{self.code}: {self.message}; {self.rewrite}"


class LimitExceeded(BaseException):
    """A value or an amount of work went past what one instance may have: the instance fails."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def unsupported_method(type_name: str, name: str) -> UnsupportedOperation:
    """Refuse a method or attribute that CPython's type has and the language lacks."""
    return UnsupportedOperation(
        LACKING,
        f"{type_name}.{name} is not part of the workflow language",
        "compute it in an action and await the action",
    )


def unsupported_operation(what: str, rewrite: str) -> UnsupportedOperation:
    """Refuse an operation on values that the machine lacks."""
    return UnsupportedOperation("WM202", what, rewrite)


def no_identity(what: str) -> UnsupportedOperation:
    """Refuse what would show a memory address or a randomised hash."""
    return UnsupportedOperation(
        "WM203",
        f"{what} would differ after a recovery",
        "use a value of your own (a field, a counter, str() of an id) instead",
    )
