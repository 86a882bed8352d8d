"""In place of functions and classes of other packages: actions that call them, and values that come back."""

from tests.language.steps import double, echo
from waymark import Workflow, action, workflow

INPUTS = {
    "FunctionOfAPackageRewritten": [{"url": "a"}],
    "FunctionOfAPackageInAHelperRewritten": [{"url": "a"}],
    "ClassOfAPackageRewritten": [{"url": "a"}],
    "ClientAsContextRewritten": [{"url": "a"}],
    "StreamAsContextRewritten": [{"url": "a"}],
}


@action
async def fetch(url: str) -> str:
    return f"what is at {url}"


@action
async def listed() -> list[str]:
    return ["a file"]


async def reached_from_a_helper(url):
    return await fetch(url)


@workflow
class FunctionOfAPackageRewritten(Workflow):
    async def run(self, url):
        first = await echo(len(await fetch(url)))
        return first, [await double(1)], [await fetch(each) for each in [url]]


@workflow
class FunctionOfAPackageInAHelperRewritten(Workflow):
    async def run(self, url):
        return await reached_from_a_helper(url)


@workflow
class MethodOfAClassOfAPackageRewritten(Workflow):
    async def run(self):
        return await listed()


@workflow
class ClassOfAPackageRewritten(Workflow):
    async def run(self, url):
        return await fetch(url)


@workflow
class ClientAsContextRewritten(Workflow):
    async def run(self, url):
        return await fetch(url), await fetch(url * 2)


@workflow
class StreamAsContextRewritten(Workflow):
    async def run(self, url):
        return await fetch(url)


@workflow
class QualifiedNamesRewritten(Workflow):
    async def run(self):
        return await echo(await listed())
