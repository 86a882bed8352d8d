"""Iterables come in; what the functions of ``itertools`` make of them goes out, one item at a time.

Each is ordinary code of the workflow language. What CPython checks at the call is checked in a plain
function, which then makes the generator. Annotations are left out: nothing here is called by Python code.
"""

# mypy: ignore-errors

from __future__ import annotations

from collections import deque
from decimal import Decimal
from fractions import Fraction


def chain(*iterables):
    for iterable in iterables:
        for item in iterable:
            yield item


def chain_from_iterable(iterable, /):
    return _chained(iter(iterable))


def _chained(iterables):
    for iterable in iterables:
        for item in iterable:
            yield item


def count(start=0, step=1):
    for number in (start, step):
        if not isinstance(number, int | float | Decimal | Fraction):
            msg = "a number is required"
            raise TypeError(msg)
    return _counted(start, step)


def _counted(number, step):
    while True:
        yield number
        number += step


def cycle(iterable, /):
    return _cycled(iter(iterable))


def _cycled(iterator):
    saved = []
    for item in iterator:
        yield item
        saved.append(item)
    while saved:
        for item in saved:
            yield item


def repeat(object, *times, **named):  # noqa: A002 - CPython's name
    if named:
        times = (*times, named.pop("times"))
    if not times:
        return _for_ever(object)
    if not isinstance(times[0], int):
        msg = f"'{type(times[0]).__name__}' object cannot be interpreted as an integer"
        raise TypeError(msg)
    return _so_often(object, times[0])


def _for_ever(item):
    while True:
        yield item


def _so_often(item, times):
    for _ in range(times):
        yield item


def accumulate(iterable, func=None, *, initial=None):
    return _accumulated(iter(iterable), func, initial)


def _accumulated(iterator, func, initial):
    total = initial
    if initial is None:
        try:
            total = next(iterator)
        except StopIteration:
            return
    yield total
    for item in iterator:
        total = total + item if func is None else func(total, item)
        yield total


def batched(iterable, n, *, strict=False):
    if n < 1:
        msg = "n must be at least one"
        raise ValueError(msg)
    return _batches(iter(iterable), n, strict)


def _batches(iterator, size, strict):
    batch = []
    for item in iterator:
        batch.append(item)
        if len(batch) == size:
            yield tuple(batch)
            batch = []
    if batch and strict:
        msg = "batched(): incomplete batch"
        raise ValueError(msg)
    if batch:
        yield tuple(batch)


def compress(data, selectors):
    return _compressed(iter(data), iter(selectors))


def _compressed(data, selectors):
    for item, selected in zip(data, selectors):  # noqa: B905 - ends with the shorter one
        if selected:
            yield item


def takewhile(predicate, iterable, /):
    return _taken(predicate, iter(iterable))


def _taken(predicate, iterator):
    for item in iterator:
        if not predicate(item):
            return
        yield item


def dropwhile(predicate, iterable, /):
    return _dropped(predicate, iter(iterable))


def _dropped(predicate, iterator):
    for item in iterator:
        if not predicate(item):
            yield item
            break
    for item in iterator:
        yield item


def filterfalse(function, iterable, /):
    return _refused(function, iter(iterable))


def _refused(function, iterator):
    for item in iterator:
        if not (item if function is None else function(item)):
            yield item


def starmap(function, iterable, /):
    return _starred(function, iter(iterable))


def _starred(function, iterator):
    for arguments in iterator:
        yield function(*tuple(arguments))


def pairwise(iterable, /):
    return _paired(iter(iterable))


def _paired(iterator):
    try:
        before = next(iterator)
    except StopIteration:
        return
    for item in iterator:
        yield before, item
        before = item


def zip_longest(*iterables, fillvalue=None):
    return _filled([iter(each) for each in iterables], fillvalue)


def _filled(iterators, fillvalue):
    ended = [False for _ in iterators]
    while True:
        row = []
        for place, iterator in enumerate(iterators):
            item = fillvalue
            if not ended[place]:
                try:
                    item = next(iterator)
                except StopIteration:
                    ended[place] = True
                    if all(ended):
                        return
            row.append(item)
        if not row:
            return
        yield tuple(row)


def islice(iterable, *bounds):
    if not bounds or len(bounds) > 3:  # noqa: PLR2004 - start, stop, step
        least = "at least 2" if not bounds else "at most 4"
        msg = f"islice expected {least} arguments, got {1 + len(bounds)}"
        raise TypeError(msg)
    start, stop, step = (0, bounds[0], 1) if len(bounds) == 1 else (*bounds, 1)[:3]
    start = 0 if start is None else start
    step = 1 if step is None else step
    if not _is_place(start) or not (stop is None or _is_place(stop)):
        what = "Stop argument" if len(bounds) == 1 else "Indices"
        msg = f"{what} for islice() must be None or an integer: 0 <= x <= sys.maxsize."
        raise ValueError(msg)
    if not _is_place(step) or step == 0:
        msg = "Step for islice() must be a positive integer or None."
        raise ValueError(msg)
    return _sliced(iter(iterable), start, stop, step)


def _is_place(value):
    return isinstance(value, int) and 0 <= value < 1 << 63


def _sliced(iterator, start, stop, step):
    seen, following = 0, start
    while True:
        try:
            while seen < following:
                next(iterator)
                seen += 1
            if stop is not None and seen >= stop:
                return
            item = next(iterator)
        except StopIteration:
            return
        seen += 1
        following += step
        if stop is not None and following > stop:
            following = stop
        yield item


def tee(iterable, n=2, /):
    if n < 0:
        msg = "n must be >= 0"
        raise ValueError(msg)
    iterator = iter(iterable)
    buffers = [deque() for _ in range(n)]
    return tuple([_shared(iterator, buffers, buffer) for buffer in buffers])


def _shared(iterator, buffers, own):
    while True:
        if not own:
            try:
                item = next(iterator)
            except StopIteration:
                return
            for buffer in buffers:
                buffer.append(item)
        yield own.popleft()


def groupby(iterable, key=None):
    return _grouped(iter(iterable), key)


def _grouped(iterator, key):
    # [number of the group that is open, its key, the item that was read ahead, whether there is none]
    state = [0, None, None, False]
    if not _read_ahead(iterator, key, state):
        return
    while not state[3]:
        state[0] += 1
        number, own = state[0], state[1]
        yield own, _group(iterator, key, state, number, own)
        # Whoever did not take the whole group has left the rest to be skipped.
        while not state[3] and state[0] == number and state[1] == own:
            _read_ahead(iterator, key, state)


def _read_ahead(iterator, key, state):
    try:
        state[2] = next(iterator)
    except StopIteration:
        state[3] = True
        return False
    state[1] = state[2] if key is None else key(state[2])
    return True


def _group(iterator, key, state, number, own):
    while not state[3] and state[0] == number and state[1] == own:
        yield state[2]
        if state[0] != number:
            return
        _read_ahead(iterator, key, state)
