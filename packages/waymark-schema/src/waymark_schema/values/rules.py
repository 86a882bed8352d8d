"""A descriptor in, nothing out if it keeps the rules: what is checked before a class is built from it."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from waymark_schema.values import describe_models, standard_enums
from waymark_schema.values.descriptors import KINDS, Descriptor, canonical
from waymark_schema.values.errors import DescriptorError
from waymark_schema.values.faults import BUILTIN
from waymark_schema.values.naming import is_qualified_name
from waymark_schema.values.objects import FACTORIES

MAX_BYTES = 1024 * 1024
MAX_FIELDS = 1000
MAX_MEMBERS = 20_000
MAX_BASES = 50
_LONGEST_NAME = 200
ENUM_BASES = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag")
ENUM_MIXINS = ("int", "str", "float", "bytes")
OPTIONS: dict[str, dict[str, tuple[type, ...]]] = {
    "model": describe_models.OPTIONS,
    "dataclass": dict.fromkeys(
        (
            "init",
            "repr",
            "eq",
            "order",
            "unsafe_hash",
            "frozen",
            "slots",
            "match_args",
            "own_init",
        ),
        (bool,),
    ),
    "enum": standard_enums.OPTIONS,
    "exception": {"own_init": (bool,)},
    "typed_dict": {"total": (bool,)},
    "namedtuple": {},
}
"""What a descriptor of each kind may set, and with which types."""
_RESERVED = frozenset(name for name in dir(BaseModel) if name.startswith("model_"))


def check(descriptor: Descriptor) -> None:
    """Raise ``DescriptorError`` unless a class can be built from ``descriptor`` without surprises."""
    _that(is_qualified_name(descriptor.qualname), descriptor, "its name is not module:Qual.Name")
    _that(descriptor.kind in KINDS, descriptor, f"its kind is {descriptor.kind!r:.50}")
    _that(
        len(canonical(descriptor)) <= MAX_BYTES, descriptor, f"it is larger than {MAX_BYTES} bytes"
    )
    _check_bases(descriptor)
    _check_fields(descriptor)
    _check_members(descriptor)
    allowed = OPTIONS[descriptor.kind]
    for name, value in descriptor.options.items():
        _that(
            type(value) in allowed.get(name, ()),
            descriptor,
            f"option {name!r:.50} is {value!r:.50}",
        )


def _that(holds: bool, descriptor: Descriptor, problem: str) -> None:  # noqa: FBT001 - an assertion
    if not holds:
        msg = f"the descriptor of {descriptor.qualname!r:.200} cannot be used: {problem}"
        raise DescriptorError(msg)


def _check_bases(descriptor: Descriptor) -> None:
    bases = descriptor.bases
    _that(
        len(bases) <= MAX_BASES and len(set(bases)) == len(bases),
        descriptor,
        "its bases are too many, or repeated",
    )
    if descriptor.kind == "enum":
        fits = (
            bool(bases)
            and bases[-1] in ENUM_BASES
            and all(base in ENUM_MIXINS for base in bases[:-1])
        )
        _that(fits and len(bases) <= 2, descriptor, f"its bases are {bases!r:.100}")  # noqa: PLR2004 - mixin and enum
        return
    for base in bases:
        known = descriptor.kind == "exception" and base in BUILTIN
        _that(known or is_qualified_name(base), descriptor, f"its base is {base!r:.100}")
        _that(base != descriptor.qualname, descriptor, "it is its own base")


def _check_fields(descriptor: Descriptor) -> None:
    fields = descriptor.fields
    _that(len(fields) <= MAX_FIELDS, descriptor, f"it has more than {MAX_FIELDS} fields")
    _that(_distinct(field.name for field in fields), descriptor, "it has a field twice")
    _that(
        not fields or descriptor.kind not in {"enum", "exception"},
        descriptor,
        "its kind has no fields",
    )
    for field in fields:
        name = field.name
        fits = _is_name(name) and not _dunder(name)
        if descriptor.kind == "model":
            fits = fits and name.startswith("_") is field.private and name not in _RESERVED
        elif descriptor.kind == "namedtuple":
            fits = fits and not name.startswith("_")
        elif descriptor.kind == "typed_dict":
            fits = len(name) <= _LONGEST_NAME
        _that(fits, descriptor, f"a field has the name {name!r:.100}")
        _that(
            not field.factory or field.factory in FACTORIES,
            descriptor,
            f"a factory is {field.factory!r:.100}",
        )
        _that(len(field.alias) <= _LONGEST_NAME, descriptor, f"an alias is {field.alias!r:.100}")


def _check_members(descriptor: Descriptor) -> None:
    members = descriptor.members
    _that(not members or descriptor.kind == "enum", descriptor, "it has members but is no enum")
    _that(len(members) <= MAX_MEMBERS, descriptor, f"it has more than {MAX_MEMBERS} members")
    _that(_distinct(name for name, _ in members), descriptor, "it has a member twice")
    for name, _ in members:
        fits = (
            name.isidentifier()
            and len(name) <= _LONGEST_NAME
            and not (name.startswith("_") and name.endswith("_"))
        )
        _that(fits and name != "mro", descriptor, f"a member has the name {name!r:.100}")


def _distinct(names: Iterable[Any]) -> bool:
    listed = list(names)
    return len(set(listed)) == len(listed)


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and len(name) <= _LONGEST_NAME


def _dunder(name: str) -> bool:
    return name.startswith("__")
