"""Instances of user classes: an object in, its named parts out, and back without running user code."""

from __future__ import annotations

import dataclasses
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from enum import Flag
from typing import Any

from pydantic import BaseModel

from waymark_schema.values.descriptors import Descriptor
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.shown import shown

_put = object.__setattr__
EXTRA, GIVEN, PRIVATE = "extra", "given", "private"
"""Beside a model's fields: extra values, the names that were given when not all were, private attributes."""

FACTORIES: dict[str, Callable[[], Any]] = {
    kind.__name__: kind
    for kind in (
        list,
        dict,
        set,
        frozenset,
        tuple,
        int,
        float,
        str,
        bytes,
        bool,
        bytearray,
        deque,
        Counter,
        OrderedDict,
    )
}
"""Factories of defaults that a descriptor may name."""
_PURE_FACTORIES = frozenset(FACTORIES.values())


def take_apart(value: Any, descriptor: Descriptor) -> Any:
    """Parts of an instance: a dict of fields, ``[fields, more]`` for a model, ``[name, value]`` for a member."""
    match descriptor.kind:
        case "model":
            return _model_parts(value)
        case "dataclass":
            names = [field.name for field in descriptor.fields]
            return {name: getattr(value, name) for name in names if hasattr(value, name)}
        case "namedtuple":
            return dict(zip(value._fields, value, strict=True))
        case "enum":
            return [value._name_, value._value_]
        case _:
            pass
    msg = f"{descriptor.qualname} is of kind {descriptor.kind!r}, which has no instances"
    raise TypeError(msg)


def _model_parts(value: BaseModel) -> list[Any]:
    held = value.__dict__
    fields = {name: held[name] for name in type(value).__pydantic_fields__ if name in held}
    more: dict[str, Any] = {}
    extra = value.__pydantic_extra__
    if extra:
        more[EXTRA] = dict(extra)
    given = value.__pydantic_fields_set__
    if len(given) != len(fields) + len(extra or ()) or not given.issuperset(fields):
        more[GIVEN] = [name for name in (*fields, *(extra or ())) if name in given]
    if value.__pydantic_private__:
        more[PRIVATE] = dict(value.__pydantic_private__)
    return [fields, more] if more else [fields]


def put_together(cls: type, kind: str, payload: Any) -> Any:
    """The instance of ``cls`` that ``payload`` describes; no ``__init__``, no validator runs.

    Raises ``MalformedValue`` if the parts do not fit the class.
    """
    if kind == "enum":
        return _member(cls, payload)
    if kind == "namedtuple":
        return _namedtuple(cls, payload)
    return fill(blank(cls, kind), kind, payload)


def blank(cls: type, kind: str) -> Any:
    """An instance of a mutable kind (``model`` or ``dataclass``) without its parts, for ``fill``."""
    if kind not in {"model", "dataclass"}:
        msg = f"{cls.__qualname__} is a {kind}: it cannot be made before its parts"
        raise TypeError(msg)
    return object.__new__(cls)


def fill(instance: Any, kind: str, payload: Any) -> Any:
    """Give ``instance`` the parts that ``take_apart`` took from its like; a part that is missing gets its default.

    Raises ``MalformedValue`` if a part that has no default is missing.
    """
    if kind == "model":
        return _fill_model(instance, payload)
    fields = _parts(instance, payload)
    for field in dataclasses.fields(instance):
        if field.name in fields:
            _put(instance, field.name, fields[field.name])
        elif field.default is not dataclasses.MISSING:
            _put(instance, field.name, field.default)
        elif field.default_factory in _PURE_FACTORIES:
            _put(instance, field.name, field.default_factory())
        elif field.init:
            raise _missing(instance, field.name)
    return instance


def _fill_model(instance: Any, payload: Any) -> Any:
    if not isinstance(payload, list) or len(payload) not in {1, 2}:
        msg = f"parts of model {type(instance).__qualname__} are {shown(payload)}; expected [fields] or [fields, more]"
        raise MalformedValue(msg)
    fields = _parts(instance, payload[0])
    more = _parts(instance, payload[1]) if payload[1:] else {}
    cls = type(instance)
    held: dict[str, Any] = {}
    given = {name for name in fields if name in cls.__pydantic_fields__}
    for name, field in cls.__pydantic_fields__.items():
        if name in fields:
            held[name] = fields[name]
        elif field.default_factory in _PURE_FACTORIES or (
            not field.is_required() and not field.default_factory
        ):
            held[name] = field.get_default(call_default_factory=True)
        else:
            raise _missing(instance, name)
    _put(instance, "__dict__", held)
    extra = _parts(instance, more.get(EXTRA, {}))
    allows_extra = cls.model_config.get("extra") == "allow"
    _put(instance, "__pydantic_extra__", extra if allows_extra else None)
    if GIVEN in more:
        given = {name for name in more[GIVEN] if isinstance(name, str)}
    else:
        given.update(extra if allows_extra else ())
    _put(instance, "__pydantic_fields_set__", given)
    private = _parts(instance, more.get(PRIVATE, {}))
    declares_private = bool(cls.__private_attributes__)
    _put(instance, "__pydantic_private__", private if declares_private else None)
    return instance


def _member(cls: Any, payload: Any) -> Any:
    if not isinstance(payload, list) or len(payload) != 2:  # noqa: PLR2004 - name and value
        msg = (
            f"parts of a member of {cls.__qualname__} are {shown(payload)}; expected [name, value]"
        )
        raise MalformedValue(msg)
    name, value = payload
    member = cls._member_map_.get(name) if isinstance(name, str) else None
    if member is not None:
        return member
    found = _by_value(cls, value)
    if found is not None:
        return found
    msg = f"{cls.__qualname__} has no member {shown(name)} here (value {shown(value)}); it has {', '.join(cls._member_map_)}"
    raise MalformedValue(msg)


def _by_value(cls: Any, value: Any) -> Any:
    """Member or combination of flags by value: no ``_missing_`` of the user's runs."""
    try:
        if value in cls._value2member_map_:
            return cls._value2member_map_[value]
    except TypeError:
        return next((member for member in cls if member._value_ == value), None)
    if isinstance(value, int) and _is_plain_flag(cls):
        try:
            return cls(value)
        except ValueError:
            return None
    return None


def _is_plain_flag(cls: Any) -> bool:
    """Whether combinations are looked up by enum's own code and not a user's."""
    own: Any = Flag._missing_
    return issubclass(cls, Flag) and cls._missing_.__func__ is own.__func__


def _namedtuple(cls: Any, payload: Any) -> Any:
    fields = _parts(cls, payload)
    values = []
    for name in cls._fields:
        if name in fields:
            values.append(fields[name])
        elif name in cls._field_defaults:
            values.append(cls._field_defaults[name])
        else:
            raise _missing(cls, name)
    return tuple.__new__(cls, values)


def _parts(owner: Any, payload: Any) -> dict[str, Any]:
    if isinstance(payload, dict):
        return payload
    msg = f"parts of {_name(owner)} are {shown(payload)}; expected a dict of fields"
    raise MalformedValue(msg)


def _missing(owner: Any, name: str) -> MalformedValue:
    msg = (
        f"{_name(owner)} came without its field {name!r}, which has no default here; "
        "give a field that was added later a default"
    )
    return MalformedValue(msg)


def _name(owner: Any) -> str:
    cls = owner if isinstance(owner, type) else type(owner)
    return cls.__qualname__
