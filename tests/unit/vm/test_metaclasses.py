"""No program makes a class: pydantic evaluates the text of an annotation."""

from abc import ABCMeta
from enum import EnumMeta

import pytest
from pydantic import BaseModel

from waymark_worker.vm.invoking import implementation
from waymark_worker.vm.refusals import UnsupportedOperation


@pytest.mark.parametrize("kind", [type(BaseModel), EnumMeta, ABCMeta])
def test_the_class_of_a_class_cannot_be_called(kind: type) -> None:
    run = implementation(kind)
    assert run is not None
    with pytest.raises(UnsupportedOperation, match="making a class"):
        run(None, ["X", (BaseModel,), {"__annotations__": {"a": "1 / 0"}}], {})
