from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.values import models
from waymark.coercion.imports import ImportBinding
from waymark_schema.values.codec import Codec
from waymark_schema.values.describing import Describer
from waymark_schema.values.descriptors import Descriptor, digest
from waymark_schema.values.errors import MalformedValue
from waymark_worker.vm.ordered import OrderedFrozenset, OrderedSet
from waymark_worker.vm.types import ShadowTypes

WORKER = Codec(ImportBinding())
DESCRIBER = Describer()


def table(*classes: Any) -> list[Descriptor]:
    found: dict[str, Descriptor] = {}
    for cls in classes:
        described = DESCRIBER.described(cls)
        assert described is not None
        found.update((each.qualname, each) for each in (described[0], *described[1]))
    return list(found.values())


def machine(*classes: Any) -> tuple[ShadowTypes, Codec]:
    types = ShadowTypes(table(*classes))
    return types, Codec(types, known=types.known)


def named(types: ShadowTypes, cls: Any) -> Any:
    return types.shadow(f"{cls.__module__}:{cls.__qualname__}")


VALUES: list[Any] = [
    models.Order(number=1, parent=models.Special(number=2), password="pw"), models.Color.RED, models.Bits(3), models.Pair(1),  # type: ignore[arg-type]  # pydantic makes the secret
    models.Cell(1), models.Late(4), models.Own("3"), models.Validated.model_construct(a=-1), models.Private(a=1),
    models.Open.model_validate({"z": 1}), models.Sets(ids={1}, fixed=frozenset("ab")), models.Page[int](items=[1]),
    models.Forgiving.A, models.Planet.EARTH, {models.Color.RED: [models.Pair(1)]},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_objects_pass_through_the_machine_unchanged(value: Any) -> None:
    for codec in (machine()[1], machine(models.Order, models.Color, models.Pair)[1]):
        inside = codec.decode(WORKER.encode(value))
        back = WORKER.decode(codec.encode(inside))
        assert back == value
        assert type(back) is type(value)


def test_what_the_program_knows_need_not_travel() -> None:
    types, codec = machine(models.Order)
    inside = codec.decode(WORKER.encode(models.Order(number=1)))
    assert type(inside) is named(types, models.Order)
    known = Codec(ImportBinding(), known=types.known)
    assert len(codec.encode(inside)) == len(known.encode(models.Order(number=1)))
    assert len(codec.encode(inside)) < len(WORKER.encode(models.Order(number=1)))
    assert codec.decode(known.encode(models.Order(number=1))) == inside


def test_a_type_that_the_program_does_not_know_arrives_with_its_descriptor() -> None:
    _, codec = machine(models.Order)
    special = codec.decode(WORKER.encode(models.Special(number=3)))
    assert type(special).__name__ == "Special"
    again = codec.decode(WORKER.encode(models.Special(number=3)))
    assert type(again) is type(special)
    assert again == special
    assert WORKER.decode(codec.encode(special)) == models.Special(number=3)


def test_a_stranger_extends_the_programs_own_class() -> None:
    types, codec = machine(models.Order)
    assert isinstance(
        codec.decode(WORKER.encode(models.Special(number=3))), named(types, models.Order)
    )
    types, codec = machine(models.Failure)

    class Nested(models.Failure):
        pass

    error = codec.decode(WORKER.encode(Nested(1, detail=2)))
    assert isinstance(error, named(types, models.Failure))
    assert error.code == 1


def test_a_class_that_gained_a_field_is_the_programs_class_still() -> None:
    old = [
        Descriptor(
            each.qualname,
            each.kind,
            each.bases,
            each.fields[:1],
            each.members,
            each.options,
            each.opaque,
        )
        for each in table(models.Cell)
    ]
    types = ShadowTypes(old)
    inside: Any = Codec(types, known=types.known).decode(WORKER.encode(models.Cell(5, column=9)))
    assert inside.row == 5
    assert type(inside) is types.class_of(old[0])


def test_a_field_that_is_missing_and_has_no_default_is_told_by_name() -> None:
    types, codec = machine(models.Pair)
    data = (
        Codec(ImportBinding(), known=types.known).encode(models.Pair(1)).replace(b"left", b"lost")
    )
    with pytest.raises(MalformedValue, match="'left'"):
        codec.decode(data)


def test_enum_members_are_interned() -> None:
    types, codec = machine(models.Color)
    assert codec.decode(WORKER.encode(models.Color.RED)) is named(types, models.Color).RED


def test_sets_are_ordered_on_every_way_into_the_machine() -> None:
    types, codec = machine(models.Sets)
    inside = codec.decode(WORKER.encode({"a": {3}, "b": frozenset({1})}))
    assert (type(inside["a"]), type(inside["b"])) == (OrderedSet, OrderedFrozenset)
    sets = named(types, models.Sets)
    made = sets(ids=[3, 1, 2, 1], fixed=("b", "a"), tags=OrderedSet(["z", "y"]))
    assert (type(made.ids), type(made.fixed), type(made.tags)) == (
        OrderedSet,
        OrderedFrozenset,
        OrderedSet,
    )
    assert (list(made.ids), list(made.fixed), list(made.tags)) == (
        [3, 1, 2],
        ["b", "a"],
        ["z", "y"],
    )
    assert type(sets().ids) is OrderedSet
    assert type(sets().fixed) is OrderedFrozenset
    assert list(made.model_dump()["ids"]) == [3, 1, 2]
    order = list(codec.decode(codec.encode(OrderedSet([9, 3, 7]))))
    assert order == [9, 3, 7]


@pytest.mark.parametrize(
    "values",
    [{"ids": "ab"}, {"ids": [1, "x"]}, {"ids": 5}, {"tags": ["a", "b", "c"]}, {"fixed": [[]]}],
)
def test_sets_of_models_are_refused_in_pydantics_words(values: Any) -> None:
    types, _ = machine(models.Sets)
    with pytest.raises(ValidationError) as ours:
        named(types, models.Sets)(**values)
    with pytest.raises(ValidationError) as theirs:
        models.Sets(**values)
    assert [(found["loc"], found["msg"], found["type"]) for found in ours.value.errors()] == [
        (found["loc"], found["msg"], found["type"]) for found in theirs.value.errors()
    ]


def test_models_may_have_sets_of_themselves() -> None:
    types, codec = machine(models.Vertex, models.Town, models.Road)
    vertex = models.Vertex(following={models.Vertex()}, paths={(models.Vertex(),)})
    town = models.Town(roads=frozenset({models.Road(towns=frozenset({models.Town()}))}))
    for value in (vertex, town):
        assert repr(codec.decode(WORKER.encode(value))) == repr(value)
    made = named(types, models.Vertex)(following=[named(types, models.Vertex)()])
    assert type(made.following) is OrderedSet
    assert named(types, models.Town)(roads=[{"towns": []}]).roads != 0


def test_exceptions_are_caught_by_the_programs_classes() -> None:
    types, codec = machine(models.Missing)
    caught = codec.decode(WORKER.encode(models.Missing("k")))
    assert type(caught) is named(types, models.Missing)
    assert isinstance(caught, KeyError)
    assert (str(caught), repr(caught), caught.args) == ("'k'", "Missing('k')", ("k",))
    made = named(types, models.Missing)("x")
    assert (str(made), repr(made)) == ("'x'", "Missing('x')")
    assert type(WORKER.decode(codec.encode(made))) is models.Missing


def test_cancellation_is_asyncios_own() -> None:
    _, codec = machine()
    back = codec.decode(WORKER.encode(asyncio.CancelledError("why")))
    assert type(back) is asyncio.CancelledError
    assert type(WORKER.decode(codec.encode(back))) is asyncio.CancelledError


def test_an_exception_without_a_descriptor_keeps_its_name_and_nearest_known_base() -> None:
    types, codec = machine(models.Failure)

    class Unknown(models.Failure):
        pass

    data = Codec(
        ImportBinding(), known=frozenset(map(digest, table(Unknown, models.Failure)))
    ).encode(Unknown(7, detail=0))
    error = codec.decode(data)
    assert type(error).__name__ == "Unknown"
    assert isinstance(error, named(types, models.Failure))
    assert error.code == 7
    assert types.describe(type(error)) is not None


def test_what_a_class_was_built_from_can_be_asked_and_adopted_again() -> None:
    types, codec = machine()
    special = codec.decode(WORKER.encode(models.Special(number=3)))
    described = types.describe(type(special))
    assert described is not None
    assert types.adopt([described[0], *described[1]])[0] is type(special)
    assert types.describe(int) is None


def test_classes_that_nothing_uses_any_more_are_let_go() -> None:
    before = len(ShadowTypes._classes)
    for number in range(50):
        descriptor = Descriptor(f"gone:C{number}", "enum", ["Enum"], members=[("A", b"\x01")])
        ShadowTypes([descriptor]).class_of(descriptor)
    gc.collect()
    assert len(ShadowTypes._classes) <= before + 1


def test_no_user_code_is_imported() -> None:
    data = WORKER.encode([models.Order(number=1), models.Failure(1, detail=models.Color.RED)])
    program = (
        "import sys; from waymark_worker.vm.types import ShadowTypes; from waymark_schema.values.codec import Codec; "
        f"codec = Codec(ShadowTypes([])); codec.encode(codec.decode({data!r})); "
        "print([name for name in sys.modules if name.startswith('tests')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
