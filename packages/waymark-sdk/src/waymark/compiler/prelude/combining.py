"""Iterables come in; their products, permutations and combinations, in CPython's order, go out one by one."""

# mypy: ignore-errors

from __future__ import annotations


def product(*iterables, repeat=1):
    if repeat < 0:
        msg = "repeat argument cannot be negative"
        raise ValueError(msg)
    pools = [tuple(each) for each in iterables] * repeat
    return _products(pools)


def _products(pools):
    if not all(pools):
        return
    places = [0] * len(pools)
    while True:
        yield tuple([pool[place] for pool, place in zip(pools, places)])  # noqa: B905 - of one length
        turning = len(pools) - 1
        while turning >= 0:
            places[turning] += 1
            if places[turning] < len(pools[turning]):
                break
            places[turning] = 0
            turning -= 1
        if turning < 0:
            return


def _checked(r):
    if not isinstance(r, int):
        msg = "Expected int as r"
        raise TypeError(msg)
    if r < 0:
        msg = "r must be non-negative"
        raise ValueError(msg)


def permutations(iterable, r=None):
    pool = tuple(iterable)
    if r is not None:
        _checked(r)
    return _permuted(pool, len(pool) if r is None else r)


def _permuted(pool, r):
    if r > len(pool):
        return
    order = list(range(len(pool)))
    left = list(range(len(pool), len(pool) - r, -1))
    while True:
        yield tuple([pool[place] for place in order[:r]])
        turning = r - 1
        while turning >= 0:
            left[turning] -= 1
            if left[turning] > 0:
                other = len(pool) - left[turning]
                order[turning], order[other] = order[other], order[turning]
                break
            order.append(order.pop(turning))
            left[turning] = len(pool) - turning
            turning -= 1
        if turning < 0:
            return


def combinations(iterable, r):
    pool = tuple(iterable)
    _checked(r)
    return _combined(pool, r)


def _combined(pool, r):
    if r > len(pool):
        return
    places = list(range(r))
    while True:
        yield tuple([pool[place] for place in places])
        turning = r - 1
        while turning >= 0 and places[turning] == turning + len(pool) - r:
            turning -= 1
        if turning < 0:
            return
        places[turning] += 1
        for behind in range(turning + 1, r):
            places[behind] = places[behind - 1] + 1


def combinations_with_replacement(iterable, r):
    pool = tuple(iterable)
    _checked(r)
    return _combined_again(pool, r)


def _combined_again(pool, r):
    if r and not pool:
        return
    places = [0] * r
    while True:
        yield tuple([pool[place] for place in places])
        turning = r - 1
        while turning >= 0 and places[turning] == len(pool) - 1:
            turning -= 1
        if turning < 0:
            return
        places[turning:] = [places[turning] + 1] * (r - turning)
