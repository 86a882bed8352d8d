"""Models with sets in them: what unions, ``model_dump`` and ``model_dump_json`` make of those."""

import json
from collections import Counter, deque
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

from tests.language.steps import double, echo
from waymark import Workflow, workflow


class Tagged(BaseModel):
    tags: set[str] = set()
    pages: frozenset[int] = frozenset({1})
    groups: dict[str, set[int]] = {}
    extra: Any = None


@dataclass
class Shelf:
    marks: set


class Library(BaseModel):
    shelf: Shelf
    all: list[Tagged] = []


@workflow
class SetsOfModelsAsJson(Workflow):
    async def run(self):
        one = Tagged(tags=["a"], groups={"g": {await double(1)}})
        one.tags.add("a")
        kept = await echo(Tagged(pages=[1, 2]))
        library = Library(shelf=Shelf({3}), all=[one, {"tags": {"x"}}])
        return [
            one.model_dump(mode="json"),
            one.model_dump_json(),
            kept.model_dump(mode="json", include={"pages"}),
            library.model_dump_json(exclude={"all": {0: {"tags"}}}),
            library.model_dump(mode="json")["all"][1],
            json.loads(kept.model_dump_json()),
            Tagged.model_validate_json(one.model_dump_json()) == one,
        ]


@workflow
class SetsWhereNoFieldNamesThemAsJson(Workflow):
    async def run(self):
        seen = []
        for extra in ({5}, [{"k": frozenset({await double(3)})}], {frozenset({7})}, range(3), [range(4)]):
            held = Tagged(extra=extra)
            for dump in (held.model_dump_json, lambda: held.model_dump(mode="json")):
                try:
                    seen.append(dump())
                except ValueError as error:
                    seen.append((type(error).__name__, str(error), error.__context__))
        return seen


@workflow
class FieldsOfSetsThatHoldSomethingElse(Workflow):
    async def run(self):
        odd = Tagged(tags={"a"})
        before = odd.model_dump()
        before["tags"].add("b")
        odd.tags, odd.pages = await echo(["a", "a"]), None
        seen = [odd.model_dump(), odd.model_dump(mode="json"), odd.model_dump_json()]
        odd.tags, odd.pages = frozenset({"f"}), {8}
        return [*seen, odd.model_dump(), odd.model_dump_json(), before["tags"]]


class Either(BaseModel):
    ids: list[int] | set[int]
    names: frozenset[str] | set[str] | list[str] | None = None


@workflow
class SetsAmongTheMembersOfAUnion(Workflow):
    async def run(self):
        return [
            Either(ids={await double(1)}, names={"a"}),
            Either(ids=[1], names=["b"]),
            Either(ids=frozenset({3}), names=frozenset({"c"})),
        ]


class Anything(BaseModel):
    given: Any = None
    more: object = None


@workflow
class DumpedSetsAreCopies(Workflow):
    """Also those that no field names, however deep."""

    async def run(self):
        held = Anything(given={"k": {await double(1)}, "l": [{3}, ({4}, deque([{5}]))]}, more={6})
        dumped = held.model_dump()
        sets = [dumped["given"]["k"], dumped["given"]["l"][0], dumped["given"]["l"][1][0], dumped["given"]["l"][1][1][0]]
        for each in [*sets, dumped["more"]]:
            each.add("new")
        counted = Anything(given=Counter("aab")).model_dump()
        return held, dumped, await echo(counted["given"]["a"])


class Page(BaseModel, frozen=True):
    number: int


class Choosing(BaseModel):
    ids: int | set[int] | None = None
    names: dict[str, bool | frozenset[str]] = {}
    tags: set[Annotated[int, Field(gt=3)]] | bool = False
    any: int | set = 0
    pages: int | frozenset[Page] = 0


@workflow
class PlacesOfErrorsInUnionsWithSets(Workflow):
    async def run(self):
        seen = []
        for given in (
            {"ids": {"x"}},
            {"ids": "x", "names": {"k": {5}, "l": 1.5}},
            {"tags": [await double(1)], "any": None},
            {"pages": [{"number": "x"}]},
        ):
            try:
                Choosing(**given)
            except ValueError as error:
                seen.append((str(error), [each["loc"] for each in error.errors()]))
        return seen
