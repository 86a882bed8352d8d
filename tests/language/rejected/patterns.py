"""Regular expressions whose work nobody can bound."""

import re

from tests.language.steps import note
from waymark import Workflow, workflow

TWISTED = re.compile(r"(a|aa)+$")


@workflow
class NestedRepeat(Workflow):
    async def run(self, text):
        return re.match(r"(\w+\s?)*$", text)


@workflow
class BackReference(Workflow):
    async def run(self, text):
        await note(text)
        return [
            re.findall(r"(\w)\1", text),
            re.sub(pattern=r"(?P<q>['\"]).*(?P=q)", repl="", string=text),
        ]


@workflow
class EmptyRepeat(Workflow):
    async def run(self, text):
        if re.search("(?:a?){50}", await note(text)):
            return 1


@workflow
class CapturedPattern(Workflow):
    async def run(self, text):
        return bool(TWISTED.search(text))


@workflow
class OverlappingAlternatives(Workflow):
    async def run(self, text):
        return [part for part in re.split(r"(?:ab|a|b)+", text)]
