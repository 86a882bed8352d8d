"""Groups of exceptions as values: made, taken apart, shown, sent to actions, kept over recoveries."""

import asyncio

from tests.language.steps import OutOfStock, boom, double, echo, note, sell
from waymark import Workflow, workflow


def nested(error):
    if isinstance(error, BaseExceptionGroup):
        return [type(error).__name__, error.message, *[nested(each) for each in error.exceptions]]
    return repr(error)


class Coded(ExceptionGroup):
    """A group that keeps its class when it is split."""

    def derive(self, excs):
        return Coded(f"{self.message}!", excs)


class Plain(ExceptionGroup):
    """A group whose parts are plain groups."""


class Broken(ExceptionGroup):
    def derive(self, excs):
        raise LookupError("cannot derive")


@workflow
class MadeAndShown(Workflow):
    async def run(self):
        group = ExceptionGroup("two", [ValueError(1), await doubled_error()])
        base = BaseExceptionGroup("mixed", (asyncio.CancelledError(), ValueError()))
        all_plain = BaseExceptionGroup("plain", [ValueError()])
        await note(str(group))
        return str(group), repr(group), group.message, len(group.exceptions), type(group.exceptions).__name__, repr(base), type(all_plain).__name__, group.args[0], isinstance(group, Exception), isinstance(base, Exception)


async def doubled_error():
    return KeyError(await double(1))


@workflow
class WrongWays(Workflow):
    async def run(self):
        out = []
        for args in ((), ("m",), ("m", []), ("m", [1]), (1, [ValueError()]), ("m", [asyncio.CancelledError()]), ("m", 5), ("m", "ab"), ("m", {1: ValueError()}), ("m", [ValueError()], 3)):
            try:
                ExceptionGroup(*args)
                out.append("made")
            except (TypeError, ValueError) as error:
                out.append((type(error).__name__, str(error)))
        return await echo(out)


@workflow
class SplitByType(Workflow):
    async def run(self):
        group = ExceptionGroup("g", [ValueError(1), ExceptionGroup("in", [TypeError(2), ValueError(3)]), KeyError(4)])
        pairs = [group.split(ValueError), group.split((TypeError, LookupError)), group.split(OSError), group.split(Exception), group.split(ExceptionGroup)]
        await note("later")
        return [[None if part is None else nested(part) for part in pair] for pair in pairs], pairs[3][0] is group


@workflow
class SubgroupByLambda(Workflow):
    async def run(self):
        limit = await double(1)
        group = ExceptionGroup("g", [ValueError(1), ExceptionGroup("in", [ValueError(2), ValueError(3)])])
        big = group.subgroup(lambda error: isinstance(error, ValueError) and error.args[0] >= limit)
        none = group.subgroup(lambda error: False)
        seen = []
        group.split(lambda error: seen.append(nested(error)))
        return nested(big), none, seen


@workflow
class ConditionThatRaises(Workflow):
    async def run(self):
        group = ExceptionGroup("g", [ValueError(1)])
        try:
            group.split(lambda error: error.args[5])
        except IndexError as error:
            found = [str(error), repr(error.__context__)]
        for condition in (None, 5, "x", [ValueError], (ValueError, 3), int):
            try:
                group.subgroup(condition)
                found.append("no error")
            except TypeError as error:
                found.append(str(error))
        return await echo(found)


@workflow
class DerivedGroups(Workflow):
    async def run(self):
        group = ExceptionGroup("g", [ValueError(1), KeyError(2)])
        group.add_note("noted")
        other = group.derive([OSError(3)])
        part = group.subgroup(KeyError)
        base = group.derive([asyncio.CancelledError()])
        await note("x")
        return nested(other), getattr(other, "__notes__", None), part.__notes__, nested(base)


@workflow
class OwnDerive(Workflow):
    async def run(self):
        group = Coded("coded", [ValueError(1), KeyError(2)])
        await note(str(group))
        match, rest = group.split(KeyError)
        try:
            raise group
        except* ValueError as share:
            again = nested(share)
        except* KeyError as share:
            other = nested(share)
        return nested(match), nested(rest), again, other


@workflow
class ClassWithoutDerive(Workflow):
    async def run(self):
        group = Plain("plain", [ValueError(1), KeyError(2)])
        match, rest = group.split(KeyError)
        return nested(group), nested(match), nested(rest), await echo(str(group))


@workflow
class DeriveThatRaises(Workflow):
    async def run(self):
        try:
            try:
                raise Broken("b", [ValueError(1), KeyError(2)])
            except* ValueError:
                await note("never")
        except LookupError as error:
            return repr(error), nested(error.__context__)


@workflow
class KeptOverAwaits(Workflow):
    async def run(self):
        shared = ValueError("shared")
        cause = OSError(1, "cause")
        group = ExceptionGroup("g", [shared, ExceptionGroup("in", [shared, OutOfStock("tea", 3)])])
        group.__cause__ = cause
        group.extra = {"group": [1]}
        members = [group, shared]
        await note("one")
        inner = group.exceptions[1]
        await note("two")
        return (
            inner.exceptions[0] is shared,
            members[1] is group.exceptions[0],
            group.__cause__ is cause,
            group.extra,
            inner.exceptions[1].left,
            group.args[1][0] is shared,
        )


@workflow
class ArgumentsOfAnAction(Workflow):
    async def run(self):
        back = await echo(ExceptionGroup("sent", [ValueError(1), ExceptionGroup("in", [OutOfStock("tea", 2)])]))
        left = back.exceptions[1].exceptions[0].left
        try:
            raise back
        except* OutOfStock as group:
            found = nested(group), left, str(back)
        except* ValueError:
            pass
        return found


@workflow
class RaisedByAnAction(Workflow):
    async def run(self):
        try:
            await boom("ExceptionGroup", "from afar", [ValueError(1), TypeError(2)])
        except* ValueError as group:
            first = nested(group)
        except* TypeError as group:
            second = nested(group)
        return first, second


@workflow
class CaughtByExcept(Workflow):
    async def run(self):
        out = []
        for error in (ExceptionGroup("a", [ValueError(1)]), BaseExceptionGroup("b", [asyncio.CancelledError()])):
            try:
                raise error
            except Exception as found:
                out.append(("exception", found.message))
            except BaseExceptionGroup as found:
                out.append(("base", found.message, await echo(len(found.exceptions))))
        return out


@workflow
class SuppressedPartly(Workflow):
    async def run(self):
        log = []
        try:
            await self.two()
        except ExceptionGroup as group:
            log.append(nested(group))
        return log

    async def two(self):
        await note("raising")
        raise ExceptionGroup("two", [ValueError(1), await self.sold()])

    async def sold(self):
        try:
            await sell("milk", 1)
        except OutOfStock as error:
            return error


@workflow
class MatchedByAPattern(Workflow):
    async def run(self):
        group = ExceptionGroup("g", [ValueError("v"), OutOfStock("x", 9)])
        match group:
            case ExceptionGroup(message="g", exceptions=(ValueError(args=(text,)), OutOfStock(left=left))):
                return text, await double(left)
