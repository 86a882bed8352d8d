"""What ``format`` and ``str.format`` find on an object: its ``__format__``, properties and constants of its class."""

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from tests.language.steps import Colour, Point, echo, note
from waymark import Workflow, workflow


@dataclass
class Degrees:
    value: int
    UNIT: ClassVar[str] = "C"

    def __format__(self, spec):
        return f"<{self.value}{self.UNIT}:{spec}>"

    @property
    def doubled(self):
        return Degrees(self.value * 2)

    @property
    def inverse(self):
        return 1 / self.value


@dataclass(repr=False)
class Unshown:
    value: int

    def __str__(self):
        return f"unshown {self.value}"


@dataclass
class Around:
    number: int
    inside: Unshown = field(repr=False)


@dataclass
class Described:
    inside: Unshown

    def __repr__(self):
        return f"with {self.inside}"


class Size(Enum):
    SMALL = 1

    def __format__(self, spec):
        return f"{self.name.lower()}{spec or '!'}"

    @property
    def label(self):
        return f"size {self.value}"


class Failure(Exception):
    def __format__(self, spec):
        return f"failure of {self.args[0]}{spec}"


@workflow
class FormatWithoutASpec(Workflow):
    async def run(self):
        log = []
        for each in (Degrees(await echo(3)), Size.SMALL, Failure("x"), Point(1), Colour.RED, True, None, 2.5, "t"):
            log.append((f"{each}", format(each), "{}".format(each), "{:}".format(each), f"{each!s}", format(each, "")))
        log.append("{0} {a} {0!r}".format(Degrees(1), a=Size.SMALL))
        log.append(" ".join(map(format, [Degrees(2), 5])))
        return log


@workflow
class FieldsReadProperties(Workflow):
    async def run(self):
        each = Degrees(await echo(3))
        log = ["{0.doubled.doubled} {0.UNIT} {a.label} {a.value:{0.value}}".format(each, a=Size.SMALL)]
        log.append("{d.doubled.value}{d.UNIT}".format_map({"d": each}))
        for template in (await note("{.inverse:.3}"), "{0.doubled} {0.value}", "{0.nothing}", "{0.doubled.UNIT.x}"):
            for value in (each, Degrees(0)):
                try:
                    log.append(template.format(value))
                except (AttributeError, ArithmeticError) as e:
                    log.append(repr(e))
        log += map("{.doubled}".format, [Degrees(5), each])
        return log


@workflow
class TextsWithoutARepr(Workflow):
    """Objects whose ``repr`` nobody asks for: it would show an address."""

    async def run(self):
        log = []
        for each in (Unshown(await echo(2)), Around(3, Unshown(4)), Described(Unshown(5))):
            log.append((str(each), f"{each}", "{}".format(each), str([Described(Unshown(6)), Around(7, each)])))
        print(Unshown(8), Described(Unshown(9)))
        return log


@workflow
class EnumsTellTheirParts(Workflow):
    async def run(self):
        size = await echo(Size.SMALL)
        return size._value_, size._name_, size.value, Colour("red")._name_, getattr(Size.SMALL, "_value_"), hasattr(size, "_none_")
