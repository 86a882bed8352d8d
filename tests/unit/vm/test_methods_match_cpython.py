"""Every method of every type of value, called with arguments of all kinds, does what CPython's does, or is refused."""

# ruff: noqa: DTZ001 - moments without a zone are values too

import copy
import datetime as dt
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, ItemsView, Iterable, KeysView, ValuesView
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.evaluate import host
from tests.support.observing import normal
from waymark_schema.ir import language
from waymark_worker.vm import operations
from waymark_worker.vm.meter import DEFAULT_BUDGET, METER
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.refusals import UnsupportedOperation
from waymark_worker.vm.views import DictView

BERLIN = ZoneInfo("Europe/Berlin")
SAMPLES: dict[str, list[Any]] = {
    "str": ["aB c", "", "ß1\t\nx", "12"],
    "bytes": [b"aB c", b"", b"1\t\nx"],
    "bytearray": [bytearray(b"aB c"), bytearray(b""), bytearray(b"1\t\nx")],
    "int": [5, -7, 0, True],
    "float": [1.5, -0.0, float("inf"), 4.0],
    "list": [[3, 1, 2], []],
    "tuple": [(1, 2, 1), ()],
    "dict": [{1: 2, "a": 3}, {}],
    "set": [{1, 2}, set()],
    "frozenset": [frozenset({1, 2}), frozenset()],
    "range": [range(1, 9, 2), range(0)],
    "slice": [slice(1, None, 2), slice(None)],
    "collections.deque": [deque([1, 2, 3], 4), deque()],
    "collections.Counter": [Counter("aab"), Counter()],
    "collections.OrderedDict": [OrderedDict(a=1, b=2)],
    "collections.defaultdict": [defaultdict(list, {1: [2]}), defaultdict(None, a=1)],
    "datetime.datetime": [
        dt.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
        dt.datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=dt.UTC),
        dt.datetime(2024, 1, 1),
    ],
    "datetime.date": [dt.date(2024, 2, 29)],
    "datetime.time": [dt.time(1, 2, 3, tzinfo=dt.UTC), dt.time(5)],
    "datetime.timedelta": [dt.timedelta(1, 2, 3)],
    "datetime.timezone": [dt.UTC, dt.timezone(dt.timedelta(hours=1), "A")],
    "zoneinfo.ZoneInfo": [BERLIN],
    "decimal.Decimal": [Decimal(each) for each in ("1.10", "-0", "NaN", "Infinity", "123.456E+5")],
    "fractions.Fraction": [Fraction(1, 3), Fraction(-4)],
    "pathlib.PurePosixPath": [PurePosixPath("/a/b.tar.gz"), PurePosixPath("x")],
    "pathlib.Path": [Path("/a/b.tar.gz")],
}
ARGUMENTS: list[tuple[Any, ...]] = [
    (), ("a",), (b"a",), (1,), (-1,), (0,), ("x", "y"), (b"x", b"y"), (2, 3), (1, "z"), (1, b"z"), (10, "*"), (10, b"*"),
    ([1, 2],), (["a", "b"],), ([b"a", b"b"],), ({},), ({1, 5},), (None,), ("%Y-%m",), (Decimal(2),), (Fraction(2),), (3.5,),
    (True,), (b"a", 1), ("a", 1), ("a", 0, 2), (BERLIN,), (dt.datetime(2024, 5, 5),), (1, 2, 3), (97,), (300,), ({97: "q"},),
    ("utf-8",), ("latin-1", "ignore"), (4, "big"),
]  # fmt: skip

_NAMES_THE_BASE = "the message names the class that the method comes from"
_NAMES_OURS = "the message on the number of arguments names the machine's own class"
_CODEC_FIRST = "the name of the codec is looked up first, also for no text and with wrong arguments"
DIFFERENT: dict[tuple[str, str], str] = {
    **{("int", name): _NAMES_THE_BASE for name in "as_integer_ratio bit_count bit_length conjugate is_integer".split()},
    **{("collections.Counter", name): _NAMES_THE_BASE for name in ("clear", "popitem")},
    **{("collections.defaultdict", name): _NAMES_THE_BASE for name in ("clear", "popitem")},
    **{("datetime.datetime", name): _NAMES_THE_BASE for name in "isocalendar isoweekday toordinal weekday".split()},
    **{(kind, name): _NAMES_OURS for kind in ("set", "frozenset") for name in "copy isdisjoint issubset issuperset symmetric_difference".split()},
    **{("set", name): _NAMES_OURS for name in "add clear discard remove symmetric_difference_update".split()},
    ("datetime.datetime", "astimezone"): "of what is no zone and not hashable either, the latter is said",
    ("str", "encode"): _CODEC_FIRST,
    ("bytes", "decode"): _CODEC_FIRST,
    ("bytearray", "decode"): _CODEC_FIRST,
    ("set", "pop"): "sets are ordered, and the last item is taken",
}  # fmt: skip
"""Methods some of whose outcomes are others than CPython's, and how. None gives another value."""
LATER = {("int", "is_integer"), ("fractions.Fraction", "is_integer"), ("pathlib.PurePosixPath", "with_segments"), ("pathlib.Path", "with_segments")}  # fmt: skip
"""Methods that the oldest CPython we run on does not have yet."""
REFUSED = "refused"


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return _shown(call())
    except UnsupportedOperation:
        return REFUSED
    except Exception as error:  # noqa: BLE001 - whichever it is, it must be the same one
        return type(error), str(error)


def _shown(value: Any) -> Any:
    if hasattr(value, "__next__") or isinstance(
        value, DictView | KeysView | ValuesView | ItemsView
    ):
        return "items", [normal(host(item)) for item in value]
    return normal(host(value))


def machines(value: Any) -> Any:
    """The value as the machine holds it, not the same object."""
    if isinstance(value, set):
        return OrderedSet(value)
    if isinstance(value, frozenset):
        return OrderedFrozenset(value)
    return copy.deepcopy(value)


def both(name: str, sample: Any, arguments: Iterable[Any]) -> tuple[Any, Any]:
    """What a call gives, and what its receiver is afterwards, in CPython and in the machine."""
    METER.start(DEFAULT_BUDGET)
    theirs, ours = copy.deepcopy(sample), machines(sample)
    given = [copy.deepcopy(each) for each in arguments]
    held = [machines(each) for each in arguments]
    expected = outcome(lambda: getattr(theirs, name)(*given))
    shown = outcome(lambda: operations.call_method(None, ours, name, held, {}))
    return (expected, _shown(theirs)), (shown, _shown(ours))


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_methods_of_a_type_do_what_those_of_cpython_do(kind: str) -> None:
    different: dict[str, list[Any]] = {}
    for name in language.METHODS[kind]:
        if (kind, name) in LATER and not hasattr(SAMPLES[kind][0], name):
            continue
        compared = 0
        for sample in SAMPLES[kind]:
            for arguments in ARGUMENTS:
                expected, shown = both(name, sample, arguments)
                if shown[0] == REFUSED:
                    continue
                compared += 1
                if shown != expected:
                    different.setdefault(name, []).append((sample, arguments, expected, shown))
        assert compared, f"every call of {kind}.{name} was refused"
    unknown = {name: found for name, found in different.items() if (kind, name) not in DIFFERENT}
    assert unknown == {}
    if sys.version_info[:2] == (3, 12):
        assert set(different) == {name for of, name in DIFFERENT if of == kind}


def test_what_differs_is_an_error_and_never_a_value() -> None:
    for kind, name in DIFFERENT.keys() - {("set", "pop")}:
        for sample in SAMPLES[kind]:
            for arguments in ARGUMENTS:
                (expected, theirs), (shown, ours) = both(name, sample, arguments)
                if shown not in (expected, REFUSED):
                    error, _message = shown
                    assert issubclass(error, Exception)
                assert theirs == ours


def test_there_are_samples_of_every_type_that_can_be_written_down() -> None:
    missing = set(language.METHODS) - set(SAMPLES)
    assert {each for each in missing if each in language.TYPES} == {
        "decimal.Context",
        "random.Random",
    }
