"""What to write instead of ``tests.language.rejected.library_names``."""

import json
from datetime import date, timedelta

from tests.language.steps import echo
from waymark import Workflow, workflow

INPUTS = {
    "GetterOfAttributesRewritten": [{"values": [3, 1, 2]}],
    "CallerOfMethodsRewritten": [{"words": ["a", "b"]}],
    "CachedInTheProcessRewritten": [{"n": 3}],
    "EncoderOfItsOwnRewritten": [{"value": {"b": 1, "a": 2}}],
    "WritesToAFileRewritten": [{"value": [1]}],
    "TemplateObjectRewritten": [{"name": "Ada"}],
    "ChainedMappingsRewritten": [{"given": {}}, {"given": {"colour": "blue"}}],
    "ConstructsWithDefaultJsonClassRewritten": [{"text": '{"x": 1}'}],
}


@workflow
class GetterOfAttributesRewritten(Workflow):
    async def run(self, values):
        return sorted(values, key=lambda value: value.real)


@workflow
class CallerOfMethodsRewritten(Workflow):
    async def run(self, words):
        return list(map(lambda value: value.upper(), words))  # noqa: C417 - what the diagnostic says


@workflow
class CachedInTheProcessRewritten(Workflow):
    async def run(self, n):
        known = {}
        text = await echo("a" * n)
        if text not in known:
            known[text] = len(text)
        return known[text]


@workflow
class EncoderOfItsOwnRewritten(Workflow):
    async def run(self, value):
        return json.dumps(value, sort_keys=True, default=str)


@workflow
class WritesToAFileRewritten(Workflow):
    async def run(self, value):
        return json.dumps(value)


@workflow
class TemplateObjectRewritten(Workflow):
    async def run(self, name):
        return f"hello {await echo(name)}"


@workflow
class ChainedMappingsRewritten(Workflow):
    async def run(self, given):
        return {"colour": "red", **given}["colour"]


@workflow
class ConstructsWithDefaultJsonClassRewritten(Workflow):
    async def run(self, text):
        return json.loads(text, object_hook=lambda found: [found])


@workflow
class LastDayOfAMonthRewritten(Workflow):
    async def run(self, day=date(2024, 2, 3)):
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
