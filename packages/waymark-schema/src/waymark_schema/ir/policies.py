"""Retry, backoff and timeout of a call: validated values in, one stored policy out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

UNLIMITED_BY_DEFAULT = 100
"""Attempts of a ``RetryPolicy()`` that names none."""


def _seconds(value: Any, *, what: str) -> float:
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    else:
        msg = f"{what} is {value!r}; expected seconds as a number, or a timedelta"
        raise TypeError(msg)
    if not 0 <= seconds < float("inf"):
        msg = f"{what} is {value!r}; expected zero or more, and finite"
        raise ValueError(msg)
    return seconds


@dataclass(frozen=True, slots=True, init=False)
class Backoff:
    """How long to wait before the next attempt: ``base * factor ** (n - 1)``, at most ``max``, plus jitter.

    ``base`` and ``max`` are seconds or timedeltas; ``jitter`` is a fraction from 0 to 1 of the delay,
    drawn uniformly. ``base_delay`` is an accepted spelling of ``base``.

    >>> Backoff(base=1, factor=2, max=60).delay(3)
    4.0
    """

    base: float
    factor: float
    max: float
    jitter: float

    def __init__(
        self,
        base: float | timedelta | None = None,
        factor: float = 1.0,
        max: float | timedelta = 86400.0,  # noqa: A002 - the public name
        jitter: float = 0.0,
        *,
        base_delay: float | timedelta | None = None,
    ) -> None:
        if base is not None and base_delay is not None:
            msg = "Backoff takes base or base_delay, not both"
            raise TypeError(msg)
        chosen = base if base is not None else base_delay
        put = object.__setattr__
        put(self, "base", _seconds(1.0 if chosen is None else chosen, what="Backoff base"))
        put(self, "max", _seconds(max, what="Backoff max"))
        for name, value, low, high in (("factor", factor, 1.0, 1e6), ("jitter", jitter, 0.0, 1.0)):
            if isinstance(value, bool) or not isinstance(value, int | float):
                msg = f"Backoff {name} is {value!r}; expected a number"
                raise TypeError(msg)
            if not low <= value <= high:
                msg = f"Backoff {name} is {value!r}; expected {low:g} to {high:g}"
                raise ValueError(msg)
            put(self, name, float(value))

    def delay(self, failed_attempts: int) -> float:
        """Seconds before the next attempt, jitter left out, after ``failed_attempts`` (1 or more)."""
        exponent = min(failed_attempts - 1, 1000)
        try:
            return min(self.base * self.factor**exponent, self.max)
        except OverflowError:
            return self.max


@dataclass(frozen=True, slots=True, init=False)
class RetryPolicy:
    """How often and for which errors an action is tried again.

    ``attempts`` counts executions (100 when not given); ``exception_types`` are classes or class names,
    base classes included, none meaning every exception but a timeout; ``backoff_seconds`` a constant
    delay, or ``backoff`` a ``Backoff``.

    >>> RetryPolicy(attempts=5, exception_types=["ConnectionError"], backoff_seconds=2).attempts
    5
    """

    attempts: int
    exception_types: tuple[str, ...]
    backoff: Backoff

    def __init__(
        self,
        attempts: int = UNLIMITED_BY_DEFAULT,
        exception_types: Any = (),
        backoff_seconds: float | timedelta | None = None,
        *,
        backoff: Backoff | None = None,
    ) -> None:
        if isinstance(attempts, bool) or not isinstance(attempts, int):
            msg = f"RetryPolicy attempts is {attempts!r}; expected an int of 1 or more"
            raise TypeError(msg)
        if attempts < 1:
            msg = f"RetryPolicy attempts is {attempts!r}; expected 1 or more (it counts executions)"
            raise ValueError(msg)
        if backoff is not None and backoff_seconds is not None:
            msg = "RetryPolicy takes backoff or backoff_seconds, not both"
            raise TypeError(msg)
        given: object = backoff
        if given is not None and not isinstance(given, Backoff):
            msg = f"RetryPolicy backoff is {given!r}; expected a Backoff"
            raise TypeError(msg)
        put = object.__setattr__
        put(self, "attempts", attempts)
        put(self, "exception_types", tuple(_type_name(item) for item in _listed(exception_types)))
        put(
            self,
            "backoff",
            backoff or Backoff(base=0.0 if backoff_seconds is None else backoff_seconds),
        )


def _listed(exception_types: Any) -> list[Any]:
    if isinstance(exception_types, str | type):
        return [exception_types]
    return list(exception_types or ())


def _type_name(item: Any) -> str:
    if isinstance(item, str) and item:
        return item
    if isinstance(item, type) and issubclass(item, BaseException):
        return item.__name__
    msg = f"RetryPolicy exception_types holds {item!r}; expected exception classes or their names"
    raise TypeError(msg)


class StoredPolicy(msgspec.Struct, frozen=True, array_like=True):
    """What a started call is under, in plain numbers: seconds and counts.

    ``timeout`` 0 means none. Without a retry policy ``attempts`` is 1.
    """

    attempts: int = 1
    exception_types: tuple[str, ...] = ()
    base: float = 0.0
    factor: float = 1.0
    max: float = 86400.0
    jitter: float = 0.0
    timeout: float = 0.0


NO_POLICY = StoredPolicy()


def stored_policy(
    *,
    retry: RetryPolicy | None = None,
    timeout: float | timedelta | None = None,
    backoff: Backoff | None = None,
) -> StoredPolicy:
    """Fold what the user gave into one stored policy; ``timeout`` in seconds must be above zero."""
    for name, value, kind in (("retry", retry, RetryPolicy), ("backoff", backoff, Backoff)):
        if value is not None and not isinstance(value, kind):
            msg = f"{name} is {value!r}; expected a {kind.__name__} or None"
            raise TypeError(msg)
    seconds = 0.0
    if timeout is not None:
        seconds = _seconds(timeout, what="timeout")
        if seconds == 0:
            msg = f"timeout is {timeout!r}; expected more than zero"
            raise ValueError(msg)
    if retry is None and backoff is None:
        return StoredPolicy(timeout=seconds)
    chosen = retry or RetryPolicy()
    pause = backoff or chosen.backoff
    return StoredPolicy(
        attempts=chosen.attempts,
        exception_types=chosen.exception_types,
        base=pause.base,
        factor=pause.factor,
        max=pause.max,
        jitter=pause.jitter,
        timeout=seconds,
    )
