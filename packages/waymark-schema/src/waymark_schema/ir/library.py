"""Names of the standard library that a workflow may use, by how the machine carries them out. Data only."""

from __future__ import annotations

CLOCKS = (
    "datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow datetime.date.today"
    " time.time time.time_ns uuid.uuid4"
).split()
"""Each call records its value in the journal."""


def _of(module: str, names: str) -> list[str]:
    return [f"{module}.{name}" for name in names.split()]


RANDOM = _of(
    "random",
    "betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits"
    " lognormvariate normalvariate paretovariate randbytes randint random randrange sample shuffle"
    " triangular uniform vonmisesvariate weibullvariate",
)
"""Drawn from a generator whose seed is recorded, once for each advance of the machine that draws."""

RECORDED = (*CLOCKS, *RANDOM)
"""Names whose value differs each time: recorded, so that a recovery sees the same."""

MATH = _of(
    "math",
    "acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist erf erfc exp exp2"
    " expm1 fabs factorial floor fma fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt lcm"
    " ldexp lgamma log log10 log1p log2 modf nextafter perm pow prod radians remainder sin sinh sqrt sumprod"
    " tan tanh trunc ulp",
)
STATISTICS = _of(
    "statistics",
    "mean fmean geometric_mean harmonic_mean median median_low median_high median_grouped mode multimode"
    " quantiles pstdev pvariance stdev variance covariance correlation",
)
TEXTS = [
    *_of("textwrap", "dedent fill indent shorten wrap"),
    *_of("html", "escape unescape"),
    *_of("string", "capwords"),
    *_of("shlex", "quote join"),
    *_of("posixpath", "basename dirname isabs join normpath split splitext"),
    *_of(
        "urllib.parse",
        "quote quote_plus quote_from_bytes unquote unquote_plus unquote_to_bytes urlencode urljoin urldefrag"
        " parse_qs parse_qsl urlparse urlsplit urlunparse urlunsplit",
    ),
    *_of(
        "base64",
        "b64encode b64decode standard_b64encode standard_b64decode urlsafe_b64encode urlsafe_b64decode"
        " b32encode b32decode b16encode b16decode b85encode b85decode",
    ),
    *_of("binascii", "hexlify unhexlify"),
    *_of("zlib", "adler32 crc32"),
]
DATA = [
    *_of("json", "dumps loads"),
    *_of("copy", "copy deepcopy"),
    *_of("uuid", "uuid3 uuid5"),
    *_of("calendar", "isleap leapdays timegm"),
    *_of("bisect", "bisect bisect_left bisect_right insort insort_left insort_right"),
    *_of("heapq", "heapify heappop heappush heappushpop heapreplace nlargest nsmallest"),
]
OPERATORS = _of(
    "operator",
    "abs add and_ concat contains countOf delitem eq floordiv ge getitem gt iadd iand iconcat ifloordiv"
    " ilshift imatmul imod imul index indexOf inv invert ior ipow irshift is_ is_not isub itruediv ixor le"
    " length_hint lshift lt matmul mod mul ne neg not_ or_ pos pow rshift setitem sub truediv truth xor",
)
DIGESTS = _of(
    "hashlib",
    "md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 blake2b blake2s new",
)
PATTERNS = _of("re", "compile escape findall finditer fullmatch match search split sub subn")

PURE = ("functools.cmp_to_key", *MATH, *STATISTICS, *TEXTS, *DATA, *OPERATORS, *DIGESTS, *PATTERNS)
"""Functions of their arguments alone, carried out by the machine."""

COMPILED = [
    *_of(
        "itertools",
        "accumulate batched chain chain.from_iterable combinations combinations_with_replacement compress"
        " count cycle dropwhile filterfalse groupby islice pairwise permutations product repeat starmap"
        " takewhile tee zip_longest",
    ),
    *_of("contextlib", "aclosing closing"),
    *_of("functools", "partial reduce"),
    *_of("typing", "assert_never cast"),
    *_of("operator", "attrgetter itemgetter methodcaller"),
    *_of("logging", "critical debug error exception fatal info log warn warning"),
]
"""Functions that the compiler compiles in, as if the workflow's author had written them."""

NAMES = (*RECORDED, *PURE)
"""Every name here that the machine carries out."""

EXCEPTIONS = [
    *_of(
        "decimal",
        "Clamped DecimalException DivisionByZero FloatOperation Inexact InvalidOperation Overflow Rounded"
        " Subnormal Underflow",
    ),
    "json.JSONDecodeError",
    "binascii.Error",
    "re.error",
    "statistics.StatisticsError",
    "dataclasses.FrozenInstanceError",
    "zoneinfo.ZoneInfoNotFoundError",
]
"""Exceptions of the standard library that functions and methods of the language raise."""

TYPES = ["random.Random"]
"""Classes whose instances the machine can store."""

ABSTRACT = [
    *_of(
        "collections.abc",
        "AsyncGenerator AsyncIterable AsyncIterator Awaitable Callable Collection Container Coroutine Generator"
        " Hashable ItemsView Iterable Iterator KeysView Mapping MappingView MutableMapping MutableSequence"
        " MutableSet Reversible Sequence Set Sized ValuesView",
    ),
    *_of("numbers", "Complex Integral Number Rational Real"),
]
"""Classes that are only asked for: ``isinstance``, ``issubclass`` and class patterns know what has to pass for them."""
ANSWERS = ".abstract"
"""Among the attributes of a class in a type table: which of ``ABSTRACT`` it passes for. No source can spell it."""

_OF_LINKS = "fragment hostname netloc password path port query scheme username"
METHODS: dict[str, str] = {
    "urllib.parse.ParseResult": "_asdict _replace count geturl index",
    "urllib.parse.SplitResult": "_asdict _replace count geturl index",
    "datetime.IsoCalendarDate": "count index",
    "random.Random": " ".join(name[7:] for name in RANDOM) + " seed",
    "re.Pattern": "findall finditer fullmatch match search split sub subn",
    "re.Match": "end expand group groupdict groups span start",
    "hashlib.Digest": "copy digest hexdigest update",
}
ATTRIBUTES: dict[str, str] = {
    "urllib.parse.ParseResult": _OF_LINKS + " params",
    "urllib.parse.SplitResult": _OF_LINKS,
    "datetime.IsoCalendarDate": "week weekday year",
    "re.Pattern": "flags groupindex groups pattern",
    "re.Match": "endpos lastgroup lastindex pos re regs string",
    "hashlib.Digest": "block_size digest_size name",
}
