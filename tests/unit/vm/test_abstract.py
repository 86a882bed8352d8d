"""What workflow code can hold is asked whether it passes for an abstract class."""

from collections.abc import Hashable, KeysView, MappingView

import pytest

from waymark_schema.ir.library import ABSTRACT as NAMES
from waymark_schema.values.descriptors import Descriptor, Field
from waymark_worker.vm import abstract
from waymark_worker.vm import machine as _machine  # noqa: F401 - it registers the records
from waymark_worker.vm.names import RECORDS
from waymark_worker.vm.refusals import UnsupportedOperation
from waymark_worker.vm.types import ShadowTypes

NEVER_HELD = {"cell", "NoneType", "Workflow"}
HELD = [kind for kind, name in RECORDS.items() if name not in NEVER_HELD]


def test_every_record_that_code_can_hold_stands_for_a_class_of_cpython() -> None:
    lacking = [RECORDS[kind] for kind in HELD if abstract.stands_for(kind) is None]
    assert lacking == []


def test_each_name_is_a_class_that_makes_nothing() -> None:
    assert list(abstract.ABSTRACT) == NAMES
    with pytest.raises(TypeError, match="abstract"):
        abstract.CALLS["collections.abc.Hashable"](None, [], {})
    for name in ("collections.abc.MappingView", "numbers.Number"):
        with pytest.raises(UnsupportedOperation, match="calling"):
            abstract.CALLS[name](None, [{}], {})


def test_of_a_class_that_the_program_does_not_know_nothing_is_said() -> None:
    types = ShadowTypes([Descriptor("shop:Order", "dataclass", [], fields=[Field("item")])])
    order = types.shadow("shop:Order")("tea")
    assert abstract.is_instance(None, order, object)
    for kind in (Hashable, KeysView, MappingView):
        with pytest.raises(UnsupportedOperation, match="does not know that class"):
            abstract.is_instance(None, order, (int, kind))
