"""Texts of exceptions: inherited ones, and those of errors that came from an action and were changed."""

import copy
from dataclasses import dataclass

from tests.language.steps import Foreign, OutOfStock, echo, foreign, note, sell
from waymark import Workflow, action, workflow


class ApiError(Exception):
    def __str__(self):
        return f"E! {self.args}"


class NotFound(ApiError):
    pass


class Gone(NotFound, KeyError):
    pass


class KeyFirst(KeyError, ApiError):
    pass


class Shown(Exception):
    def __repr__(self):
        return f"<{self}>"


class Deeper(Shown):
    def __str__(self):
        return "deeper " + super().__str__()


class Deepest(Deeper):
    pass


class Several(ExceptionGroup):
    def __str__(self):
        return f"several: {self.message}"


class Some(Several):
    pass


class Answered(Exception):
    def __init__(self, code, detail=None):
        super().__init__(code)
        self.code, self.detail = code, detail

    def __str__(self):
        return f"<{self.code}:{self.detail}>"


class Late(Answered):
    pass


class Translated(Foreign):
    def __str__(self):
        return "translated"


class Holding(Exception):
    def __init__(self, names):
        super().__init__("holding")
        self.names = names

    def __str__(self):
        return ", ".join(self.names)


@dataclass
class Counted(Exception):
    n: int = 0


class Twice(Counted):
    def __str__(self):
        return f"{self.n * 2}"


@action
async def fail(which):
    kinds = {"answered": Answered, "late": Late, "holding": Holding, "notfound": NotFound}
    raise kinds[which](["a"] if which == "holding" else 500)


def told(e):
    return str(e), repr(e), f"{e}", f"{e!r:>8}", "%s %r" % (e, e), format(e), "{}".format(e)


@workflow
class InheritedTexts(Workflow):
    async def run(self):
        print(NotFound("p"), Gone("p"), KeyFirst("p"), [Deepest("p")])
        return [told(e) for e in (NotFound("x"), Gone("x"), KeyFirst("x"), Deepest("x"), Shown(1), Twice(4))]


@workflow
class InheritedTextsOfGroups(Workflow):
    async def run(self):
        try:
            raise Some("many", [NotFound(1), ValueError(2)])
        except* ValueError as group:
            log = [told(group)]
        except* ApiError as group:
            log.append(told(group))
        return log, [str(e) for e in Some("two", [Gone(1), Gone(2)]).exceptions]


@workflow
class NobodyCatchesAnInheritedText(Workflow):
    async def run(self):
        await note("first")
        raise NotFound("y")


@workflow
class InheritedTextsFromActions(Workflow):
    async def run(self):
        try:
            await fail("notfound")
        except NotFound as e:
            log = [told(e)]
            e.args = (1, 2)
            log.append(told(e))
            await echo(3)
            return log, told(e), told(await echo(e))


@workflow
class ChangedAfterAnAction(Workflow):
    async def run(self):
        log = []
        for which in ("answered", "late"):
            try:
                await fail(which)
            except Answered as e:
                assert isinstance(e, Late) or which == "answered"
                before = str(e)
                e.detail = "changed"
                await note(str(e))
                other = copy.copy(e)
                other.code = 1
                log.append((before, told(e), told(other), str(type(e)(7))))
        return log


@workflow
class ChangedInside(Workflow):
    async def run(self):
        try:
            await fail("holding")
        except Holding as e:
            e.names.append("b")
            await note(str(e))
            e.names.append("c")
            return told(e)


@workflow
class OtherArgsAfterAnAction(Workflow):
    async def run(self):
        try:
            await sell("x")
        except OutOfStock as e:
            log = [told(e)]
            e.note = 1
            log.append(told(e))
            e.args = ("y", 2)
            await note("between")
            return log, told(e)


@workflow
class RaisedAgainWithAnotherText(Workflow):
    async def run(self):
        try:
            await fail("late")
        except Late as e:
            e.detail = "more"
            raise


@workflow
class TextsThatAreNotCompiled(Workflow):
    async def run(self):
        try:
            await foreign()
        except Foreign as e:
            e.add_note("n")
            return told(e), str(Translated("z"))


@workflow
class RaisedAgainWithoutItsText(Workflow):
    async def run(self):
        try:
            await foreign()
        except Foreign as e:
            e.more = 1
            raise
