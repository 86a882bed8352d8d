"""Exceptions with an ``__init__``: raised or thrown as a class."""

from dataclasses import dataclass

from tests.language.steps import echo
from waymark import Workflow, workflow


class Default(Exception):
    def __init__(self, message="default"):
        self.parts = list(words(message))
        super().__init__(message)


class Broken(Exception):
    def __init__(self):
        raise ValueError("broken")


class Needy(Exception):
    def __init__(self, what):
        super().__init__(what)


@dataclass
class Coded(Exception):
    code: int = 4


def words(text):
    yield from text.split()


def told(e):
    return type(e).__name__, e.args, str(e), repr(e.__context__), repr(e.__cause__)


@workflow
class RaisedClasses(Workflow):
    async def run(self):
        log = []
        for cls in (Default, Broken, Needy, Coded, KeyError):
            for how in (self.plain, self.caused, self.cause, self.handling, self.nested):
                try:
                    how(cls)
                except Exception as e:
                    log.append((how.__name__, told(e)))
            await echo(1)
        return log

    def plain(self, cls):
        raise cls

    def caused(self, cls):
        raise cls from Default

    def cause(self, cls):
        raise IndexError(1) from cls

    def handling(self, cls):
        try:
            raise LookupError(2)
        except LookupError:
            raise cls

    def nested(self, cls):
        x = cls
        try:
            try:
                raise x
            finally:
                assert x is cls
        except Default:
            raise x from x


@workflow
class ThrownClasses(Workflow):
    async def run(self):
        log = []

        def plain():
            for _ in range(2):
                try:
                    yield "first"
                except (Default, ValueError, TypeError, Coded) as e:
                    log.append(told(e))

        async def late():
            try:
                yield "first"
            except (Default, Coded) as e:
                log.append(told(e))
                yield "second"
                yield "third"

        for cls in (Default, Broken, Needy, Coded):
            g = plain()
            log += [next(g), g.throw(cls)]
            try:
                g.throw(cls)
            except StopIteration:
                log.append("end")
            try:
                g.throw(cls)
            except Exception as e:
                log.append(told(e))
        for cls in (Default, Coded):
            a = late()
            log += [await anext(a), await a.athrow(cls)]
            await a.aclose()
        return log


@workflow
class ThrowsIntoWhatLetsThemOut(Workflow):
    async def run(self):
        def waiting():
            yield 1

        g = waiting()
        next(g)
        try:
            g.throw(Default)
        except Default as e:
            return e.parts, told(e), list(g)
