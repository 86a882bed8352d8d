"""Functions come in; what ``functools`` and ``operator`` make of them, as closures, goes out."""

# mypy: ignore-errors

from __future__ import annotations


def reduce(function, iterable, /, *initial):
    iterator = iter(iterable)
    if len(initial) > 1:
        msg = f"reduce expected at most 3 arguments, got {2 + len(initial)}"
        raise TypeError(msg)
    if initial:
        (value,) = initial
    else:
        try:
            value = next(iterator)
        except StopIteration:
            msg = "reduce() of empty iterable with no initial value"
            raise TypeError(msg) from None
    for item in iterator:
        value = function(value, item)
    return value


def partial(func, /, *args, **keywords):
    def call(*more, **others):
        return func(*args, *more, **{**keywords, **others})

    return call


def itemgetter(item, /, *items):
    if not items:
        return lambda value: value[item]
    places = (item, *items)
    return lambda value: tuple([value[place] for place in places])
