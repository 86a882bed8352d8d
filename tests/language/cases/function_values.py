"""Functions as values: in containers, returned, composed, told apart, nested in comprehensions."""

from tests.language.steps import add, double, echo, note
from waymark import Workflow, workflow


@workflow
class FunctionsInContainers(Workflow):
    async def run(self):
        table = {"double": double, "neg": lambda x: -x, "own": self.own, "static": self.fixed, "len": len, "upper": str.upper}
        out = []
        for name, f in table.items():
            if name in {"len", "upper"}:
                out.append(f("abc"))
            else:
                result = f(3)
                out.append(await result if name == "double" else result)
        functions = {table["neg"], table["neg"], len}
        return out, len(functions), callable(table["neg"]), [f for f in table.values() if f is len] == [len]

    def own(self, x):
        return x + 100

    @staticmethod
    def fixed(x):
        return ("static", x)


@workflow
class HigherOrder(Workflow):
    async def run(self):
        def compose(*functions):
            def composed(x):
                for f in functions:
                    x = f(x)
                return x

            return composed

        def partial(f, *given, **named):
            return lambda *args, **more: f(*given, *args, **{**named, **more})

        def power(base, exponent=2):
            return base**exponent

        pipeline = compose(lambda x: x + 1, partial(power, exponent=3), str)
        words = sorted(["bb", "a", "ccc"], key=compose(len, lambda n: -n))
        return pipeline(await double(1)), words, list(map(partial(power, 2), range(4)))


@workflow
class IdentityOfFunctions(Workflow):
    async def run(self):
        def make():
            def made():
                return 1

            return made

        def lambdas():
            return lambda: 1

        a, b = make(), make()
        seen = {a: "a", b: "b"}
        await note("recovered")
        return a is b, a == a, seen[a], seen[b], lambdas() is lambdas(), len({a, b, make()})


@workflow
class SelfInNested(Workflow):
    step = 5

    async def run(self):
        self.seen = []

        def bump(x):
            self.seen.append(x)
            return x + self.step

        async def later(x):
            self.step = await double(x)
            return self.helper(bump(x))

        return [bump(1), await later(2), bump(3)], self.seen

    def helper(self, x):
        return ("helped", x, self.step)


@workflow
class ComprehensionScopes(Workflow):
    async def run(self):
        x = "outer"
        fs = [lambda: (x, y) for y in range(2)]

        def g():
            return [x for x in range(3)], x

        nested = [[lambda: (a, b) for b in range(2)] for a in range(2)]
        total = 0
        [total := total + k for k in range(4)]
        return [f() for f in fs], g(), [f() for row in nested for f in row], total, (lambda: total)()


@workflow
class ConditionalDefinitions(Workflow):
    async def run(self):
        out = []
        for kind in ("a", "b", "c"):
            if kind == "a":

                def f():
                    return "from a"

            elif kind == "b":

                async def f():
                    return await add(1, 2)

            result = f()
            out.append(await result if kind != "a" and not isinstance(result, str) else result)
            try:
                del f
            except UnboundLocalError as e:
                out.append(str(e))
                break
            if kind == "b":

                def f():
                    return "again"

        return out


@workflow
class TooDeep(Workflow):
    async def run(self):
        def down():
            return down()

        async def adown():
            return await adown()

        out = []
        try:
            down()
        except RecursionError as e:
            out.append(type(e).__name__)
        try:
            await adown()
        except RecursionError:
            out.append("async")
        return out


@workflow
class ExceptNameShared(Workflow):
    async def run(self):
        kept = []

        def leave(f):
            try:
                raise KeyError("left with")
            except KeyError as e:
                kept.append(lambda: repr(e))
                f()

        out = []
        try:
            raise ValueError("first")
        except ValueError as e:
            shown = lambda: str(e)
            kept.append(shown)
            out.append(shown())
            e = await echo("rebound")
            out.append(shown())
        try:
            leave(lambda: [].pop())
        except IndexError as e:
            out.append((lambda: str(e))())
        for f in kept:
            try:
                f()
            except NameError as e:
                out.append(str(e))
        return out
