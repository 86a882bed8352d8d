# ruff: noqa: DTZ001 - moments without a zone are values too
from __future__ import annotations

import enum
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretBytes, SecretStr, TypeAdapter

from tests.unit.values import models
from tests.unit.values.conftest import describe
from tests.unit.values.forms import form, of_odd_types
from waymark.coercion.imports import ImportBinding
from waymark_schema.failures import SerializationError
from waymark_schema.values.codec import Codec
from waymark_schema.values.descriptors import digest
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.records import RecordBinding

CODEC = Codec(ImportBinding())
BERLIN = ZoneInfo("Europe/Berlin")


KEPT: list[Any] = [
    None, True, False, 0, -1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**300, 1.5, -0.0, float("inf"),
    float("-inf"), float("nan"), "", "é\0\n", "\ud800", "a\udfffb", b"", b"\0\xff", bytearray(b"q"), 1 + 2j,
    [], [1, "a", None], [[[]]], (), (1,), ((1, (2,)),), [(1,), [2]], {}, {"a": 1}, {"\ud800": 1}, {1: 2}, {None: 1},
    {(1, "a"): [1]}, {"a": {2: {"b": (3,)}}}, {True: 1, "x": 2.0}, set(), {1, 2}, frozenset({(1, 2)}), {frozenset({1})},
    deque([1, 2], 5), deque(), Counter("aab"), OrderedDict([("b", 1), ("a", 2)]), OrderedDict([(1, 2)]),
    defaultdict(list, {"a": [1]}), defaultdict(int), defaultdict(None, {1: 2}), defaultdict(set, {"a": {1}}),
    datetime(2024, 2, 29, 12, 30, 15, 123456), datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999),
    datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1), datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))), datetime(2024, 1, 1, fold=1),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-1), "HERE")), date(2024, 1, 1), date.max,
    time(1, 2, 3, 4), time(1, tzinfo=UTC), time(1, fold=1), timedelta(days=-1, microseconds=1), timedelta.max,
    UTC, timezone(timedelta(seconds=-1)), BERLIN, Decimal("1.10"), Decimal("NaN"), Decimal("-0"), Decimal("Infinity"),
    UUID(int=5), Path("a/b"), PurePosixPath("/x"), PureWindowsPath("c:\\x"), Fraction(1, 3), range(1, 10, 2), slice(1, None, 2),
    SecretStr("s"), SecretBytes(b"s"), ip_address("::1"), ip_interface("10.0.0.1/8"), ip_network("10.0.0.0/8"),
    models.Color.RED, models.Color.BLUE, models.Level.LOW, models.Mode.FAST, models.Mixed.YES,
    models.Access.READ | models.Access.WRITE, models.Access(0), models.Bits.ONE | models.Bits.TWO, models.Bits(8),
    models.Planet.EARTH, models.Order(number=1, parent=models.Special(number=2)), models.Open.model_validate({"a": 1, "b": 2}),
    models.Closed(theName=" n "), models.Private(a=1), models.Node(children=[models.Node(peer=models.Peer())]),
    models.Page[int](items=[1]), models.Page(items=["x"]), models.Holder(inner=models.Validated(a=1)), models.Sets(ids={3}),
    models.Point(1, [2]), models.Cell(1, column=3), models.Sub(1), models.Late(2), models.Own("7"), models.Pair(1), models.Pair(1, "x"),
    {models.Color.RED: models.Pair(1)}, {models.Cell(1)}, [models.Point(1), models.Point(1)], {"a": 2**70, "b": models.Color.RED},
]  # fmt: skip


@pytest.mark.parametrize("value", KEPT, ids=lambda value: type(value).__name__)
def test_a_durable_value_comes_back_with_its_type(value: Any) -> None:
    assert form(CODEC.decode(CODEC.encode(value))) == form(value)
    inside = [value, {"x": value}]
    assert form(CODEC.decode(CODEC.encode(inside))) == form(inside)


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ([True], [1]), ([1], [1.0]), (-0.0, 0.0), (-0j, 0j), ({1: 2, 3: 4}, {3: 4, 1: 2}), ({(True,)}, {(1,)}),
        (Decimal("1.10"), Decimal("1.1")), (Decimal("-0"), Decimal(0)), (range(0), range(1, 1)),
        (time(1, fold=1), time(1)), (datetime(2024, 1, 1, fold=1), datetime(2024, 1, 1)),
        (timezone(timedelta(hours=-1), "HERE"), timezone(timedelta(hours=-1))), (deque([1], 5), deque([1])),
        (defaultdict(int), defaultdict(list)), (models.Point(1, [2]), models.Point(True, [2])), (slice(1), slice(True)),
        (models.Order(number=1), models.Order(number=1, color=models.Color.RED)), (models.Pair(1), (1, "r")),
        (models.Level.LOW, 1), (Path("a"), PurePosixPath("a")), (SecretStr("a"), SecretStr("b")),
    ],
)  # fmt: skip
def test_the_form_tells_apart_what_is_nearly_the_same(value: Any, other: Any) -> None:
    assert form(value) != form(other)


def test_enum_members_come_back_as_the_members_themselves() -> None:
    assert CODEC.decode(CODEC.encode([models.Color.CRIMSON, models.Color.RED])) == [
        models.Color.RED,
        models.Color.RED,
    ]
    assert CODEC.decode(CODEC.encode(models.Color.BLUE)) is models.Color.BLUE


def test_a_subclass_of_int_is_not_taken_for_an_int() -> None:
    back = CODEC.decode(CODEC.encode([models.Level.LOW, 1, True]))
    assert [type(item) for item in back] == [models.Level, int, bool]


def test_plain_values_are_plain_msgpack() -> None:
    value = {"x": 1, "y": [1.5, None, True, "a", b"b"], "z": {"deep": []}}
    assert msgspec.msgpack.decode(CODEC.encode(value)) == value


def test_which_fields_of_a_model_were_given_is_kept() -> None:
    given_all = models.Order(number=1, color=models.Color.BLUE)
    back = CODEC.decode(CODEC.encode(given_all))
    assert back.model_fields_set == {"number", "color"}
    assert back.model_dump(exclude_unset=True) == given_all.model_dump(exclude_unset=True)
    allowing = models.Open.model_validate({"b": 2})
    assert CODEC.decode(CODEC.encode(allowing)).model_fields_set == {"b"}
    assert CODEC.decode(CODEC.encode(allowing)).b == 2


def test_private_attributes_of_a_model_are_kept() -> None:
    value = models.Private(a=1)
    value._token = "changed"
    assert CODEC.decode(CODEC.encode(value))._token == "changed"


def test_no_user_code_runs_when_an_instance_is_rebuilt() -> None:
    value = models.Validated.model_construct(a=-1)
    assert CODEC.decode(CODEC.encode(value)).a == -1
    late = models.Late(1)
    late.doubled = 99
    assert CODEC.decode(CODEC.encode(late)).doubled == 99


def test_a_datetime_with_the_fixed_offset_of_pydantic_is_kept() -> None:
    value = TypeAdapter(datetime).validate_python("2024-01-01T00:00:00+02:00")
    back = CODEC.decode(CODEC.encode(value))
    assert back == value
    assert back.utcoffset() == timedelta(hours=2)


class Odd:
    pass


class HomeMade(tzinfo):
    def utcoffset(self, _moment: datetime | None) -> timedelta:
        return timedelta(0)

    dst = utcoffset

    def tzname(self, _moment: datetime | None) -> str:
        return "home"


odd: Any = [Odd()]
mismatched: dict[str, Any] = {"number": Odd()}


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        ({"items": [1, 2, {"lock": threading.Lock()}]}, "result['items'][2]['lock']", "inside the action"),
        (models.Order.model_construct(**mismatched), "result.number", "pydantic model"),
        ([models.Point(1, odd)], "result[0].y[0]", "dataclass"),
        ({(1, 2): Odd()}, "result[(1, 2)]", "Odd"),
        (models.Text("x"), "result", "str(value)"),
        (models.numbers(), "result", "list(...)"),
        (Odd, "result", "its name"),
        (len, "result", "its name"),
        (defaultdict(lambda: 1), "result", "factory"),
        (datetime(2024, 1, 1, tzinfo=HomeMade()), "result", "zoneinfo"),
        ([2 ** (1 << 21)], "result[0]", "bits"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_its_place_and_a_way_out(
    value: Any, path: str, words: str
) -> None:
    with pytest.raises(SerializationError) as caught:
        CODEC.encode(value, path="result")
    assert caught.value.path == path
    assert str(caught.value).startswith(path)
    assert words in str(caught.value)
    assert caught.value.type_name


def nested(levels: int) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"k": value}
    return value


def tuple_nest(levels: int) -> Any:
    value: Any = ()
    for _ in range(levels - 1):
        value = (value,)
    return value


def mixed_nest(levels: int) -> Any:
    value: Any = models.Point(1)
    value.y = 3
    for level in range(levels - 1):
        value = [value] if level % 3 else models.Point(1, value)
    return value


@pytest.mark.parametrize("make", [nested, tuple_nest, mixed_nest])
def test_two_hundred_levels_are_kept_and_one_more_is_refused(make: Any) -> None:
    deepest = make(200)
    assert CODEC.decode(CODEC.encode(deepest)) == deepest
    with pytest.raises(SerializationError, match="deeper than 200 levels"):
        CODEC.encode(make(201))


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    loop.append(loop)
    with pytest.raises(SerializationError, match="contains itself"):
        CODEC.encode(loop)
    node = models.Node()
    node.children.append(node)
    with pytest.raises(SerializationError, match="contains itself"):
        CODEC.encode({"a": node})
    table: dict[Any, Any] = {}
    table[1] = table
    with pytest.raises(SerializationError, match="contains itself"):
        CODEC.encode(table)


def test_shared_parts_that_would_multiply_are_stopped_before_they_fill_the_memory() -> None:
    small = Codec(ImportBinding(), max_bytes=1_000_000)
    value: Any = ["x"]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(SerializationError, match="WAYMARK_MAX_VALUE_BYTES"):
        small.encode(value)
    text = "x" * 100_000
    with pytest.raises(SerializationError, match="WAYMARK_MAX_VALUE_BYTES"):
        small.encode([[text] * 100_000])


@pytest.mark.parametrize(
    "value",
    ["x" * 2000, ["x" * 600] * 2, b"x" * 2000, (1,) * 2000, {str(n): n for n in range(400)}],
)
def test_a_value_over_the_limit_is_refused(value: Any) -> None:
    small = Codec(RecordBinding(), max_bytes=1000)
    with pytest.raises(SerializationError, match="1000"):
        small.encode(value)
    assert small.decode(small.encode("x" * 900)) == "x" * 900


class Handles(enum.Enum):
    OPEN = enum.member(len)


def test_an_enum_whose_values_cannot_be_kept_is_named() -> None:
    with pytest.raises(SerializationError, match=r"Handles\.OPEN\.value"):
        CODEC.encode(Handles.OPEN)


def test_messages_survive_keys_that_have_no_text() -> None:
    with pytest.raises(SerializationError, match="whose repr"):
        CODEC.encode({10**5000: Odd()})


def test_descriptors_that_readers_know_do_not_travel() -> None:
    whole = CODEC.encode(models.Color.RED)
    known = frozenset(_digests(models.Color))
    short = Codec(ImportBinding(), known=known).encode(models.Color.RED)
    assert len(short) < len(whole)
    assert CODEC.decode(short) is models.Color.RED


def _digests(cls: Any) -> list[bytes]:
    return [digest(describe(cls))]


def test_a_class_is_described_once_however_many_instances_there_are() -> None:
    one = len(CODEC.encode([models.Point(1)]))
    thousand = len(CODEC.encode([models.Point(1)] * 1000))
    assert thousand < one + 1000 * 20


# --- malformed bytes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xc1", b"\x91", b"\x01\x02", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff",
        b"\x91" * 100_000 + b"\xc0", b"\x81\xa1x" * 5000 + b"\xc0", b"\xd4\x1f\x00", b"\xd4\x20\x05", b"\xd4\x7f\x00",
        b"\xd4\x40\x90", b"\xc7\x02\x41\x92\x00", b"\xd5\x41\x92\x00", b"\xd4\x05\xff", b"\xd4\x42\x90",
        b"\xc7\x00\x43", b"\xa1\xff", b"\xd6\x41\x92\x00\x80\xc0",
    ],
)  # fmt: skip
def test_bytes_that_are_no_value_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedValue):
        CODEC.decode(data)


def test_bytes_nested_deeper_than_any_value_are_refused() -> None:
    with pytest.raises(MalformedValue, match="deeper"):
        CODEC.decode(b"\x91" * 300 + b"\xc0")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_malformed_value(data: bytes) -> None:
    _read_and_write(data)


@given(st.data())
def test_damaged_wire_forms_give_a_value_or_malformed_value(data: st.DataObject) -> None:
    whole = CODEC.encode([data.draw(st.sampled_from(KEPT)), models.Failure(1, detail={1})])
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    match data.draw(st.sampled_from(["flip", "cut", "insert"])):
        case "flip":
            damaged[place] ^= data.draw(st.integers(1, 255))
        case "cut":
            del damaged[place:]
        case _:
            damaged[place:place] = data.draw(st.binary(min_size=1, max_size=4))
    _read_and_write(bytes(damaged))


def _read_and_write(data: bytes) -> None:
    """What can be read is a durable value, and comes back if it is written again."""
    for codec in (CODEC, Codec(RecordBinding())):
        try:
            value = codec.decode(data)
        except MalformedValue:
            continue
        assert of_odd_types(value, codec.binding) == []
        codec.encode(value)


SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5) | st.binary(max_size=5)
    | st.datetimes(timezones=st.none() | st.timezones()) | st.dates() | st.times() | st.timedeltas() | st.uuids()
    | st.decimals(allow_nan=False) | st.fractions() | st.sampled_from(models.Color) | st.sampled_from(models.Level)
)  # fmt: skip
HASHABLE: st.SearchStrategy[Any] = st.recursive(
    SCALARS.filter(lambda value: "nan" not in repr(value)),
    lambda inner: st.tuples(inner) | st.frozensets(inner, max_size=3) | st.builds(models.Pair, st.integers(), st.text(max_size=3)),
    max_leaves=5,
)  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.dictionaries(HASHABLE, inner, max_size=3)
        | st.sets(HASHABLE, max_size=3)
        | st.builds(deque, st.lists(inner, max_size=3))
        | st.builds(models.Point, st.integers(), st.lists(inner, max_size=2))
        | st.builds(models.Open.model_construct, a=st.integers())
    ),
    max_leaves=12,
)


@given(VALUES)
def test_values_of_every_shape_come_back_unchanged(value: Any) -> None:
    assert form(CODEC.decode(CODEC.encode(value))) == form(value)


@given(VALUES)
def test_values_pass_through_a_process_without_their_classes(value: Any) -> None:
    records = Codec(RecordBinding())
    through = CODEC.decode(records.encode(records.decode(CODEC.encode(value))))
    assert form(through) == form(value)
