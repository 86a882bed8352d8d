"""Whatever would take too much time or memory is refused before it is done."""

import time
import tracemalloc
from typing import Any

import pytest

from tests.support.evaluate import evaluate
from tests.unit.vm.test_operations_match_cpython import NAMES
from waymark_worker.vm import operations
from waymark_worker.vm.meter import DEFAULT_BUDGET, METER
from waymark_worker.vm.ordered import OrderedSet
from waymark_worker.vm.refusals import LimitExceeded
from waymark_worker.vm.weights import weigh

BOMBS = [
    "'a' * 10 ** 9",
    "10 ** 9 * 'a'",
    "b'a' * 10 ** 9",
    "[0] * 10 ** 9",
    "(0,) * 10 ** 12",
    "10 ** 10 ** 8",
    "Fraction(10) ** 10 ** 8",
    "Fraction(3, 7) ** -(10 ** 8)",
    "1 << 10 ** 9",
    "pow(10, 10 ** 9)",
    "pow(3, 1 << 100000, (1 << 100000) - 1)",
    "list(range(10 ** 12))",
    "tuple(range(10 ** 12))",
    "set(range(10 ** 12))",
    "sum(range(10 ** 12))",
    "sorted(range(10 ** 12))",
    "max(range(10 ** 12))",
    "all(range(1, 10 ** 12))",
    "list(enumerate(range(10 ** 12)))",
    "list(zip(range(10 ** 12)))",
    "'x'.join(enumerate(range(10 ** 12)))",
    "[].extend(range(10 ** 12))",
    "{1}.union(range(10 ** 12))",
    "dict.fromkeys(range(10 ** 12))",
    "deque(range(10 ** 12))",
    "Counter(range(10 ** 12))",
    "bytes(10 ** 10)",
    "bytearray(10 ** 10)",
    "bytes(range(10 ** 12))",
    "[*range(10 ** 12)]",
    'f"{1:>{10 ** 9}}"',
    'f"{1.5:.{10 ** 9}f}"',
    "f\"{'a':{10 ** 9}}\"",
    "format(1, '1000000000')",
    "'{:1000000000}'.format(1)",
    "'{:>{}}'.format(1, 10 ** 9)",
    "'%1000000000d' % 1",
    "'%*d' % (10 ** 9, 1)",
    "'%.1000000000f' % 1.0",
    "b'%1000000000d' % 1",
    "'a'.center(10 ** 9)",
    "'a'.ljust(10 ** 9)",
    "'a'.zfill(10 ** 9)",
    "b'a'.rjust(10 ** 9)",
    "'\\t'.expandtabs(10 ** 9)",
    "('a' * 10000).replace('a', 'b' * 10000)",
    "('a' * 10000).replace('', 'b' * 10000)",
    "('a' * 1000000).join(['b'] * 100)",
    "('a' * 10000).translate({97: 'b' * 10000})",
    "(1).to_bytes(10 ** 10, 'big')",
    "int('f' * 1000000, 16)",
    "int.from_bytes(b'a' * 1000000, 'big')",
    "int(Decimal('1e999999999'))",
    "round(Decimal('1e999999999'))",
    "f\"{Decimal('1e999999999'):f}\"",
    "'%d' % Decimal('1e999999999')",
    "Decimal('1e999999999').as_integer_ratio()",
    "Fraction('1e999999999')",
    "Fraction(Decimal('1e999999999'))",
    "round(Fraction(1, 3), 10 ** 9)",
    "round(5, -(10 ** 9))",
    "datetime(2024, 1, 1).strftime('%A' * 100000)",
    "f\"{datetime(2024, 1, 1):{'%A' * 100000}}\"",
    "('a' * 10000000) + ('a' * 10000000)",
]


@pytest.fixture(autouse=True)
def _budget() -> None:
    METER.start(DEFAULT_BUDGET)


@pytest.mark.parametrize("expression", BOMBS)
def test_bomb_is_refused_at_once_and_in_little_memory(expression: str) -> None:
    tracemalloc.start()
    began = time.perf_counter()
    try:
        with pytest.raises(LimitExceeded) as caught:
            evaluate(expression, **NAMES)
        spent = time.perf_counter() - began
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not isinstance(caught.value, Exception)
    assert spent < 20, expression
    assert peak < 600_000_000, expression


@pytest.mark.parametrize(
    "expression",
    [
        "'a' * 10 ** 6",
        "2 ** 100000",
        "list(range(10 ** 6))",
        'f"{1:>{10 ** 6}}"',
        "sum(range(10 ** 6))",
    ],
)
def test_honest_work_is_done(expression: str) -> None:
    assert evaluate(expression) == eval(expression)


def doubled(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value, value]
    return value


def test_a_few_doubled_lists_do_not_make_a_walk_without_end() -> None:
    for walk in (
        lambda: operations.compare("==")(doubled(60), doubled(60)),
        lambda: operations.format_value(doubled(60), "r", ""),
        lambda: operations.compare("<")(doubled(60), doubled(60)),
    ):
        METER.start(DEFAULT_BUDGET // 20)
        with pytest.raises(LimitExceeded):
            walk()


def test_a_doubled_tuple_as_a_key_is_refused() -> None:
    key: tuple[Any, ...] = ()
    for _ in range(60):
        key = (key, key)
    METER.start(DEFAULT_BUDGET // 20)
    with pytest.raises(LimitExceeded):
        operations.get_item({}, key)
    METER.start(DEFAULT_BUDGET // 20)
    with pytest.raises(LimitExceeded):
        operations.set_add(OrderedSet(), key)


def test_a_list_that_holds_itself_has_cpythons_repr() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert operations.format_value(loop, "r", "") == "[1, [...]]"


def test_nesting_is_bounded() -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(LimitExceeded, match="nested deeper than 200"):
        operations.format_value(deep, "r", "")


def test_a_replay_is_not_charged_and_sizes_still_hold() -> None:
    METER.start(None)
    for _ in range(100):
        METER.charge(DEFAULT_BUDGET)
    with pytest.raises(LimitExceeded):
        evaluate("'a' * 10 ** 9")


def test_weight_grows_with_the_value() -> None:
    assert (
        weigh([1, 2, 3])
        < weigh(list(range(1000)))
        < weigh({"a": list(range(1000)), "b": "x" * 5000})
    )
