"""Descriptors as they were read off classes in; those whose shadows behave otherwise marked opaque out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError

from waymark_schema.values.annotations import mentioned
from waymark_schema.values.descriptors import Descriptor
from waymark_schema.values.errors import DescriptorError, MalformedValue
from waymark_schema.values.shadows import Shadows
from waymark_schema.values.standard_enums import missing_somewhere

_TELLING = frozenset(
    "type properties required items prefixItems anyOf oneOf allOf $ref $defs enum const format pattern minimum maximum "
    "exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems uniqueItems "
    "additionalProperties patternProperties propertyNames default discriminator writeOnly mapping propertyName".split()
)
"""Keys of a JSON schema that say what is accepted; titles, descriptions and extras do not."""
_NAMED_PARTS = frozenset({"properties", "$defs", "patternProperties", "mapping"})


def judged(found: Sequence[tuple[Any, Descriptor]]) -> list[Descriptor]:
    """The descriptors of ``(class, descriptor)`` pairs that refer to nothing but each other.

    A model is opaque if its shadow accepts something else than the class does, or if validating it may
    construct an instance of an opaque class.
    """
    descriptors = _with_opaque_parts([descriptor for _, descriptor in found])
    shadows: Shadows | None = None
    try:
        shadows = Shadows(descriptors)
    except DescriptorError:
        return [_opaque(each) for each in descriptors]
    checked = [
        each
        if each.opaque or each.kind == "typed_dict" or _faithful(cls, each, shadows)
        else _opaque(each)
        for (cls, _), each in zip(found, descriptors, strict=True)
    ]
    return _with_opaque_parts(checked)


def _opaque(descriptor: Descriptor) -> Descriptor:
    return msgspec.structs.replace(descriptor, opaque=True)


def _with_opaque_parts(descriptors: list[Descriptor]) -> list[Descriptor]:
    """Spread opaqueness to the models that may have to construct such parts from plain input."""
    opaque = {each.qualname for each in descriptors if each.opaque or each.options.get("own_init")}
    mentions = {
        each.qualname: set(mentioned(each)) for each in descriptors if each.kind != "exception"
    }
    spreading = True
    while spreading:
        spreading = False
        for name, parts in mentions.items():
            if name not in opaque and parts & opaque:
                opaque.add(name)
                spreading = True
    return [
        _opaque(each)
        if each.kind == "model" and each.qualname in opaque and not each.opaque
        else each
        for each in descriptors
    ]


def _faithful(cls: Any, descriptor: Descriptor, shadows: Shadows) -> bool:
    try:
        shadow: Any = shadows.shadow(descriptor.qualname)
    except (DescriptorError, MalformedValue):
        return False
    if descriptor.kind == "enum":
        return [repr(member) for member in cls if not missing_somewhere(member)] == [
            repr(member) for member in shadow
        ]
    if descriptor.kind != "model":
        return True
    return bool(_json_schema(cls) == _json_schema(shadow))


def _json_schema(cls: Any) -> Any:
    try:
        return _telling(cls.model_json_schema())
    except (PydanticInvalidForJsonSchema, PydanticUserError):
        return None


def _telling(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_telling(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _telling(part) for name, part in value.items()}
        if key in _NAMED_PARTS and isinstance(value, dict)
        else _telling(value)
        for key, value in schema.items()
        if key in _TELLING
    }
