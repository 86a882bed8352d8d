"""What is sent and thrown into generators, closing them, and ``yield`` in every position."""

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


def averaged():
    total, count, average = 0, 0, None
    while True:
        value = yield average
        if value is None:
            return total, count
        total += value
        count += 1
        average = total / count


def with_finally(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("finally")


def catching(log):
    while True:
        try:
            got = yield len(log)
            log.append(("got", got))
        except ValueError as e:
            log.append(("caught", str(e)))


@workflow
class Sending(Workflow):
    async def run(self):
        g = averaged()
        out = [next(g), g.send(10), g.send(await double(10)), g.send(3)]
        try:
            g.send(None)
        except StopIteration as e:
            out.append(e.value)
        try:
            next(g)
        except StopIteration as e:
            out.append((e.value, e.args))
        try:
            averaged().send(1)
        except TypeError as e:
            out.append(str(e))
        return out


@workflow
class Throwing(Workflow):
    async def run(self):
        log = []
        g = catching(log)
        out = [next(g), g.throw(ValueError("one")), g.send("x")]
        await note("between")
        try:
            g.throw(KeyError("two"))
        except KeyError as e:
            out.append(repr(e))
        out.append(next(g, "over"))
        try:
            g.throw(KeyError("three"))
        except KeyError as e:
            out.append(repr(e))
        fresh = catching(log)
        try:
            fresh.throw(ValueError("unstarted"))
        except ValueError as e:
            out.append((str(e), next(fresh, "over")))
        try:
            catching(log).throw(ValueError)
        except ValueError as e:
            out.append(e.args)
        return out, log


@workflow
class ThrowingThroughYieldFrom(Workflow):
    async def run(self):
        log = []

        def outer():
            try:
                yield from catching(log)
            except KeyError as e:
                log.append(("outer", str(e)))
                yield "handled outside"
            yield from [1, 2]

        g = outer()
        out = [next(g), g.send("a"), g.throw(ValueError("in")), await echo("w")]
        out.append(g.throw(KeyError("out")))
        out.append(next(g))
        try:
            g.throw(ValueError("a list has no throw"))
        except ValueError as e:
            out.append(str(e))
        return out, log, list(g)


@workflow
class SendToWhatHasNoSend(Workflow):
    async def run(self):
        def outer():
            yield from [1, 2]

        g = outer()
        out = [next(g)]
        try:
            g.send(5)
        except AttributeError as e:
            out.append(str(e))
        return out


@workflow
class Closing(Workflow):
    async def run(self):
        log = []
        g = with_finally(log)
        out = [next(g)]
        await note("suspended in try")
        out.append(g.close())
        out.append(list(g))
        out.append(g.close())
        unstarted = with_finally(log)
        unstarted.close()
        out.append(next(unstarted, "none"))

        def stubborn():
            try:
                yield 1
            except GeneratorExit:
                yield "no"

        s = stubborn()
        next(s)
        try:
            s.close()
        except RuntimeError as e:
            out.append(str(e))
        return out, log


@workflow
class ClosingThroughYieldFrom(Workflow):
    async def run(self):
        log = []

        def outer():
            try:
                yield from with_finally(log)
            finally:
                log.append("outer")

        def raising():
            try:
                yield 1
            finally:
                raise KeyError("while closing")

        def around():
            try:
                yield from raising()
            except KeyError as e:
                log.append(repr(e))
                raise

        g = outer()
        next(g)
        await note("x")
        g.close()
        h = around()
        next(h)
        try:
            h.close()
        except KeyError as e:
            log.append(("left with", str(e), type(e.__context__).__name__))
        return log


@workflow
class ReturnsStopIteration(Workflow):
    async def run(self):
        def raises():
            yield 1
            raise StopIteration("x")

        def exhausts():
            yield next(iter([]))

        out = []
        for f in (raises, exhausts):
            try:
                list(f())
            except RuntimeError as e:
                out.append((str(e), repr(e.__cause__)))
        return out


@workflow
class Reentrant(Workflow):
    async def run(self):
        box = []

        def selfish():
            yield 1
            yield next(box[0])

        g = selfish()
        box.append(g)
        out = [next(g)]
        try:
            next(g)
        except ValueError as e:
            out.append(str(e))
        return out, list(g)


@workflow
class InHandlers(Workflow):
    async def run(self):
        def in_except():
            try:
                raise KeyError("k")
            except KeyError as e:
                yield repr(e)
                try:
                    yield 1 / 0
                except ZeroDivisionError as z:
                    yield repr(z.__context__)
            finally:
                yield "in finally"

        out = []
        try:
            raise OSError("outside")
        except OSError:
            for x in in_except():
                out.append(x)
                await note(str(x))
        return out


@workflow
class NumberedYields(Workflow):
    async def run(self):
        def positions():
            x = yield
            y = (yield x) or "default"
            z = [(yield y), (yield "second")]
            yield f"{yield 'in text'}-{z}"
            yield (yield (yield "nested"))

        g = positions()
        out = [next(g)]
        for value in (1, None, "l", "m", "t", "n", "o", "p"):
            out.append(g.send(value))
            await note("s")
        return out
