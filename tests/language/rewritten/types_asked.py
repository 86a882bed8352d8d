"""What to write instead of ``tests.language.rejected.types_asked``."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.language.steps import double, echo
from waymark import Workflow, workflow


@dataclass
class Bag:
    items: list = field(default_factory=list)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


@dataclass
class Table:
    rows: dict = field(default_factory=dict)

    def __getitem__(self, key):
        return self.rows[key]


@workflow
class CallsAnAbstractClassRewritten(Workflow):
    async def run(self):
        return dict(a=await double(1))


@workflow
class RegistersAtAnAbstractClassRewritten(Workflow):
    async def run(self):
        return isinstance(Bag(), Bag | Mapping), sorted([{}], key=lambda value: value.get("a", 0))


@workflow
class AliasesElsewhereRewritten(Workflow):
    async def run(self, value=()):
        kinds = [list, Mapping]
        match await echo(value):
            case Sequence():
                return [kind.__name__ for kind in kinds]
        return isinstance(value, (int, float))


@workflow
class GenericsWithArgumentsRewritten(Workflow):
    async def run(self, value=()):
        return isinstance(value, Sequence), isinstance(value, (str, Mapping)), isinstance(value, list | None)


@workflow
class UnionsOfTypingRewritten(Workflow):
    async def run(self, value=1):
        return isinstance(await double(value), (int | str, Mapping | None))


@workflow
class GeneratorsBesideItertoolsRewritten(Workflow):
    async def run(self):
        return isinstance(itertools.count(await double(1)), Iterator)


@workflow
class PatternsOfOwnSequencesRewritten(Workflow):
    async def run(self):
        match Bag(await echo([1, 2])):
            case Bag(items=[first, *_]):
                return first


@workflow
class PatternsOfOwnMappingsRewritten(Workflow):
    async def run(self):
        match Table(await echo({"a": 1})):
            case Table(rows={"a": found}):
                return found
