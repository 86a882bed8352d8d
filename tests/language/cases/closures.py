"""Nested functions: defaults, closures over shared variables, nonlocal, recursion, decorators, functions as values."""

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow

INPUTS = {"Recursion": [{"n": 0}, {"n": 7}]}


def twice(f):
    def wrapper(*args, **kwargs):
        return f(f(*args, **kwargs))

    return wrapper


def repeat(times):
    def decorate(f):
        async def wrapper(*args):
            return [await f(*args) for _ in range(times)]

        return wrapper

    return decorate


def counter(start=0):
    count = start

    def step(by=1):
        nonlocal count
        count += by
        return count

    return step


@workflow
class Counters(Workflow):
    async def run(self):
        a, b = counter(), counter(10)
        out = [a(), a(5), b()]
        await note("between")
        out += [a(), b(by=2), a()]
        return out


@workflow
class SharedCells(Workflow):
    async def run(self):
        total = 0

        def get():
            return total

        def put(value):
            nonlocal total
            total = value

        held = {"get": get, "put": put}
        put(await double(4))
        out = [get(), total]
        await note("recovered")
        total += 1
        held["put"](held["get"]() * 2)
        out += [total, held["get"] is get]
        return out


@workflow
class LateBinding(Workflow):
    async def run(self):
        late = []
        early = []
        for i in range(3):
            late.append(lambda: i)
            early.append(lambda i=i: i)

            def named(x):
                return x + i

            early.append(lambda f=named: f(10))
        await note("after the loop")
        inner = [lambda: j for j in range(3)]
        return [f() for f in late], [f() for f in early], [f() for f in inner]


@workflow
class Parameters(Workflow):
    async def run(self):
        base = await double(1)

        def f(a, /, b, c=base, *rest, d, e=base + 1, **more):
            return a, b, c, rest, d, e, more

        def g(*, only=3):
            return only

        base = 100
        out = [f(1, 2, d=4), f(1, b=2, d=4, c=5, e=6, z=7), f(1, 2, 3, 4, 5, d=6), g(), g(only=base)]
        for bad in (lambda: f(), lambda: f(1, 2), lambda: f(a=1, b=2, d=3), lambda: g(1), lambda: g(x=1)):
            try:
                bad()
            except TypeError as e:
                out.append(str(e))
        return out


@workflow
class DefaultsAreShared(Workflow):
    async def run(self):
        def collect(x, into=[]):
            into.append(x)
            return into

        first = collect(1)
        await note("x")
        return collect(2), first is collect(3), collect(4, [])


@workflow
class Recursion(Workflow):
    async def run(self, n):
        def factorial(k):
            return 1 if k <= 1 else k * factorial(k - 1)

        async def slow(k):
            if k == 0:
                return []
            return [await double(k), *await slow(k - 1)]

        def even(k):
            return k == 0 or odd(k - 1)

        def odd(k):
            return k != 0 and even(k - 1)

        return factorial(n), await slow(n), even(n), odd(n)


@workflow
class NonlocalLevels(Workflow):
    async def run(self):
        x = "outer"

        def middle():
            x = "middle"

            def inner():
                nonlocal x
                x += "!"
                return x

            def deleter():
                nonlocal x
                del x

            first = inner()
            deleter()
            try:
                inner()
            except NameError as e:
                return first, str(e)

        return middle(), x


@workflow
class UnboundFree(Workflow):
    async def run(self):
        def reads():
            return later

        out = []
        try:
            reads()
        except NameError as e:
            out.append((type(e).__name__, str(e)))
        later = await echo("now")
        out.append(reads())

        def assigns():
            if False:
                local = 1
            return local

        try:
            assigns()
        except UnboundLocalError as e:
            out.append(str(e))
        return out


@workflow
class Decorated(Workflow):
    async def run(self):
        order = []

        def traced(name):
            order.append(f"make {name}")

            def decorate(f):
                order.append(f"apply {name}")

                def wrapper(x):
                    order.append(f"call {name}")
                    return f(x)

                return wrapper

            return decorate

        @traced("a")
        @traced("b")
        def plus_one(x):
            return x + 1

        @twice
        def squared(x):
            return x * x

        @repeat(2)
        async def fetched(n):
            return await double(n)

        return plus_one(1), squared(3), await fetched(4), order


@workflow
class AsyncClosures(Workflow):
    async def run(self):
        seen = []

        async def fetch(n):
            seen.append(n)
            got = await double(n)
            seen.append(got)
            return got

        async def guarded(n):
            try:
                return await boom("ValueError", str(n))
            except ValueError as e:
                seen.append(str(e))
                return await fetch(n)
            finally:
                seen.append("finally")

        first = fetch(1)
        return await guarded(5), await first, seen


@workflow
class ErrorsInsideAClosure(Workflow):
    async def run(self):
        def fails(n):
            if n == 0:
                raise LookupError("deep")
            try:
                fails(n - 1)
            except LookupError as e:
                raise ValueError(n) from e

        try:
            fails(2)
        except ValueError as e:
            return repr(e), repr(e.__cause__), repr(e.__cause__.__cause__), await echo(e.args)
