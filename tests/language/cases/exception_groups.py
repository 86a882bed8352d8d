"""``except*`` and groups of exceptions: splitting, merging, raising again and anew, and what is left."""

import asyncio

from tests.language.steps import OutOfStock, boom, double, echo, note, sell
from waymark import Workflow, workflow


def shape(error):
    """A group as nested lists of texts, with its message."""
    if isinstance(error, BaseExceptionGroup):
        return [type(error).__name__, error.message, *[shape(each) for each in error.exceptions]]
    return repr(error)


class Several(ExceptionGroup):
    """A group of the user's own without a ``derive``: parts of it are plain groups."""


class Coded(ExceptionGroup):
    """A group that keeps its class when it is split."""

    def derive(self, excs):
        return Coded(f"{self.message}!", excs)


@workflow
class TakesItsShare(Workflow):
    async def run(self):
        seen = []
        try:
            raise ExceptionGroup("eg", [ValueError(1), TypeError(2), ValueError(3), KeyError(4)])
        except* ValueError as group:
            seen.append((await note("values"), shape(group)))
        except* (TypeError, LookupError) as group:
            seen.append((await note("others"), shape(group)))
        return seen


@workflow
class NakedExceptionIsWrapped(Workflow):
    async def run(self):
        try:
            await boom("ValueError", "alone")
        except* ValueError as group:
            return_value = shape(group), await echo(len(group.exceptions)), repr(group.__context__)
        return return_value


@workflow
class NakedOneThatNobodyTakes(Workflow):
    async def run(self):
        try:
            try:
                await boom("OSError", 3, "disk")
            except* ValueError:
                await note("never")
        except OSError as error:
            return error.errno, type(error).__name__


@workflow
class NakedOneRaisedAgain(Workflow):
    async def run(self):
        try:
            try:
                raise ValueError("v")
            except* ValueError:
                await note("handling")
                raise
        except ExceptionGroup as group:
            return shape(group), repr(group.__context__), repr(group.__cause__)


@workflow
class RestPropagates(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
            except* ValueError:
                await note("took it")
        except ExceptionGroup as group:
            return shape(group), repr(group.__context__)


@workflow
class BareRaiseKeepsTheShape(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("outer", [ExceptionGroup("inner", [ValueError(1), TypeError(2)]), ValueError(3), OSError(4)])
            except* ValueError:
                await note("again")
                raise
            except* OSError:
                await note("handled")
        except ExceptionGroup as group:
            return shape(group)


@workflow
class RaisedAnewIsBesideTheRest(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2), KeyError(3)])
            except* ValueError as group:
                raise group
            except* TypeError as group:
                raise RuntimeError("new") from group
        except ExceptionGroup as group:
            inner = group.exceptions
            return shape(group), [repr(each.__cause__) for each in inner], [shape(each.__context__) for each in inner]


@workflow
class WholeGroupRaisedByName(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
            except* Exception as group:
                await note("all of it")
                raise group
        except ExceptionGroup as group:
            return shape(group)


@workflow
class OnlyOneRaisedStaysAlone(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1)])
            except* ValueError:
                raise KeyError("naked")
        except KeyError as error:
            return repr(error), shape(error.__context__)


@workflow
class TwoRaisedBecomeAGroup(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
            except* ValueError:
                await boom("KeyError", "from an action")
            except* TypeError:
                raise OSError(5, "second")
        except* KeyError as keys:
            await note(str(keys.exceptions[0]))
        except* OSError as others:
            return_value = shape(others)
        return return_value


@workflow
class ElseAndFinally(Workflow):
    async def run(self):
        log = []
        for kinds in ([], ["v"], ["v", "t"]):
            try:
                try:
                    if kinds:
                        raise ExceptionGroup("eg", [{"v": ValueError(), "t": TypeError()}[kind] for kind in kinds])
                except* ValueError:
                    log.append(await note("value"))
                else:
                    log.append(await note("else"))
                finally:
                    log.append(await note("finally"))
            except ExceptionGroup as group:
                log.append(shape(group))
        return log


@workflow
class NameIsUnboundAfterwards(Workflow):
    async def run(self):
        group = "before"
        try:
            raise ExceptionGroup("eg", [ValueError(1)])
        except* TypeError as group:
            pass
        except* ValueError as group:
            await echo(1)
        try:
            return group
        except UnboundLocalError as error:
            return str(error)


@workflow
class NameStaysWithoutAMatch(Workflow):
    async def run(self):
        kept = "before"
        try:
            await double(1)
        except* ValueError as kept:
            pass
        return kept


@workflow
class LoopsInsideAHandler(Workflow):
    async def run(self):
        seen = []
        try:
            raise ExceptionGroup("eg", [ValueError(n) for n in range(5)])
        except* ValueError as group:
            for each in group.exceptions:
                if each.args[0] == 1:
                    continue
                if each.args[0] == 4:
                    break
                seen.append(await double(each.args[0]))
        return seen


@workflow
class EvaluatedPatterns(Workflow):
    async def run(self):
        order = []

        def kinds(name, *found):
            order.append(name)
            return found

        try:
            raise ExceptionGroup("eg", [ValueError(1)])
        except* kinds("first", KeyError) as group:
            order.append(shape(group))
        except* kinds("second", ValueError):
            order.append("second took it")
        except* kinds("third", ValueError):
            order.append("nothing is left")
        return order, await echo(len(order))


@workflow
class NoExceptionNoPattern(Workflow):
    async def run(self):
        try:
            value = await double(4)
        except* undefined_name():
            value = None
        return value


def undefined_name():
    raise AssertionError("must not be called")


@workflow
class WrongPatterns(Workflow):
    async def run(self):
        out = []
        for pattern in (int, (ValueError, "x"), ExceptionGroup, (ValueError, BaseExceptionGroup)):
            try:
                try:
                    raise ExceptionGroup("eg", [ValueError(1)])
                except* pattern:
                    out.append("taken")
            except TypeError as error:
                out.append((str(error), shape(error.__context__)))
        return await echo(out)


@workflow
class ContextOfTheSecondPattern(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
            except* ValueError:
                pass
            except* missing_kind():
                pass
        except KeyError as error:
            return shape(error.__context__)


def missing_kind():
    raise KeyError("no kind")


@workflow
class NestedStars(Workflow):
    async def run(self):
        seen = []
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), ExceptionGroup("in", [TypeError(2), KeyError(3)])])
            except* (TypeError, KeyError):
                try:
                    raise
                except* TypeError as group:
                    seen.append(("inner", shape(group)))
        except* KeyError as group:
            seen.append(("outer", shape(group)))
        except* ValueError as group:
            seen.append(("rest", shape(group)))
        return await echo(seen)


@workflow
class RaisedThroughAFinally(Workflow):
    async def run(self):
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
            except* ValueError:
                try:
                    raise
                finally:
                    await note("finally")
        except ExceptionGroup as group:
            return shape(group)



@workflow
class RaisedByWhatTheHandlerCalls(Workflow):
    async def pass_on(self, group):
        await note("in the helper")
        raise group

    async def run(self):
        out = []
        try:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
            except* ValueError as group:
                await self.pass_on(group)
        except ExceptionGroup as group:
            out.append(shape(group))
        return out


@workflow
class GroupOfGatheredFailures(Workflow):
    async def run(self):
        results = await asyncio.gather(boom("ValueError", "a"), double(2), sell("tea", 1), boom("KeyError", "k"), return_exceptions=True)
        errors = [each for each in results if isinstance(each, Exception)]
        kept = []
        try:
            if errors:
                raise ExceptionGroup("some failed", errors)
        except* OutOfStock as group:
            kept.append((group.exceptions[0].item, group.exceptions[0].left))
        except* (ValueError, LookupError) as group:
            kept.append([str(each) for each in group.exceptions])
        return results[1], kept


@workflow
class CancelledIsTakenByName(Workflow):
    async def run(self):
        try:
            raise BaseExceptionGroup("eg", [asyncio.CancelledError("stop"), ValueError(1)])
        except* asyncio.CancelledError as group:
            kind = type(group).__name__
        except* Exception as group:
            kind += type(group).__name__
        return kind


@workflow
class GroupEndsTheRun(Workflow):
    async def run(self):
        await note("soon")
        raise ExceptionGroup("many", [ValueError("a"), ExceptionGroup("more", [OutOfStock("tea", 2), KeyError("k")])])


@workflow
class StarInALoopAndAGather(Workflow):
    async def one(self, n):
        try:
            if n % 2:
                raise ExceptionGroup(f"eg {n}", [ValueError(n), OSError(n)])
            await boom("ValueError", n)
        except* ValueError as group:
            return_value = await echo(len(group.exceptions))
        except* OSError:
            return_value = -1
        return n, return_value

    async def run(self):
        return await asyncio.gather(*[self.one(n) for n in range(4)])


@workflow
class NakedExceptionIsWrappedInATuple(Workflow):
    async def run(self):
        try:
            raise KeyError("k")
        except* KeyError as group:
            await note("handled")
            shown = repr(group), group.args
        return shown
