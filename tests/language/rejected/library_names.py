"""Names of the standard library that no workflow has, each with one that it has in its place."""

import calendar
import functools
import json
import operator
import string
from collections import ChainMap
from datetime import date

from tests.language.steps import echo
from waymark import Workflow, workflow


@workflow
class GetterOfAttributes(Workflow):
    async def run(self, values):
        return sorted(values, key=operator.attrgetter("re" + "al"))


@workflow
class CallerOfMethods(Workflow):
    async def run(self, words):
        return list(map(operator.methodcaller(*["upper"]), words))


@workflow
class CachedInTheProcess(Workflow):
    async def run(self, n):
        slow = functools.lru_cache(len)
        return slow(await echo("a" * n))


@workflow
class EncoderOfItsOwn(Workflow):
    async def run(self, value):
        return json.JSONEncoder(sort_keys=True).encode(value)


@workflow
class WritesToAFile(Workflow):
    async def run(self, value):
        json.dump(value, None)


@workflow
class TemplateObject(Workflow):
    async def run(self, name):
        return string.Template("hello $name").substitute(name=await echo(name))


@workflow
class ChainedMappings(Workflow):
    async def run(self, given):
        return ChainMap(given, {"colour": "red"})["colour"]


@workflow
class ConstructsWithDefaultJsonClass(Workflow):
    async def run(self, text):
        return json.JSONDecoder().decode(text)


@workflow
class LastDayOfAMonth(Workflow):
    async def run(self, day=date(2024, 2, 3)):
        return day.replace(day=calendar.monthrange(day.year, day.month)[1])
