"""Special methods and generators that call themselves, as deep as the machine goes and deeper."""

from dataclasses import dataclass

from tests.language.steps import note
from waymark import Workflow, workflow


@dataclass
class Chain:
    inner: object = None

    def __len__(self):
        return 0 if self.inner is None else 1 + len(self.inner)

    def __str__(self):
        return "end" if self.inner is None else f"<{self.inner}>"

    def __eq__(self, other):
        return [self.inner] == [other.inner] if other is not None else False

    def __iter__(self):
        if self.inner is not None:
            yield from self.inner
        yield len(self)

    def __contains__(self, x):
        return self.inner is x or (self.inner is not None and x in self.inner)


def chain(length):
    made = None
    for _ in range(length):
        made = Chain(made)
    return made


@workflow
class DeepSpecialMethods(Workflow):
    async def run(self):
        a, b = chain(60), chain(60)
        await note("x")
        return len(a), len(str(a)), a == b, a == chain(59), sum(a), 5 in a, list(a)[:3]


@workflow
class TooDeepSpecialMethods(Workflow):
    async def run(self):
        endless = Chain()
        endless.inner = endless
        out = []
        for f in (lambda: len(endless), lambda: str(endless), lambda: list(endless), lambda: 1 in endless):
            try:
                f()
            except RecursionError as e:
                out.append(type(e).__name__)
        await note("goes on")
        return out, len(chain(20))
