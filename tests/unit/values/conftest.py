"""Codecs for the tests of durable values."""

from __future__ import annotations

from typing import Any

import pytest

from waymark.coercion.imports import ImportBinding
from waymark_schema.values.codec import Codec
from waymark_schema.values.describing import Describer
from waymark_schema.values.descriptors import Descriptor
from waymark_schema.values.shadows import Shadows

_BINDING = ImportBinding()
_DESCRIBER = Describer()


@pytest.fixture(scope="session")
def codec() -> Codec:
    """The codec of a process that has the classes."""
    return Codec(_BINDING)


@pytest.fixture(scope="session")
def stranger() -> Codec:
    """The codec of a process that has no classes but builds shadows of what comes in."""
    return Codec(Shadows([]))


def describe(cls: Any) -> Descriptor:
    found = _DESCRIBER.described(cls)
    assert found is not None
    return found[0]


def shadow(cls: Any) -> Any:
    """The shadow class of a real one."""
    found = _DESCRIBER.described(cls)
    assert found is not None
    return Shadows([found[0], *found[1]]).shadow(found[0].qualname)
