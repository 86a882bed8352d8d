"""Exceptions and dataclasses with code of their own: raised as a class, made by compiled code or in a worker."""

import configparser
import dataclasses
import logging
import subprocess
import urllib.error
from dataclasses import InitVar, dataclass, field

from tests.language.steps import echo
from waymark import Workflow, workflow

log_of_module = logging.getLogger(__name__)


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


class Many(Exception):
    def __init__(self, first=1, *rest):
        super().__init__(first, *rest)


class Few(Many):
    def __init__(self, only):
        super().__init__(only)


class Named(Exception):
    def __init__(self, name="n"):
        Exception.__init__(self, name)
        self.name = name


class Logged(Exception):
    def __init__(self, *args):
        log_of_module.debug("made")
        super().__init__(*args)


class Unreachable(OSError):
    def __init__(self, number):
        super().__init__(number, "unreachable")


class Mixin:
    pass


class Mixed(Mixin, KeyError):
    def __init__(self, key):
        super().__init__(key)


class Grouped(ExceptionGroup):
    def __new__(cls, number):
        return super().__new__(cls, "grouped", [ValueError(number)])

    def __init__(self, number):
        self.number = number


@dataclass
class Checked:
    a: int
    twice: int = field(default=0, init=False)
    add: InitVar[int] = 0

    def __post_init__(self, add):
        if self.a < 0:
            raise ValueError(self.a)
        self.twice = self.a * 2 + add


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


@workflow
class MadeByTheirOwnCode(Workflow):
    async def run(self):
        log = []
        try:
            raise Coded(1)
        except Coded as e:
            log.append((e.code, told(e)))
        try:
            raise Many(1, 2)
        except Many as e:
            log.append(told(e))
        try:
            raise Unreachable(await echo(5))
        except OSError as e:
            log.append((e.errno, e.strerror, told(e)))
        return log


@workflow
class MadeInAHandler(Workflow):
    async def run(self):
        log = []
        makers = (Named, lambda: Logged(1, 2), lambda: Mixed("k"), lambda: Grouped(6), lambda: Checked(-1))
        for make in makers:
            try:
                try:
                    raise TypeError("first")
                except TypeError:
                    raise make()
            except Exception as e:
                log.append(told(e))
        return log


@workflow
class OfTheLibrary(Workflow):
    async def run(self):
        try:
            raise subprocess.CalledProcessError(3, "ls")
        except subprocess.CalledProcessError as e:
            log = [e.returncode, told(e)]
        try:
            raise configparser.NoSectionError("s") from urllib.error.URLError("r")
        except configparser.Error as e:
            log.append((e.section, told(e)))
        return log


@workflow
class NobodyCatchesIt(Workflow):
    async def run(self):
        raise Coded(9)


@workflow
class OfABaseThatIsNotCompiled(Workflow):
    async def run(self):
        try:
            raise Few(await echo(3))
        except Many as e:
            return told(e), isinstance(e, Few)


@workflow
class ReplacedByTheirOwnCode(Workflow):
    async def run(self):
        c = Checked(3, add=1)
        log = [c, dataclasses.replace(c, a=5), dataclasses.replace(c, add=2), dataclasses.replace(Coded(1), code=7).code]
        for wrong in ({"a": -2}, {"twice": 1}, {"b": 1}):
            try:
                log.append(dataclasses.replace(c, **wrong))
            except (ValueError, TypeError) as e:
                log.append(told(e))
        return log
