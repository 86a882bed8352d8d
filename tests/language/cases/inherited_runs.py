"""Workflows whose `run` a base class wrote: plain, decorated, abstract, mangled names and `super()`."""

from abc import abstractmethod

from tests.language.steps import add, double, echo, note
from waymark import Workflow, workflow


class Charged(Workflow):
    __factor = 3
    told: list = []

    @abstractmethod
    async def price(self, n):
        raise NotImplementedError

    def label(self):
        return "base"

    async def run(self, n: int = 2):
        self.told = [await note(self.label())]
        return await self.price(n) * self.__factor, self.told, type(self).__name__ == "Charged"


@workflow
class ChargedTwice(Charged):
    async def price(self, n):
        return await double(n)

    def label(self):
        return f"twice {super().label()}"


@workflow
class ChargedOnce(ChargedTwice):
    async def price(self, n):
        return await super().price(n) // 2


@workflow
class RunAsItIs(ChargedOnce):
    def label(self):
        return super().label().upper()


@workflow
class AddsToAnInheritedRun(Charged):
    async def price(self, n):
        return await add(n, n)

    async def run(self, n: int = 5):
        price, log, plain = await super().run(n)
        return await add(price, 1), [*log, await echo("more")], plain
