"""Abstract classes in tuples, unions, patterns and wrong questions, and by their aliases in ``typing``."""

import typing
from collections import Counter, deque
from collections.abc import (
    Callable,
    Container,
    Generator,
    Hashable,
    Iterable,
    KeysView,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
    Set,
    Sized,
    ValuesView,
)
from fractions import Fraction
from numbers import Integral, Number, Real
from typing import Any

from tests.language.cases.abstract_classes import Empty, Pair, Plain, Shelf, counted, plain
from tests.language.steps import boom, echo, note
from waymark import Workflow, workflow

LISTED = (Mapping, (Set, Sequence))


@workflow
class AskedInTuplesAndUnions(Workflow):
    async def run(self):
        log = []
        for value in ({}, [], {1}, "s", 1, None, plain, counted(), Empty(), Plain(), Pair()):
            await note("next")
            log.append(
                (
                    isinstance(value, LISTED),
                    isinstance(value, (int, Mapping, (Set, bytes))),
                    isinstance(value, Mapping | None | Callable),
                    isinstance(value, int | Iterable),
                    isinstance(value, ((), (Sized | Hashable,))),
                )
            )
        kind = await echo("Mapping")
        chosen = Mapping if kind == "Mapping" else Sequence
        return (
            log,
            isinstance({}, chosen),
            chosen is Mapping,
            {Mapping: 1, Set: 2}[chosen],
            str([chosen, Number]),
            chosen.__name__,
        )


@workflow
class AliasesOfTyping(Workflow):
    async def run(self):
        log = []
        for value in (
            {},
            [],
            {1},
            frozenset(),
            (),
            "s",
            1,
            plain,
            deque(),
            Counter(),
            Shelf(),
            Empty(),
            counted(),
        ):
            await note("next")
            log.append(
                (
                    isinstance(value, typing.Mapping),
                    isinstance(value, (typing.List, typing.Dict, typing.Tuple)),
                    isinstance(value, typing.AbstractSet | typing.Callable),
                    isinstance(value, int | typing.Sized),
                    isinstance(value, (typing.Deque, (typing.Counter, typing.Iterator))),
                    issubclass(type(value), typing.Hashable)
                    if not callable(value) and not isinstance(value, Generator)
                    else None,
                )
            )
        return log


def flat(value: Any):
    match value:
        case str() | bytes():
            return value
        case Mapping():
            return {key: flat(item) for key, item in value.items()}
        case Set() as found if len(found) > 1:
            return sorted(found)
        case Sequence() | ValuesView() | KeysView() | Set():
            return [flat(item) for item in value]
        case bool():
            return value
        case Integral(numerator=n):
            return -n
        case Real(real=r):
            return r * 2
        case Callable():
            return "callable"
        case Iterable():
            return ["iterated", *value]
        case Hashable():
            return type(value).__name__
        case Sized() | Container() | _:
            return "else"


@workflow
class ClassPatternsThatAreAbstract(Workflow):
    async def run(self):
        nested = {
            1: [2, 2.5, True, ("t", {4})],
            "keys": {5: 6, 7: 8}.keys(),
            "values": {5: 6}.values(),
            "set": {3, 1, 2},
            "range": range(2),
            "gen": counted(),
            "call": plain,
            "none": None,
            "model": Empty(),
            "shelf": Shelf([1]),
            "fraction": Fraction(1, 2),
            "data": Plain(),
        }
        out = flat(nested)
        await note("matched")
        return out, flat(await echo({"a": [1, {"b": (2,)}]}))


@workflow
class WrongQuestions(Workflow):
    async def run(self):
        log = []
        for ask in (
            lambda: isinstance(Empty(), (Mapping, 5)),
            lambda: isinstance(Empty(), (Iterable, 5)),
            lambda: isinstance(plain, (Mapping, 5)),
            lambda: issubclass(1, Mapping),
            lambda: issubclass(Empty(), Mapping),
            lambda: issubclass(Plain, (Mapping, "x")),
            lambda: isinstance(counted(), Empty()),
            lambda: isinstance(Plain()),
            lambda: issubclass(Plain, Mapping, Set),
            lambda: Mapping < Set,
            lambda: positional(1),
        ):
            try:
                log.append(ask())
            except TypeError as e:
                log.append(str(e))
        try:
            await boom("ValueError", "kept")
        except ValueError as e:
            log.append(
                (
                    isinstance(e, Hashable),
                    isinstance(e, Iterable),
                    isinstance(e, Exception | Mapping),
                )
            )
        made = Sequence if log else Set
        try:
            log.append(made())
        except TypeError as e:
            log.append(str(e))
        return log


def positional(value):
    match value:
        case Number(n):
            return n


@workflow
class WalksWhatCame(Workflow):
    async def run(self, payload):
        return self.paths(payload, ""), [
            kind.__name__
            for kind in (MutableMapping, MutableSequence, MutableSet)
            if isinstance(payload, kind)
        ]

    def paths(self, value, path):
        if isinstance(value, Mapping):
            return [found for key in value for found in self.paths(value[key], f"{path}.{key}")]
        if isinstance(value, Iterable) and not isinstance(value, str):
            return [
                found
                for index, item in enumerate(value)
                for found in self.paths(item, f"{path}[{index}]")
            ]
        return [f"{path}={value}"]


INPUTS = {
    "WalksWhatCame": [
        {"payload": {"a": [1, {"b": "text"}], "c": (None, 2.5)}},
        {"payload": [[], [{}], [3]]},
    ]
}
