"""Every expression here has the value, or the exception and message, that CPython gives it."""

import datetime as dt
import sys
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.evaluate import evaluate, host
from waymark_worker.vm import builtins
from waymark_worker.vm.meter import DEFAULT_BUDGET, METER
from waymark_worker.vm.refusals import UnsupportedOperation

NAMES: dict[str, Any] = {
    "datetime": dt.datetime, "date": dt.date, "time": dt.time, "timedelta": dt.timedelta,
    "timezone": dt.timezone, "ZoneInfo": ZoneInfo, "Decimal": Decimal, "UUID": uuid.UUID,
    "Fraction": Fraction, "P": PurePosixPath, "Path": Path, "deque": deque, "Counter": Counter,
    "OrderedDict": OrderedDict, "defaultdict": defaultdict,
}  # fmt: skip

EXPRESSIONS = """
1 + 2
7 // -2
-7 % 3
7.5 // 2
divmod(-7, 2)
2 ** 100
2 ** -1
0 ** 0
0.1 + 0.2
1e308 * 10
1 / 0
1 // 0
1 % 0
1.0 // 0.0
0 ** -1
10 ** 40 // 7
-1 >> 3
1 << 5
1 << -1
True + True
True & 1
~5
-True
+'a'
-'a'
~1.5
not []
1 + 'a'
'a' + 1
'a' * 3
3 * 'ab'
'a' * -1
'a' * 1.5
[1] + (2,)
[1] * 2
(1, 2) * 2
None + 1
1 @ 2
{1, 2} | {2, 3}
{1, 2} & {2, 3}
{1, 2} - {2}
{1, 2} ^ {2, 3}
{1} | [2]
{1} + {2}
{'a': 1} | {'b': 2}
{'a': 1} | 2
1 < 'a'
1 < 2.5
'a' < 'b'
[1, 2] < [1, 3]
(1, 'a') < (1, 2)
{1} < {1, 2}
{1} < [1]
None < 1
1 == 1.0
1 == True
[] == ()
{1} == frozenset({1})
1 in [1.0]
'a' in 'abc'
1 in 'abc'
1 in 5
'a' in {'a': 1}
[] in {1}
2 not in range(5)
float('nan') == float('nan')
'abc'[1]
'abc'[5]
'abc'['a']
'abc'[::-1]
'abc'[1:2]
'abc'[::0]
[1, 2, 3][-1]
[1, 2, 3][5]
(1, 2)[2]
{'a': 1}['a']
{'a': 1}['b']
{'a': 1}[[]]
range(10)[3:7:2]
range(3)[7]
5[0]
None['a']
b'abc'[1]
b'abc'[0:2]
len('abc')
len(5)
len({1, 2})
len()
abs(-3)
abs('a')
round(2.5)
round(2.675, 2)
round(1234, -2)
round(-0.5)
round('a')
pow(2, 10)
pow(2, 10, 7)
pow(2, -1, 7)
pow(2, 3, 0)
int('42')
int('  -7 ')
int('4_2')
int('x')
int('ff', 16)
int('0x1f', 0)
int('12', 1)
int(3.9)
int(-3.9)
int(float('nan'))
int(float('inf'))
int(None)
int([])
int('9' * 5000)
str(10 ** 5000)
float('1e3')
float('x')
float('nan') != float('nan')
float(None)
bool([])
bool('x')
str(1.0)
str(1e22)
str(1e16)
str(-0.0)
str(None)
str(b'a', 'utf-8')
repr('a\\'b')
repr([1, 'a', None, 2.5])
repr({'a': [1, {2}]})
repr(set())
repr(frozenset())
repr(frozenset({1}))
repr(int)
repr(ValueError('x'))
ascii('é')
chr(97)
chr(-1)
ord('a')
ord('ab')
hex(255)
bin(-5)
oct(8)
hex('a')
list('abc')
list(5)
list({1: 2})
tuple([1])
dict([('a', 1)])
dict([1])
dict(a=1)
dict({'a': 1}, b=2)
set([1, 2, 1])
set(5)
set([[]])
frozenset('aa')
sorted([3, 1, 2])
sorted([3, 'a'])
sorted('hello', reverse=True)
sorted([[2], [1]])
sorted(['b', 'A'], key=str.lower)
sorted([3, -4, 1], key=abs)
sorted({'b': 1, 'a': 2})
min(3, 1, 2)
min([])
min([], default=7)
max('abc')
max(['a', 'bbb'], key=len)
max(1, 'a')
min(5)
sum([1, 2, 3])
sum([0.1] * 10)
sum([[1], [2]], [])
sum(['a'])
sum(['a'], '')
sum([Decimal('1.1'), 2])
any([0, 1])
all([])
any(5)
list(enumerate('ab', 1))
list(zip('ab', [1, 2, 3]))
list(zip([1], [1, 2], strict=True))
list(reversed([1, 2]))
list(reversed({'a': 1, 'b': 2}))
reversed({1})
zip(5)
enumerate(5)
next(iter([1]))
next(iter([]))
next(iter([]), 9)
next([1])
iter(5)
callable(len)
callable(5)
isinstance(1, int)
isinstance(True, int)
isinstance('a', (int, str))
isinstance({1}, set)
isinstance(1, 'a')
isinstance(1, int | str)
issubclass(bool, int)
issubclass(KeyError, LookupError)
type(1).__name__
type({1}).__name__
type({1}) is set
type('a') == str
type(frozenset()).__name__
hasattr('a', 'upper')
hasattr('a', 'nope')
getattr('abc', 'upper')()
getattr('abc', 'nope', 3)
getattr('abc', 'nope')
format(3.14159, '.2f')
format(255, '#06x')
format(1234567, ',')
format('a', '>5')
format('a', 'd')
format(1, 's')
format([], '5')
format(None, '')
f"{1 + 1!r:>5}"
f"{'a'!a}"
f"{3.0}"
f"{10 ** 20:,}"
f"{'x':*^9}"
f"{0.000001}"
f"{True:d}"
f"{True}"
f"{2.5:{'>'}{10}.{3}}"
'%s is %d' % ('a', 3)
'%5.2f|%-5s|%05d' % (1.234, 'a', 42)
'%(a)s %(b)r' % {'a': 1, 'b': 'x'}
'%d' % 'a'
'%s %s' % ('a',)
'%s' % ('a', 'b')
'%z' % 1
'%' % ()
'%%' % ()
'%c' % 97
'%x %o %e' % (255, 8, 1.5)
b'%d-%s' % (1, b'x')
'{} {}'.format(1, 'a')
'{1} {0}'.format(1, 'a')
'{a} {b!r}'.format(a=1, b='x')
'{0[1]} {0[0]}'.format([1, 2])
'{0[a]}'.format({'a': 5})
'{0.real}'.format(5)
'{:>{w}}'.format('a', w=5)
'{} {0}'.format(1)
'{'.format()
'}'.format()
'{}'.format()
'{x}'.format(y=1)
'{0!x}'.format(1)
'{{}}'.format()
'{:{:{}}}'.format(1, 2, 3)
'{a}'.format_map({'a': 2})
'Hello World'.lower()
'hello world'.title()
'abc'.upper(1)
'a,b,,c'.split(',')
'a b  c'.split()
'a,b'.rsplit(',', 1)
'abc'.split('')
'a\\nb\\r\\nc'.splitlines()
'abc'.partition('b')
' x '.strip()
'xxabcxx'.strip('x')
'abc'.startswith(('a', 'b'))
'abc'.endswith('bc', 1)
'abc'.find('c')
'abc'.index('z')
'abcabc'.count('a')
'abc'.replace('b', 'XX')
'aaa'.replace('a', 'b', 2)
'abc'.center(9, '*')
'7'.zfill(3)
'a'.ljust(3) + '|'
','.join(['a', 'b'])
','.join([1])
','.join(5)
','.join({'a': 1})
'a\\tb'.expandtabs(4)
'abc'.encode()
'é'.encode('latin-1')
'é'.encode('ascii')
b'\\xff'.decode()
b'abc'.decode('utf-8')
'abc'.encode('nope')
'ß'.casefold()
'abc'.translate({97: 'x', 98: None})
'abc'.translate(str.maketrans('ab', 'xy'))
'abc'.removeprefix('a')
'1'.isdigit()
'abc'.nope()
'abc'.isalpha()
b'abc'.hex()
bytes.fromhex('6162')
b'a,b'.split(b',')
bytes(3)
bytes([1, 2])
bytes('a')
bytes('a', 'utf-8')
bytes([256])
bytearray(b'ab')
[3, 1, 2].index(1)
[1].index(5)
[1, 1].count(1)
[].pop()
[1, 2].pop(0)
[1].remove(2)
[1].copy()
[1].nope
(1, 2).count(1)
{'a': 1}.get('b')
{'a': 1}.get('b', 2)
{'a': 1}.pop('b')
{'a': 1}.pop('b', 3)
list({'a': 1}.keys())
list({'a': 1}.items())
sorted({'a': 1}.values())
{'a': 1}.keys() & {'a', 'b'}
{'a': 1}.keys() | ['b']
{'a': 1}.keys() == {'a'}
{'a': 1}.items() == {('a', 1)}
{'a': 1}.keys() < {'a', 'b'}
'a' in {'a': 1}.keys()
len({'a': 1}.items())
repr({'a': 1}.keys())
dict.fromkeys('ab', 0)
{}.popitem()
{1, 2}.union([3], (4,))
{1, 2}.intersection([2])
{1}.issubset([1, 2])
{1}.remove(5)
set().pop()
{1}.isdisjoint({2})
frozenset({1}).add
(5).bit_length()
(255).to_bytes(2, 'big')
int.from_bytes(b'\\x01\\x00', 'big')
(300).to_bytes(1, 'big')
(2.5).is_integer()
(0.75).as_integer_ratio()
(5).real
(1.5).hex()
float.fromhex('0x1p-2')
(5).nope
datetime(2024, 1, 31).isoformat()
datetime(2024, 2, 30)
datetime(2024, 1, 31) + timedelta(days=1)
datetime(2024, 1, 31) - datetime(2024, 1, 1)
datetime(2024, 1, 31) < datetime(2024, 2, 1)
datetime(2024, 1, 1) < date(2024, 1, 1)
datetime(2024, 1, 1, tzinfo=timezone.utc) < datetime(2024, 1, 1)
datetime(2024, 1, 1, tzinfo=timezone.utc).isoformat()
datetime.fromisoformat('2024-01-01T10:00:00+02:00')
datetime.fromisoformat('nope')
datetime.strptime('2024-05-06', '%Y-%m-%d')
datetime.strptime('x', '%Y')
datetime(2024, 5, 6, 7, 8).strftime('%d/%m/%y %H:%M')
f"{datetime(2024, 5, 6):%Y-%m}"
datetime(2024, 3, 31, 1, tzinfo=ZoneInfo('Europe/Berlin')) + timedelta(hours=3)
datetime(2024, 7, 1, tzinfo=ZoneInfo('Europe/Berlin')).utcoffset()
datetime(2024, 7, 1, tzinfo=timezone.utc).timestamp()
datetime.fromtimestamp(0, timezone.utc)
datetime(2024, 1, 1).replace(day=5).weekday()
date(2024, 2, 29).replace(year=2023)
date(2024, 1, 1).toordinal()
date.fromordinal(738886)
date.max
timedelta(hours=25).days
timedelta(seconds=90) / 2
timedelta(days=1) // timedelta(hours=5)
timedelta(seconds=1.5).total_seconds()
str(timedelta(days=-1, seconds=5))
timedelta(days=1) * 'a'
time(10, 30).isoformat()
Decimal('1.10') + Decimal('2.2')
Decimal('1') / 3
Decimal('1') / 0
Decimal('x')
Decimal('1.1') + 1.1
Decimal('2.675').quantize(Decimal('0.01'))
round(Decimal('2.675'), 2)
str(Decimal('1E+5'))
f"{Decimal('1234.5'):,.2f}"
Decimal('10').sqrt()
int(Decimal('7.9'))
Decimal('1.5') == 1.5
UUID('12345678123456781234567812345678').hex
str(UUID(int=5))
UUID('x')
Fraction(1, 3) + Fraction(1, 6)
Fraction('0.125')
Fraction(1, 0)
Fraction(7, 2).numerator
str(Fraction(3, 4))
P('/a/b') / 'c.txt'
P('/a/b.tar.gz').suffixes
P('/a/b').parent.name
P('a').with_suffix('.x')
P('/a/b').relative_to('/c')
str(P('a') / '..' / 'b')
deque([1, 2], 1)
deque([1, 2]).popleft()
deque().pop()
Counter('hello').most_common(1)
Counter('ab') + Counter('b')
Counter('aab')['z']
defaultdict(int)['x']
defaultdict(list, {'a': [1]})['a']
OrderedDict([('a', 1)]) == {'a': 1}
ValueError('a', 1).args
str(ValueError('a', 1))
str(KeyError('k'))
repr(KeyError('k'))
OSError(2, 'nope').errno
type(OSError(2, 'nope')).__name__
str(OSError(2, 'nope', 'file'))
StopIteration(5).value
ValueError('x').nope
ValueError(x=1)
str.upper('a')
str.upper(5)
str.upper()
list(range(10, 0, -3))
range(1.5)
range(0, 1, 0)
range(3).start
slice(1, 2).stop
slice(1, None, 2).indices(10)
[*range(3), *'ab']
[*5]
{**{'a': 1}, 'b': 2}
{**5}
int.nope
float.is_integer(2.0)
(1).x
''.join(sorted('cab'))
bytes(b'ab') + bytearray(b'c')
'é' < 'z'
'a' 'b' in ['ab']
print(1, foo=2)
sorted([1], foo=2)
min(1, 2, default=3)
max([1], foo=1)
len([1], [2])
'abc'.split(sep=5)
[1, 2].sort(key=5)
[1].append()
[1].append(1, 2)
{}.update(5)
{}.update([1])
{}.keys(1)
'abc'.join()
{1}.union(5)
sum(5)
sum([1], 'a')
''.format_map(5)
isinstance(1)
round(1, 2, 3)
divmod(1, 'a')
pow('a', 2)
pow(1, 2, 3, 4)
getattr(1)
hasattr(1, 2)
iter([1], 2, 3)
next()
""".strip().splitlines()


def outcome(compute: Any) -> Any:
    try:
        value = host(compute())
    except Exception as error:  # noqa: BLE001 - whichever it is, it must be the same one
        return type(error), str(error)
    if isinstance(value, float | int):
        return type(value), repr(value)
    return type(value).__name__, value


@pytest.fixture(autouse=True)
def _budget() -> None:
    METER.start(DEFAULT_BUDGET)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression_has_cpythons_outcome(expression: str) -> None:
    def by_cpython() -> Any:
        return eval(expression, dict(NAMES))

    def by_machine() -> Any:
        return evaluate(expression, **NAMES)

    assert outcome(by_machine) == outcome(by_cpython)


UNSUPPORTED = [
    "'abc'.__class__.__mro__",
    "'abc'.__len__()",
    "(5).__add__(1)",
    "'{0.__class__.__init__}'.format(5)",
    "'{0.__doc__}'.format('a')",
    "int.mro()",
    "repr(len)",
    "str([len])",
    "f'{len}'",
    "'%s' % len",
    "type(len)",
    "datetime(2024, 1, 1).timestamp()",
    "datetime(2024, 1, 1).astimezone(timezone.utc)",
    "datetime.now()",
    "datetime.fromtimestamp(5)",
    "date.today()",
    "'a'.encode('idna')",
    "Path('a').exists()",
    "list[int]",
    "Counter('a').__sizeof__()",
    "object()",
    "type('X', (), {})",
    "[].__hash__",
]


@pytest.mark.parametrize("expression", UNSUPPORTED)
def test_what_cpython_has_and_we_lack_ends_the_instance(expression: str) -> None:
    with pytest.raises(UnsupportedOperation) as caught:
        evaluate(expression, **NAMES)
    assert not isinstance(caught.value, Exception)
    assert caught.value.code.startswith("WM2")
    assert caught.value.rewrite


def test_hash_and_id_do_not_exist() -> None:
    for name in ("hash", "id", "eval", "open", "__import__"):
        with pytest.raises(LookupError):
            builtins.value(name)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="int.is_integer came with 3.12")
def test_methods_of_a_newer_cpython_exist_where_it_has_them() -> None:
    assert evaluate("(5).is_integer()") is True
