"""In place of regular expressions whose work nobody can bound."""

import re

from tests.language.steps import note
from waymark import Workflow, action, workflow

INPUTS = {
    f"{name}Rewritten": [{"text": "aab b"}]
    for name in (
        "NestedRepeat", "BackReference", "EmptyRepeat", "CapturedPattern", "OverlappingAlternatives",
    )
}  # fmt: skip
PLAIN = re.compile(r"a+$")


@action
async def doubled_letters(text: str) -> list[str]:
    return re.findall(r"(\w)\1", text)


@workflow
class NestedRepeatRewritten(Workflow):
    async def run(self, text):
        return re.match(r"[\w\s]*$", text) is not None


@workflow
class BackReferenceRewritten(Workflow):
    async def run(self, text):
        await note(text)
        return await doubled_letters(text)


@workflow
class EmptyRepeatRewritten(Workflow):
    async def run(self, text):
        if re.search("a{0,50}", await note(text)):
            return 1
        return None


@workflow
class CapturedPatternRewritten(Workflow):
    async def run(self, text):
        return bool(PLAIN.search(text))


@workflow
class OverlappingAlternativesRewritten(Workflow):
    async def run(self, text):
        return [part for part in re.split(r"[ab]+", text)]
