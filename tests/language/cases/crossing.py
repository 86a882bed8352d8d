"""Functions and generators that would leave the workflow: an error with the path, where they would."""

from tests.language.steps import add, double, echo, note
from waymark import Workflow, workflow


@workflow
class FunctionsIntoActions(Workflow):
    async def run(self):
        def f():
            return 1

        def g():
            yield 1

        held = g()
        given = [f, lambda: 1, (x for x in []), held, {"a": [f]}, len, [1, {"deep": (2, held)}]]
        out = []
        for value in given:
            try:
                await echo(value)
            except Exception as e:
                out.append((type(e).__name__, str(e)))
        await note("goes on")
        return out, list(held)


@workflow
class KeywordsIntoActions(Workflow):
    async def run(self):
        def f():
            return 1

        out = []
        for call in (lambda: add(1, b=f), lambda: add(f), lambda: double(f)):
            try:
                await self.run_action(call(), timeout=5)
            except Exception as e:
                out.append(str(e))
        return out


@workflow
class FunctionAsResult(Workflow):
    async def run(self):
        def f():
            return 1

        await note("before")
        held = {"rows": [1, 2, {"callback": f}]}
        return await echo([1]) if held is None else [held["rows"][0], callable(held["rows"][2]["callback"])]
