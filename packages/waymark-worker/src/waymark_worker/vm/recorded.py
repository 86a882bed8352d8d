"""The name of a clock, id or random function comes in; its recorded value, the same after every recovery, goes out."""

from __future__ import annotations

import datetime as dt
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

from waymark_schema.ir import library
from waymark_worker.vm.arithmetic import bits_of
from waymark_worker.vm.invoking import Implementation
from waymark_worker.vm.meter import METER, check_bits, check_items, check_text
from waymark_worker.vm.refusals import unsupported_operation

Args = list[Any]
Keywords = dict[str, Any]

_COST = 40
"""Units of a value that goes into the journal."""
_HOSTS: dict[str, Callable[..., Any]] = {
    "datetime.datetime.now": dt.datetime.now,  # noqa: TID251 - for its complaints about arguments
    "datetime.datetime.today": dt.datetime.today,
    "datetime.datetime.utcnow": dt.datetime.utcnow,
    "datetime.date.today": dt.date.today,
    "time.time": time.time,  # noqa: TID251 - for its complaints about arguments
    "time.time_ns": time.time_ns,
    "uuid.uuid4": uuid.uuid4,
}
"""The host's own, which say what is wrong with the arguments."""


def _no_machine(name: str) -> BaseException:
    what = f"{name}() as a key function"
    return unsupported_operation(what, "call it in a lambda or a comprehension")


def _taken(name: str) -> Implementation:
    host = _HOSTS[name]

    def run(ctx: Any, args: Args, keywords: Keywords) -> Any:
        if args or keywords:
            host(*args, **keywords)  # raises CPython's own TypeError
        if ctx is None:
            raise _no_machine(name)
        METER.charge(_COST)
        return ctx.decode(ctx.local.take(name, args, keywords))

    return run


def generator(ctx: Any, name: str) -> random.Random:
    """Give the generator of this advance; its seed is recorded when it is first asked for."""
    if ctx is None:
        raise _no_machine(name)
    if ctx.local.random is None:
        METER.charge(_COST)
        ctx.local.random = random.Random(ctx.decode(ctx.local.take("random.seed", [], {})))  # noqa: S311 - as the workflow says
    made: random.Random = ctx.local.random
    return made


def charge_random(name: str, args: Args, keywords: Keywords) -> None:
    """Charge for a call of a method of ``random.Random``, and bound what it makes, before it is made."""
    first = args[0] if args else next(iter(keywords.values()), None)
    if name == "getrandbits" and isinstance(first, int):
        check_bits(first, "the result of getrandbits()")
    elif name == "randbytes" and isinstance(first, int):
        check_text(first, "the result of randbytes()")
    elif name in {"choices", "sample"}:
        count = keywords.get("k", args[1] if name == "sample" and len(args) > 1 else 1)
        if isinstance(count, int):
            check_items(max(count, 0), f"the result of {name}()")
        METER.charge(_length(first) if name == "choices" else 0)
    elif name == "shuffle":
        METER.charge(_length(first) * 4)
    METER.charge(14 + sum(bits_of(arg) >> 5 for arg in args))


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | tuple | str | bytes | bytearray) else 0


def _drawn(name: str) -> Implementation:
    method = name.rpartition(".")[2]
    draw: Callable[..., Any] = getattr(random.Random, method)

    def run(ctx: Any, args: Args, keywords: Keywords) -> Any:
        source = generator(ctx, name)
        charge_random(method, args, keywords)
        return draw(source, *args, **keywords)

    return run


def _method(name: str) -> Callable[..., Any]:
    draw: Callable[..., Any] = getattr(random.Random, name)

    def run(source: random.Random, *args: Any, **keywords: Any) -> Any:
        charge_random(name, list(args), keywords)
        return draw(source, *args, **keywords)

    return run


RANDOM_METHODS: dict[str, Callable[..., Any]] = {
    name: _method(name)
    for name in library.METHODS["random.Random"].split()
    if hasattr(random.Random, name)
}
"""Methods of a ``random.Random`` of the workflow's own."""


def make_random(ctx: Any, args: Args, keywords: Keywords) -> random.Random:
    """Give ``random.Random(seed)``; without a seed it is seeded with recorded chance."""
    charge_random("seed", args, keywords)
    if keywords or len(args) != 1 or args[0] is None:
        random.Random(*args, **keywords)  # noqa: S311 - raises CPython's own TypeError
        return random.Random(generator(ctx, "random.Random").getrandbits(128))  # noqa: S311 - as asked for
    return random.Random(args[0])  # noqa: S311 - as asked for


RECORDED: dict[str, Implementation] = {
    **{name: _taken(name) for name in library.CLOCKS},
    **{name: _drawn(name) for name in library.RANDOM if hasattr(random.Random, name[7:])},
}
"""What carries out a call of each name of ``ir.language.RECORDED``."""
