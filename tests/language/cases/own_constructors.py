"""Exceptions with an `__init__` of their own that is not compiled in, under a base whose `__init__` is."""

import os

from tests.language.steps import echo
from waymark import Workflow, workflow


class Plain(Exception):
    def __init__(self, what):
        self.what = what
        super().__init__(what)


class Explicit(Plain):
    def __init__(self, what):
        Plain.__init__(self, what + "!")


class Outside(Plain):
    def __init__(self, what):
        super().__init__(what)
        self.here = os.getpid() > 0


class Updated(Plain):
    def __init__(self, what):
        super().__init__(what)
        self.__dict__.update(more=1)


class Noted(Plain):
    def __init__(self, what):
        super().__init__(what)
        BaseException.add_note(self, f"about {what}")


class Widened(Explicit):
    def __init__(self, what, more):
        Explicit.__init__(self, what)
        self.more = more

    @classmethod
    def of(cls, *parts):
        return cls("-".join(parts), more=len(parts))


class Inherited(Widened):
    kind = "inherited"


class Back(Outside):
    def __init__(self, what):
        super().__init__(what.upper())


def told(e):
    return type(e).__name__, e.what, e.args, str(e)


@workflow
class OwnConstructors(Workflow):
    async def run(self):
        log = [told(Plain("a")), told(Explicit("b")), (e := Outside("c")).here and told(e)]
        log += [Updated("d").more, Noted(await echo("e")).__notes__, told(Back("f"))]
        return log


@workflow
class OwnConstructorsInARow(Workflow):
    async def run(self):
        log = []
        makers = (
            lambda: Widened("a", 1),
            lambda: Inherited("b", more=2),
            lambda: Inherited.of("c", "d"),
            lambda: Widened("only"),
            lambda: Plain("e", 2),
        )
        for make in makers:
            try:
                raise make()
            except Widened as e:
                log.append((told(e), e.more, getattr(e, "kind", None)))
            except TypeError as e:
                log.append(str(e))
        return log


@workflow
class OwnConstructorsOfClassesAsValues(Workflow):
    async def run(self):
        log = []
        for cls in (Plain, Explicit, Outside, Updated):
            try:
                raise cls("x")
            except Plain as e:
                log.append((told(e), told(type(e)("y")), isinstance(e, cls)))
        return log


@workflow
class NobodyCatchesAnOwnConstructor(Workflow):
    async def run(self):
        raise Explicit("gone")
