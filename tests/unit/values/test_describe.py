from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Annotated, Any, Literal

import annotated_types
import msgspec
import pytest
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from tests.unit.values import models
from tests.unit.values.conftest import _DESCRIBER, describe, shadow
from waymark_schema.values.annotations import from_grammar
from waymark_schema.values.codec import Codec
from waymark_schema.values.describe import kind_of
from waymark_schema.values.descriptors import Descriptor, digest
from waymark_schema.values.descriptors import Field as Part
from waymark_schema.values.errors import DescriptorError, MalformedValue
from waymark_schema.values.shadows import Shadows


class Normalised(BaseModel):
    a: Annotated[int, BeforeValidator(int)]


class PostInit(BaseModel):
    a: int

    def model_post_init(self, _context: Any, /) -> None:
        self.a = 2


class OwnInit(BaseModel):
    a: int

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)


class Spaced(BaseModel):
    pattern: str = Field("a", pattern="^[a-z]+$")
    step: int = Field(3, multiple_of=3)
    either: int | str | None = None
    choice: Literal["a", 1] | None = None
    bounded: Annotated[list[Annotated[int, annotated_types.Ge(0)]], annotated_types.Len(1, 3)] = [1]
    described: str = Field("x", description="text", examples=["y"], title="T")
    anything: Any = None


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Owner(BaseModel):
    pet: Cat | Dog = Field(discriminator="kind")


@pytest.mark.parametrize(
    ("cls", "kind"),
    [
        (models.Order, "model"), (models.Point, "dataclass"), (models.Color, "enum"), (models.Pair, "namedtuple"),
        (models.Failure, "exception"), (models.Declared, "exception"), (models.Choosy, "typed_dict"),
        (int, None), (models.Text, None), (BaseModel, None), (dict, None), (ValueError, "exception"),
    ],
)  # fmt: skip
def test_kinds(cls: type, kind: str | None) -> None:
    assert kind_of(cls) == kind


FAITHFUL: list[Any] = [
    models.Order, models.Special, models.Node, models.Open, models.Closed, models.Private, models.Page[int], models.Sets,
    models.Spacious, models.Address, Spaced, Owner, models.Page,
]  # fmt: skip


@pytest.mark.parametrize("cls", FAITHFUL, ids=lambda cls: cls.__name__)
def test_a_shadow_model_accepts_what_the_class_accepts(cls: Any) -> None:
    assert not describe(cls).opaque
    assert _without_text(shadow(cls).model_json_schema()) == _without_text(cls.model_json_schema())


def _without_text(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _without_text(value)
            for key, value in schema.items()
            if key not in {"description", "examples"} and not (key == "title" and value == "T")
        } | ({"title": "Described"} if schema.get("title") == "T" else {})
    return [_without_text(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize(
    "cls",
    [
        models.Validated, models.Holder, models.Computed, models.Stamped, models.Forgiving, models.Planet,
        Normalised, PostInit, OwnInit,
    ],
    ids=lambda cls: cls.__name__,
)  # fmt: skip
def test_what_needs_user_code_to_be_made_is_opaque(cls: Any) -> None:
    assert describe(cls).opaque


@pytest.mark.parametrize("cls", [models.Own, models.Late, models.Failure, models.Declared])
def test_an_init_of_the_user_is_told_apart_because_it_may_be_compiled(cls: Any) -> None:
    assert describe(cls).options["own_init"] is True
    assert not describe(cls).opaque


@pytest.mark.parametrize(
    "cls", [models.Missing, models.Talkative, models.Point, models.Cell, models.Sub]
)
def test_generated_and_inherited_builtin_inits_are_not_the_user_s(cls: Any) -> None:
    assert "own_init" not in describe(cls).options


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (models.Point, (1, [2])), (models.Cell, (1,)), (models.Sub, (1,)), (models.Pair, (1,)),
    ],
)  # fmt: skip
def test_shadow_instances_behave_like_the_real_ones(cls: Any, arguments: tuple[Any, ...]) -> None:
    made, real = shadow(cls)(*arguments), cls(*arguments)
    assert repr(made) == repr(real)
    assert made == shadow(cls)(*arguments)
    assert made != shadow(cls)(*(99, *arguments[1:]))
    assert type(made).__name__ == cls.__name__
    assert (type(made).__module__, type(made).__qualname__) == (cls.__module__, cls.__qualname__)
    with pytest.raises(TypeError) as ours:
        shadow(cls)()
    with pytest.raises(TypeError) as theirs:
        cls()
    assert str(ours.value) == str(theirs.value)


def test_shadow_dataclasses_keep_order_freezing_and_hash() -> None:
    cell = shadow(models.Cell)
    assert cell(1) < cell(2)
    assert hash(cell(1)) == hash(cell(1))
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'row'"):
        cell(1).row = 2
    assert not hasattr(cell(1), "__dict__")
    assert shadow(models.Sub)(1, hidden=5) == shadow(models.Sub)(1)
    assert issubclass(shadow(models.Sub), shadow(models.Point))


def test_shadow_models_raise_the_errors_of_the_class() -> None:
    cases: list[tuple[Any, dict[str, Any]]] = [
        (models.Order, {"number": "x", "kind": "b", "price": 0}),
        (models.Closed, {"theName": " ", "other": 1}),
        (models.Spacious, {"choosy": {"b": 1}, "levels": {3: ["slow"]}}),
        (models.Sets, {"ids": ["a"], "tags": ["a", "b", "c"], "pair": [1]}),
    ]
    for cls, values in cases:
        with pytest.raises(ValidationError) as ours:
            shadow(cls)(**values)
        with pytest.raises(ValidationError) as theirs:
            cls(**values)
        assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    "cls", [models.Color, models.Level, models.Mode, models.Mixed, models.Access, models.Bits]
)
def test_shadow_enums_have_the_members_of_the_class(cls: Any) -> None:
    made = shadow(cls)
    assert [(name, repr(member), str(member)) for name, member in made.__members__.items()] == [
        (name, repr(member), str(member)) for name, member in cls.__members__.items()
    ]
    first = next(iter(cls))
    assert made(first.value) is made[first.name]
    assert issubclass(
        made, tuple(base for base in cls.__mro__[1:] if base.__module__ in {"enum", "builtins"})
    )
    with pytest.raises(ValueError, match="is not a valid") as ours:
        made("nothing")
    with pytest.raises(ValueError, match="is not a valid") as theirs:
        cls("nothing")
    assert str(ours.value) == str(theirs.value)


def test_equal_descriptors_give_one_class() -> None:
    assert shadow(models.Order) is shadow(models.Order)
    order = describe(models.Order)
    assert shadow(models.Special).__bases__ == (shadow(models.Order),)
    changed = msgspec.structs.replace(describe(models.Color), members=[("RED", b"\x09")])
    others = [
        descriptor
        for descriptor in _closure(models.Order)
        if descriptor.qualname != changed.qualname
    ]
    other = Shadows([changed, *others]).shadow(order.qualname)
    assert other is not shadow(models.Order), (
        "a class that refers to another class is another class"
    )


def _closure(cls: Any) -> list[Descriptor]:
    found = _DESCRIBER.described(cls)
    assert found is not None
    return [found[0], *found[1]]


def test_the_digest_of_a_class_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from tests.unit.values import models; from waymark_schema.values.describing import Describer; "
        "from waymark_schema.values.descriptors import digest; "
        "print([digest(each).hex() for cls in (models.Sets, models.Order, models.Failure) "
        "for each in (lambda found: [found[0], *found[1]])(Describer().described(cls))])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_what_a_class_refers_to_is_described_with_it() -> None:
    names = {descriptor.qualname.rpartition(":")[2] for descriptor in _closure(models.Special)}
    assert names == {"Special", "Order", "Color", "Address"}


def test_the_grammar_gives_back_the_hint() -> None:
    forms = [
        ("int", int), ("None", None), (["list", "int"], list[int]), (["tuple", "int", "str"], tuple[int, str]), (["tuple"], tuple[()]),
        (["tuple*", "int"], tuple[int, ...]), (["union", "int", "None"], int | None), (["literal", "01"], Literal[1]),
        (["dict", "str", ["set", "Any"]], dict[str, set[Any]]), (["annotated", "int", ["gt", 0]], Annotated[int, annotated_types.Gt(0)]),
    ]  # fmt: skip
    for form, hint in forms:
        assert from_grammar(form, _refuse, msgspec.msgpack.decode) == hint


def _refuse(name: str) -> Any:
    raise DescriptorError(name)


# --- hostile descriptors ---------------------------------------------------------------------

DEEP: Any = "int"
for _ in range(100):
    DEEP = ["list", DEEP]


def hostile(**parts: Any) -> Descriptor:
    return msgspec.structs.replace(Descriptor("m:C", "dataclass", [], [Part("x")]), **parts)


@pytest.mark.parametrize(
    "descriptor",
    [
        hostile(qualname="m:C; import os"), hostile(qualname="C"), hostile(qualname="m:"), hostile(qualname="m:C" * 1000),
        hostile(qualname="m:C\n"), hostile(qualname="m:__import__('os')"), hostile(kind="function"), hostile(fields=[Part("__class__")]),
        hostile(fields=[Part("class")]), hostile(fields=[Part("x y")]), hostile(fields=[Part("x=print(1)")]), hostile(fields=[Part("x"), Part("x")]),
        hostile(fields=[Part("")]), hostile(fields=[Part(f"f{n}") for n in range(5000)]), hostile(fields=[Part("x", factory="eval")]),
        hostile(fields=[Part("x", annotation="os:system")]), hostile(fields=[Part("x", annotation="__import__('os').system('true')")]),
        hostile(fields=[Part("x", annotation=DEEP)]), hostile(fields=[Part("x", annotation=["tuple"] + ["int"] * 5000)]),
        hostile(fields=[Part("x", annotation=["nothing", "int"])]), hostile(fields=[Part("x", annotation=[])]), hostile(fields=[Part("x", annotation=7)]),
        hostile(fields=[Part("x", annotation=["list"])]), hostile(fields=[Part("x", annotation=["literal", "zz"])]),
        hostile(fields=[Part("x", annotation=["annotated", "int", ["exec", "1"]])]), hostile(fields=[Part("x", annotation=["union"])]),
        hostile(fields=[Part("x", default=b"\xc1")]), hostile(fields=[Part("x", default=b"\x90")]), hostile(options={"slots": "yes"}),
        hostile(options={"namespace": True}), hostile(bases=["os:PathLike"]), hostile(bases=["m:C"]), hostile(bases=["object"]),
        hostile(kind="model", fields=[Part("model_config")]), hostile(kind="model", fields=[Part("_x")]), hostile(kind="model", fields=[Part("__init__", private=True)]),
        hostile(kind="model", options={"alias_generator": "x"}), hostile(kind="model", options={"extra": "nothing"}),
        hostile(kind="model", fields=[Part("x", annotation=["annotated", "str", ["pattern", "("]])]),
        hostile(kind="model", fields=[Part("x", annotation=["annotated", "int", ["discriminator", "x"]])]),
        hostile(kind="namedtuple", fields=[Part("_x")]), hostile(kind="namedtuple", fields=[Part("def")]),
        hostile(kind="enum", fields=[], bases=["type"]), hostile(kind="enum", fields=[], bases=[]), hostile(kind="enum", fields=[], bases=["Enum"], members=[("__new__", b"\x01")]),
        hostile(kind="enum", fields=[], bases=["Enum"], members=[("mro", b"\x01")]), hostile(kind="enum", fields=[], bases=["IntEnum"], members=[("A", b"\xa1x")]),
        hostile(kind="enum", fields=[], bases=["Flag"], members=[("A", b"\x01")], options={"boundary": "NONE"}),
        hostile(kind="exception", fields=[], bases=["Exception", "BaseException", "Exception"]), hostile(kind="exception", fields=[], bases=["BaseException", "Exception"]),
        hostile(kind="exception", fields=[], bases=["UnicodeDecodeError", "OSError"]), hostile(members=[("A", b"\x01")]),
    ],
    ids=lambda descriptor: repr(descriptor)[:60],
)  # fmt: skip
def test_a_hostile_descriptor_is_refused_and_nothing_runs(descriptor: Descriptor) -> None:
    with pytest.raises(DescriptorError):
        Shadows([descriptor]).shadow(descriptor.qualname)


def test_descriptors_that_refer_to_each_other_without_end_are_refused() -> None:
    chain = [hostile(qualname=f"m:C{n}", bases=[f"m:C{n + 1}"]) for n in range(500)]
    with pytest.raises(DescriptorError):
        Shadows([*chain, hostile(qualname="m:C500")]).shadow("m:C0")
    ring = [hostile(qualname="m:A", bases=["m:B"]), hostile(qualname="m:B", bases=["m:A"])]
    with pytest.raises(DescriptorError):
        Shadows(ring).shadow("m:A")


def test_a_hostile_descriptor_inside_a_value_makes_the_value_malformed() -> None:
    codec = Codec(Shadows([]))
    bad = hostile(fields=[Part("__class__")])
    data = _object(bad, {"__class__": 1})
    with pytest.raises((MalformedValue, DescriptorError)):
        codec.decode(data)


def _object(descriptor: Descriptor, payload: Any) -> bytes:
    ref = [descriptor.qualname, digest(descriptor), descriptor.kind, descriptor]
    encode = msgspec.msgpack.encode
    inner = encode(msgspec.msgpack.Ext(65, encode([0, payload])))
    return encode(msgspec.msgpack.Ext(67, encode([[ref], msgspec.Raw(inner)])))
