"""A builtin's name comes in; what stands for it in a slot, and what carries out a call of it, go out."""

from __future__ import annotations

import asyncio.exceptions
import asyncio.queues
import builtins as host
import dataclasses
import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from waymark_schema import failures
from waymark_schema.ir import language
from waymark_worker.vm import abstract, asynchrony, iterators
from waymark_worker.vm.arithmetic import bits_of, power
from waymark_worker.vm.attributes import STATIC, get_attr, put_attr
from waymark_worker.vm.callables import BoundMethod, Builtin
from waymark_worker.vm.callbacks import CALLBACKS
from waymark_worker.vm.constructors import CONSTRUCTORS
from waymark_worker.vm.contexts import FUNCTIONS as MANAGERS
from waymark_worker.vm.decimals import FUNCTIONS as DECIMALS
from waymark_worker.vm.digests import DIGESTS
from waymark_worker.vm.documents import DOCUMENTS
from waymark_worker.vm.formatting import format_value, represent, represent_ascii, show
from waymark_worker.vm.invoking import CONSTRUCTORS as OF_CLASSES
from waymark_worker.vm.invoking import RESOLVERS, Implementation, apply_each
from waymark_worker.vm.iteration import items, next_item, one_by_one
from waymark_worker.vm.library_faults import LIBRARY_FAULTS
from waymark_worker.vm.mathematics import MATHEMATICS
from waymark_worker.vm.members import get_attribute, property_of
from waymark_worker.vm.meter import METER, check_bits, check_text
from waymark_worker.vm.method_costs import check_decimal
from waymark_worker.vm.methods import CLASS_METHODS, METHODS, TYPES
from waymark_worker.vm.names import CALLABLES, RECORDS, public_name, type_name
from waymark_worker.vm.recorded import RECORDED
from waymark_worker.vm.refusals import LACKING, UnsupportedOperation, unsupported_operation
from waymark_worker.vm.regexes import PATTERNS
from waymark_worker.vm.results import RESULTS
from waymark_worker.vm.sorted_lists import SORTED_LISTS
from waymark_worker.vm.summing import total
from waymark_worker.vm.texts import TEXTS
from waymark_worker.vm.weights import weigh

Args = list[Any]
Keywords = dict[str, Any]

NATIVE = frozenset(
    {"asyncio.sleep", "asyncio.gather", "aiter", "anext", "NotImplemented", *language.ACCESSORS}
)
"""Builtins that the machine carries out itself (they give something to await, or run compiled code), or that do nothing."""

CLASSES: dict[str, type] = {
    **TYPES,
    **{name: getattr(host, name) for name in language.EXCEPTIONS if "." not in name},
    "asyncio.CancelledError": asyncio.exceptions.CancelledError,
    "asyncio.TimeoutError": TimeoutError,
    "asyncio.InvalidStateError": asyncio.exceptions.InvalidStateError,
    "asyncio.QueueEmpty": asyncio.queues.QueueEmpty,
    "asyncio.QueueFull": asyncio.queues.QueueFull,
    **{f"waymark.{name}": failure for name, failure in failures.DURABLE_FAILURES.items()},
    "pydantic.ValidationError": ValidationError,
    **LIBRARY_FAULTS,
    **RESULTS,
    **abstract.ABSTRACT,
    "type": type,
}
"""The class that stands for each type and exception of the language."""

_FLAT = (int, float, str, bytes)


def _plain(function: Callable[..., Any]) -> Implementation:
    """Let the host's builtin have the arguments as they are: it neither iterates nor makes anything big."""

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        return function(*args, **keywords)

    return run


def _len(_ctx: Any, args: Args, keywords: Keywords) -> int:
    if len(args) == 1 and not keywords and not hasattr(type(args[0]), "__len__"):
        msg = f"object of type {type_name(args[0])!r} has no len()"
        raise TypeError(msg)
    return len(*args, **keywords)


def _callable(_ctx: Any, args: Args, keywords: Keywords) -> bool:
    if len(args) == 1 and not keywords and type(args[0]) in RECORDS:
        return type(args[0]) in CALLABLES
    return callable(*args, **keywords)


def _attribute(ctx: Any, obj: Any, name: str) -> Any:
    """Look up a member of the program's own classes, or what the language knows of the value."""
    if ctx is None:
        return get_attr(obj, name)
    if property_of(ctx.linked, obj, name) is not None:
        what = f"getattr() or hasattr() of the property {name!r} of a {public_name(type(obj))}"
        raise unsupported_operation(what, f"write value.{name}")
    return get_attribute(ctx, obj, name)


def _hasattr(ctx: Any, args: Args, keywords: Keywords) -> bool:
    if len(args) != 2 or keywords or not isinstance(args[1], str):  # noqa: PLR2004 - as CPython counts
        return hasattr(*args, **keywords)
    try:
        _attribute(ctx, args[0], args[1])
    except AttributeError:
        return False
    except UnsupportedOperation as error:
        if error.code == LACKING:
            return True
        raise
    return True


def _getattr(ctx: Any, args: Args, keywords: Keywords) -> Any:
    if not 2 <= len(args) <= 3 or keywords or not isinstance(args[1], str):  # noqa: PLR2004 - as CPython counts
        return host.getattr(None, *args[1:2], *args[3:], **keywords)
    try:
        return _attribute(ctx, args[0], args[1])
    except AttributeError:
        if len(args) == 3:  # noqa: PLR2004 - the default
            return args[2]
        raise


def _isinstance(ctx: Any, args: Args, keywords: Keywords) -> bool:
    if len(args) != 2 or keywords:  # noqa: PLR2004 - as CPython counts
        return host.isinstance(*args, **keywords)
    kinds = args[1] if isinstance(args[1], tuple) else (args[1],)
    if any(type(kind) is Builtin and kind.name.startswith("asyncio.") for kind in kinds):
        what = "isinstance() with a class of asyncio"
        raise unsupported_operation(what, "keep a name of your own beside the value")
    return abstract.is_instance(ctx, args[0], args[1])


def _put_attr(ctx: Any, args: Args, keywords: Keywords) -> None:
    if len(args) > 1 and ctx is not None and property_of(ctx.linked, args[0], args[1]) is not None:
        what = f"object.__setattr__ of the property {args[1]!r} of a {public_name(type(args[0]))}"
        raise unsupported_operation(what, "set what stands behind it")
    put_attr(*args, **keywords)


def _all(_ctx: Any, args: Args, keywords: Keywords) -> bool:
    return all(one_by_one(args[0])) if len(args) == 1 and not keywords else all(*args, **keywords)


def _any(_ctx: Any, args: Args, keywords: Keywords) -> bool:
    return any(one_by_one(args[0])) if len(args) == 1 and not keywords else any(*args, **keywords)


def _charge_sort(values: list[Any]) -> None:
    METER.charge(len(values) * max(len(values).bit_length(), 1) >> 1)
    for value in values:
        if not isinstance(value, _FLAT):
            weigh(value)


def _sorted(_ctx: Any, args: Args, keywords: Keywords) -> list[Any]:
    if len(args) != 1 or not keywords.keys() <= {"key", "reverse"}:
        return sorted(*args, **keywords)
    values = list(items(args[0]))
    key = keywords.get("key")
    if key is not None:
        return sorted_by(values, apply_each(key, values), reverse=keywords.get("reverse", False))
    _charge_sort(values)
    return sorted(values, reverse=keywords.get("reverse", False))


def sorted_by(values: list[Any], keys: list[Any], *, reverse: Any) -> list[Any]:
    """Sort ``values`` by ``keys`` that were computed before, in the same order."""
    _charge_sort(keys)
    order = sorted(range(len(values)), key=keys.__getitem__, reverse=reverse)
    return [values[index] for index in order]


def _weighed(value: Any) -> Any:
    if not isinstance(value, _FLAT):
        weigh(value)
    return value


def _extreme(name: str) -> Implementation:
    function: Callable[..., Any] = getattr(host, name)

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if not args or not keywords.keys() <= {"key", "default"}:
            return function(*args, **keywords)
        if len(args) > 1 and "default" in keywords:
            return function(*args, default=None)
        values = args if len(args) > 1 else items(args[0])
        key = keywords.get("key")
        if key is None:
            return function(map(_weighed, values), **keywords)
        return function(values, **{**keywords, "key": lambda value: apply_each(key, [value])[0]})

    return run


def _round(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    number = args[0] if args else keywords.get("number")
    digits = args[1] if len(args) > 1 else keywords.get("ndigits")
    if isinstance(digits, int) and isinstance(number, int | Fraction):
        if isinstance(number, Fraction) or digits < 0:
            check_bits(abs(digits) * 4, "round()")
    elif isinstance(number, Decimal) and digits is None:
        check_decimal(number, "round() of a Decimal")
    return round(*args, **keywords)


_host_divmod: Callable[..., Any] = divmod


def _divmod(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if len(args) == 2 and not keywords and isinstance(args[0], int | Fraction):  # noqa: PLR2004 - as CPython counts
        METER.charge((bits_of(args[0]) >> 5) * (bits_of(args[1]) >> 5) >> 6)
    return _host_divmod(*args, **keywords)


def _pow(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    names = ("base", "exp", "mod")
    given = [*args, *(keywords[name] for name in names[len(args) :] if name in keywords)]
    if len(given) == 2 and set(keywords) <= set(names):  # noqa: PLR2004 - base and exponent
        return power(given[0], given[1]) if not keywords else pow(*given)
    if len(given) == 3 and all(isinstance(part, int) for part in given):  # noqa: PLR2004 - and the modulus
        words = (max(bits_of(given[0]), bits_of(given[2])) >> 5) + 1
        METER.charge(bits_of(given[1]) * words * words >> 5)
    return pow(*args, **keywords)


def _digits(name: str) -> Implementation:
    function: Callable[..., Any] = getattr(host, name)

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if args and isinstance(args[0], int):
            check_text(args[0].bit_length(), f"the result of {name}()")
        return function(*args, **keywords)

    return run


def _format(_ctx: Any, args: Args, keywords: Keywords) -> str:
    if not 1 <= len(args) <= 2 or keywords or not all(isinstance(spec, str) for spec in args[1:]):  # noqa: PLR2004
        return format(None, *args[1:], **keywords)
    return format_value(*args)


def _represented(function: Callable[[Any], str], plain: Callable[..., str]) -> Implementation:
    def run(_ctx: Any, args: Args, keywords: Keywords) -> str:
        return function(args[0]) if len(args) == 1 and not keywords else plain(*args, **keywords)

    return run


_host_print: Callable[..., Any] = print


def _print(ctx: Any, args: Args, keywords: Keywords) -> None:
    for name in keywords.keys() - {"sep", "end", "flush"}:
        if name == "file":
            what = "print(file=...)"
            raise unsupported_operation(what, "print to the run's log, without file=")
        _host_print(**{name: None})  # raises CPython's own TypeError
    separator, end = (
        default if keywords.get(name) is None else keywords[name]
        for name, default in (("sep", " "), ("end", "\n"))
    )
    for name, value in (("sep", separator), ("end", end)):
        if not isinstance(value, str):
            msg = f"{name} must be None or a string, not {type_name(value)}"
            raise TypeError(msg)
    if ctx is None:
        what = "print() as a key function"
        raise unsupported_operation(what, "print in a for statement")
    parts = [show(arg) for arg in args]
    check_text(sum(map(len, parts)) + len(separator) * len(parts), "the printed line")
    ctx.log("info", separator.join(parts) + ("" if end == "\n" else end))


def _iter(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if len(args) != 1 or keywords:
        if len(args) == 2 and not keywords:  # noqa: PLR2004 - function and sentinel
            what = "iter() with a function and a sentinel"
            raise unsupported_operation(what, "use a while loop")
        return iter(*args, **keywords)
    return iterators.iterate(args[0])


def _next(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if not 1 <= len(args) <= 2 or keywords:  # noqa: PLR2004 - as CPython counts
        return next(*args, **keywords)
    if not hasattr(type(args[0]), "__next__"):
        msg = f"{type_name(args[0])!r} object is not an iterator"
        raise TypeError(msg)
    METER.charge(1)
    if len(args) == 1:
        return next_item(args[0])
    try:
        return next_item(args[0])
    except StopIteration:
        return args[1]


def _reversed(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    return (
        iterators.backwards(args[0])
        if len(args) == 1 and not keywords
        else reversed(*args, **keywords)
    )


def _enumerate(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if not 1 <= len(args) <= 2 or not keywords.keys() <= {"start"} or (len(args) > 1 and keywords):  # noqa: PLR2004
        return enumerate(*args, **keywords)
    start = operator.index(args[1] if len(args) > 1 else keywords.get("start", 0))
    return iterators.enumerated(iterators.iterate(args[0]), start)


def _zip(_ctx: Any, args: Args, keywords: Keywords) -> Any:
    if not keywords.keys() <= {"strict"}:
        return zip(*args, **keywords)  # noqa: B905 - raises CPython's TypeError
    return iterators.zipped([iterators.iterate(arg) for arg in args], keywords.get("strict", False))


def _map(ctx: Any, args: Args, keywords: Keywords) -> Any:
    if len(args) < 2 or keywords:  # noqa: PLR2004 - a function and an iterable at least
        return map(*args, **keywords)
    return iterators.mapped(ctx, args[0], [iterators.iterate(arg) for arg in args[1:]])


def _filter(ctx: Any, args: Args, keywords: Keywords) -> Any:
    if len(args) != 2 or keywords:  # noqa: PLR2004 - a function and an iterable
        return filter(*args, **keywords)
    return iterators.filtered(ctx, args[0], iterators.iterate(args[1]))


def _dataclass(function: Callable[..., Any]) -> Implementation:
    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        for arg in args:
            weigh(arg)
        return function(*args, **keywords)

    return run


def _bound(method: BoundMethod) -> Implementation:
    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        return method.implementation(method.receiver, *args, **keywords)

    return run


def _unbound(type_label: str, name: str, method: Callable[..., Any]) -> Implementation:
    owner = TYPES[type_label]
    label = owner.__name__

    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        if not args:
            msg = f"unbound method {label}.{name}() needs an argument"
            raise TypeError(msg)
        if not isinstance(args[0], owner):
            msg = f"descriptor {name!r} for {label!r} objects doesn't apply to a {type_name(args[0])!r} object"
            raise TypeError(msg)
        return method(*args, **keywords)

    return run


def _class_method(owner: type, method: Callable[..., Any]) -> Implementation:
    def run(_ctx: Any, args: Args, keywords: Keywords) -> Any:
        return method(owner, *args, **keywords)

    return run


_FUNCTIONS: dict[str, Implementation] = {
    "len": _len,
    "iter": _iter,
    "next": _next,
    "callable": _callable,
    "hasattr": _hasattr,
    "getattr": _getattr,
    "enumerate": _enumerate,
    "zip": _zip,
    "reversed": _reversed,
    "map": _map,
    "filter": _filter,
    "sum": total,
    "any": _any,
    "all": _all,
    "abs": _plain(abs),
    "round": _round,
    "divmod": _divmod,
    "pow": _pow,
    "repr": _represented(represent, repr),
    "ascii": _represented(represent_ascii, ascii),
    "format": _format,
    "chr": _plain(chr),
    "ord": _plain(ord),
    "hex": _digits("hex"),
    "bin": _digits("bin"),
    "oct": _digits("oct"),
    "isinstance": _isinstance,
    "issubclass": abstract.is_subclass,
    "print": _print,
    "sorted": _sorted,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "object.__setattr__": _put_attr,
    "dataclasses.replace": _dataclass(dataclasses.replace),
    "dataclasses.is_dataclass": _plain(dataclasses.is_dataclass),
    **MANAGERS,
    **DECIMALS,
    **asynchrony.FUNCTIONS,
}


LIBRARY: dict[str, Implementation] = {
    **MATHEMATICS,
    **TEXTS,
    **DOCUMENTS,
    **SORTED_LISTS,
    **CALLBACKS,
    **DIGESTS,
    **PATTERNS,
}
"""Functions of the standard library."""

BUILTINS: dict[str, Implementation] = {
    **{name: _plain(cls) for name, cls in CLASSES.items()},
    **CONSTRUCTORS,
    **abstract.CALLS,
    **_FUNCTIONS,
    **RECORDED,
    **LIBRARY,
    **{
        f"{label}.{name}": _unbound(label, name, method)
        for label in TYPES
        for name, method in METHODS.get(TYPES[label], {}).items()
    },
    **{
        f"{label}.{name}": _class_method(TYPES[label], method)
        for label in TYPES
        for name, method in CLASS_METHODS.get(TYPES[label], {}).items()
    },
}
"""What carries out a call of each name: ``f(ctx, args, keywords)``."""


def _by_the_machine(_ctx: Any, _args: Args, _keywords: Keywords) -> Any:
    what = "asyncio.sleep, asyncio.gather, aiter or anext as a key function"
    raise unsupported_operation(what, "call it in a statement")


_FUNCTION_VALUES: dict[str, Any] = {"NotImplemented": NotImplemented}


def value(name: str) -> Any:
    """Give what stands in a slot for builtin ``name``: a class, or one record per name."""
    cls = CLASSES.get(name)
    if cls is not None:
        return cls
    if name not in BUILTINS and name not in NATIVE:
        msg = f"the program names the builtin {name!r}, which this pool does not have; upgrade waymark-worker"
        raise LookupError(msg)
    found = _FUNCTION_VALUES.get(name)
    if found is None:
        found = _FUNCTION_VALUES[name] = Builtin(name, BUILTINS.get(name, _by_the_machine))
    return found


def constructor(cls: type) -> Implementation | None:
    """Give what carries out a call of a builtin class, or None for a class of the program."""
    return OF_CLASSES.get(cls)


STATIC.update(
    {name: value(name) for name in BUILTINS if name not in CLASSES and name not in _FUNCTIONS}
)
OF_CLASSES.update({cls: BUILTINS[name] for name, cls in reversed(CLASSES.items())})
RESOLVERS[Builtin] = lambda builtin: builtin.implementation
RESOLVERS[BoundMethod] = _bound
