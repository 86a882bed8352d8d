"""What pydantic looks up on a model, and calls, no program puts there."""

from typing import Any

import pytest
from pydantic import BaseModel

from waymark_schema.values.descriptors import Descriptor, Field
from waymark_worker.vm import accessors, attributes
from waymark_worker.vm.refusals import UnsupportedOperation
from waymark_worker.vm.types import ShadowTypes

RESERVED = [name for name in dir(BaseModel) if name.startswith("_")]


def _order() -> Any:
    descriptor = Descriptor("shop:Order", "model", [], fields=[Field("item", annotation="Any")])
    return ShadowTypes([descriptor]).shadow("shop:Order")(item="tea")


def test_there_are_such_names() -> None:
    assert any(not name.startswith("__") for name in RESERVED)


@pytest.mark.parametrize("name", RESERVED)
def test_no_attribute_of_a_model_takes_the_place_of_its_own(name: str) -> None:
    order = _order()
    with pytest.raises(UnsupportedOperation):
        attributes.set_attr(order, name, dict)
    with pytest.raises(TypeError, match="another name"):
        accessors.keep(None, [order, name, dict], {})
    assert name not in vars(order)


def test_others_do() -> None:
    order = _order()
    accessors.keep(None, [order, "_total", 3], {})
    assert vars(order)["_total"] == 3
