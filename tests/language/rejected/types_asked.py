"""Types that cannot be asked for, abstract classes that are more than asked for, and classes that inherit from those."""

import itertools
import typing
from collections.abc import Generator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field

from tests.language.steps import double, echo
from waymark import Workflow, workflow


@dataclass
class Bag(Sequence):
    items: list = field(default_factory=list)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


@dataclass
class Table(Mapping):
    rows: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        return iter(self.rows)

    def __getitem__(self, key):
        return self.rows[key]


@workflow
class CallsAnAbstractClass(Workflow):
    async def run(self):
        return MutableMapping(await double(1))


@workflow
class RegistersAtAnAbstractClass(Workflow):
    async def run(self):
        Mapping.register(Bag)
        return isinstance(Bag(), Mapping), sorted([{}], key=Mapping.get)


@workflow
class AliasesElsewhere(Workflow):
    async def run(self, value=()):
        kinds = [typing.List, typing.Mapping]
        match await echo(value):
            case typing.Sequence():
                return kinds
        return isinstance(value, typing.SupportsInt)


@workflow
class GenericsWithArguments(Workflow):
    async def run(self, value=()):
        return isinstance(value, Sequence[int]), isinstance(value, (str, typing.Mapping[str, int])), isinstance(value, list[int] | None)


@workflow
class UnionsOfTyping(Workflow):
    async def run(self, value=1):
        if isinstance(await double(value), (typing.Union[int, str], bytes)):
            return 1
        return isinstance(value, typing.Optional[Mapping])


@workflow
class GeneratorsBesideItertools(Workflow):
    async def run(self):
        return isinstance(itertools.count(await double(1)), Generator)


@workflow
class PatternsOfOwnSequences(Workflow):
    async def run(self):
        match Bag(await echo([1, 2])):
            case [first, *_]:
                return first


@workflow
class PatternsOfOwnMappings(Workflow):
    async def run(self):
        match Table(await echo({"a": 1})):
            case {"a": found}:
                return found
