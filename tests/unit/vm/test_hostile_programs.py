"""Programs that want all time or all memory end with a limit that says what it is; the process stays small."""

import time
from pathlib import Path

import pytest

from tests.support.compiling import imported, run_text, workflow_of
from tests.support.memory import peak
from waymark.starting import prepare
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding
from waymark_worker.vm.effects import Fail
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.meter import DEFAULT_BUDGET

HEADER = """
import base64, bisect, collections, contextlib, copy, functools, hashlib, heapq, html, itertools, json, math, operator, random, re
import statistics, textwrap, urllib.parse
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

@dataclass
class Shadow:
    pass

def deep(n):
    return [deep(n - 1)] if n else []

def endless():
    while True:
        yield 1

"""
MIB = 1024 * 1024
DOUBLED = "x = [1]\nfor _ in range(60):\n    x = [x, x]\n"
SCALARS = [
    "'a' * 10**9",
    "10 ** 10**8",
    "2 << 10**9",
    "pow(2, 10**9)",
    "math.factorial(10**7)",
    "math.factorial(10**9)",
    "math.comb(10**9, 10**8)",
    "math.comb(10**7, 5 * 10**6)",
    "math.perm(10**8)",
    "math.perm(10**6, 10**6)",
    "math.prod(range(1, 10**7))",
    "math.lcm(*range(1, 10**6))",
    "math.isqrt(1 << 1_000_000) ** 3",
    "math.fsum(range(10**12))",
    "math.dist(range(10**12), [1])",
    "operator.mul('a', 10**9)",
    "operator.pow(10, 10**8)",
    "operator.iadd([0] * 3_000_000, range(10**12))",
    "list(range(10**12))",
    "sum(range(10**9))",
    "max(range(10**12))",
    "sorted(range(10**12))",
    "[x for x in range(10**9)]",
    "{x: x for x in range(10**9)}",
    "sum(x for x in range(10**9))",
    "any(x < 0 for x in range(10**12))",
    "10**12 in (x for x in range(10**12))",
    "bytes(10**10)",
    "bytearray(10**10)",
    "range(10**18)[10**17:].count(0.5)",
    "f'{1:>{10**9}}'",
    "'{:>{}}'.format(1, 10**9)",
    "'%*d' % (10**9, 1)",
    "'a'.center(10**9)",
    "'ab'.replace('', 'x' * 10_000_000)",
    "','.join(['x' * 1_000_000] * 100)",
    "list(itertools.count())",
    "list(itertools.cycle([1]))",
    "list(itertools.repeat('x'))",
    "list(itertools.repeat('x', 10**12))",
    "list(itertools.product(range(100), repeat=10))",
    "list(itertools.product([1], repeat=10**9))",
    "list(itertools.permutations(range(20)))",
    "list(itertools.combinations(range(60), 30))",
    "list(itertools.accumulate(itertools.repeat('x' * 1000)))",
    "max(itertools.chain.from_iterable(itertools.repeat([1])))",
    "functools.reduce(operator.mul, itertools.repeat(10**50))",
    "Decimal(10) ** Decimal(10**9)",
    "int(Decimal('1e99999999'))",
    "str(Decimal('1e99999999').to_integral_value())",
    "Decimal('1e999999').as_integer_ratio()",
    "statistics.mean(Decimal(f'1e{n}') for n in range(0, 900_000, 1000))",
    "statistics.mean(range(10**12))",
    "statistics.quantiles([1, 2], n=10**9)",
    "random.choices('ab', k=10**9)",
    "random.sample(range(10**12), 10**9)",
    "random.randbytes(10**10)",
    "random.getrandbits(10**10)",
    "random.Random(1).choices('ab', k=10**9)",
    "random.shuffle([0] * 9_000_000)",
    "[random.random() for _ in range(10**7)]",
    "heapq.nlargest(3, range(10**12))",
    "re.search(r'.*x.*y.*z', 'a' * 60_000)",
    "re.findall(r'a*b', 'a' * 100_000)",
    "re.match(r'a?' * 40 + 'a' * 40, 'a' * 39)",
    "re.sub('', 'x' * 1_000_000, 'a' * 60_000)",
    "re.escape('.' * 16_000_000)",
    "textwrap.indent('\\n'.join(['x'] * 400_000), '>' * 10_000)",
    "textwrap.fill('x ' * 1_000_000, 1, subsequent_indent=' ' * 1000)",
    "html.escape('<' * 16_000_000)",
    "urllib.parse.quote('é' * 16_000_000)",
    "base64.b85encode(bytes(16_000_000))",
    "json.loads('[' * 100_000)",
    "timedelta(1) * 10**400_000",
    "deque(range(10**12), maxlen=5)",
    "Counter(itertools.count())",
    "next(x for x in itertools.count() if x < 0)",
    "list(endless())",
    "dict(zip(itertools.count(), endless()))",
]
NESTED = "x = (KeyError,)\nfor _ in range(60):\n    x = (x, x)\n"
STATEMENTS = [
    "while True:\n    pass",
    "n = 0\nwhile True:\n    n += 1",
    "for _ in endless():\n    pass",
    "def f(n):\n    return f(n + 1) + f(n + 1)\nwhile True:\n    try:\n        f(0)\n    except RecursionError:\n        pass",
    "x = [0]\nwhile True:\n    x += x",
    "x = []\nwhile True:\n    x.extend(range(100_000))",
    "x = 'a'\nwhile True:\n    x += x",
    "x = {}\nwhile True:\n    x[len(x)] = 'v' * 1000",
    "x = []\nwhile True:\n    x.append(bytes(1_000_000) + str(len(x)).encode())",
    "x = 3\nwhile True:\n    x = x * x",
    "x = Fraction(1, 3)\nwhile True:\n    x = x * x + 1",
    "x = ()\nwhile True:\n    x = (x, x, 1)\n    hash_me = {x: 1}",
    DOUBLED + "return json.dumps(x)",
    DOUBLED + "return str(x)",
    DOUBLED + "return x == copy.copy(x) and x == [list(x[0]), list(x[1])]",
    DOUBLED + "return copy.deepcopy([x, x]) == x",
    DOUBLED + "await act(x)",
    DOUBLED + "return x",
    DOUBLED + "return sorted([x, x[:]])",
    DOUBLED + "return bisect.bisect([x], x[:])",
    DOUBLED + "h = [x]\nheapq.heappush(h, x[:])",
    DOUBLED + "return min([[x], [x[:]]])",
    DOUBLED + "return f'{x}' + '%s' % (x,)",
    NESTED + "return isinstance(1, x)",
    NESTED + "return isinstance(len, x)",
    NESTED + "return isinstance(Shadow(), x)",
    NESTED + "return issubclass(int, x)",
    NESTED + "return issubclass(Shadow, x)",
    NESTED + "with contextlib.suppress(x):\n    raise ValueError('x')",
    "h = hashlib.sha256()\nwhile True:\n    h.update(bytes(10_000_000))",
    "h = hashlib.sha256(bytes(15_000_000))\nwhile True:\n    h.hexdigest()",
    "d = random.Random(1)\nwhile True:\n    d.random()",
    "await asyncio.gather(*[act(n) for n in range(10**9)])",
    "await asyncio.gather(*(act(n) for n in itertools.count()))",
    "while True:\n    print('x' * 100_000)",
]


BODIES = [*(f"return {each}" for each in SCALARS), *STATEMENTS]


def failure(tmp_path: Path, body: str, *, budget: int = DEFAULT_BUDGET) -> str:
    text = run_text(body, before=HEADER)
    request = prepare(workflow_of(imported(tmp_path, text)), (), {}).request
    linked = link(request.program.program, request.program.digest)
    machine = Machine.start(linked, inputs=request.inputs, attributes=request.attributes)
    effects = machine.advance(None, FreshLocals(), budget=budget)
    assert machine.finished, f"it waits, after {len(effects)} effects"
    last = effects[-1]
    assert isinstance(last, Fail), last
    error = Codec(RecordBinding()).decode(last.error)
    return f"{type(error).__name__}: {error}"


SAID = (
    "WAYMARK_",
    "may have at most",
    "nested deeper",
    "at most",
    "RecursionError",
    "Overflow",
    "too large",
    "maximum recursion",
)


@pytest.mark.parametrize("body", BODIES)
def test_a_hostile_program_ends_with_a_limit_in_little_memory(tmp_path: Path, body: str) -> None:
    _ends_with_a_limit(tmp_path, body, budget=DEFAULT_BUDGET // 10, memory=150 * MIB)


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES)
def test_so_it_does_with_the_budget_that_pools_give(tmp_path: Path, body: str) -> None:
    _ends_with_a_limit(tmp_path, body, budget=DEFAULT_BUDGET, memory=600 * MIB)


def _ends_with_a_limit(tmp_path: Path, body: str, *, budget: int, memory: int) -> None:
    began = time.process_time()
    with peak() as taken:
        told = failure(tmp_path, body, budget=budget)
    assert any(said in told for said in SAID), told
    assert time.process_time() - began < 30
    assert taken.grown < memory


def test_a_peak_is_seen_though_it_is_over_and_was_higher_before() -> None:
    for size in (300, 200, 100):
        with peak() as taken:
            len([b"x" * (100_000 + n) for n in range(size * 10)])
        assert size * 0.9 * 1_000_000 < taken.grown < (size + 80) * 1_000_000


@pytest.mark.parametrize(
    "body",
    [
        "return str(collections.defaultdict(lambda: 1))",
        "return f'{[collections.defaultdict(deep)]}'",
        "return repr(hashlib.md5())",
        "return str(random.Random(1))",
        "return '%s' % itertools.count()",
        "return str(functools.partial(deep, 1))",
    ],
)
def test_no_text_shows_an_address(tmp_path: Path, body: str) -> None:
    assert "WM203" in failure(tmp_path, body)
