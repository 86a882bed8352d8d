"""A real class in, its descriptor out: what of it can be rebuilt elsewhere, and whether that is all of it."""

from __future__ import annotations

import dataclasses
import enum
import typing
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import typing_extensions
from pydantic import BaseModel

from waymark_schema.failures import SerializationError
from waymark_schema.values import describe_models, faults, standard_enums
from waymark_schema.values.annotations import Unspeakable, required_keys, to_grammar
from waymark_schema.values.descriptors import Descriptor, Field
from waymark_schema.values.fidelity import judged
from waymark_schema.values.naming import qualified_name
from waymark_schema.values.objects import FACTORIES

Encode = Callable[[Any], bytes]
_field_type = attrgetter("_field_type")
_FACTORY_NAMES = {factory: name for name, factory in FACTORIES.items()}
_ENUM_BASES = (enum.IntFlag, enum.Flag, enum.IntEnum, enum.StrEnum, enum.Enum)
_MIXINS = (int, str, float, bytes)
_DATACLASS_OPTIONS = {
    "init": True,
    "repr": True,
    "eq": True,
    "order": False,
    "unsafe_hash": False,
    "frozen": False,
}


def kind_of(cls: type) -> str | None:
    """The descriptor kind that ``cls`` is of, or None if instances of it cannot be kept."""
    if issubclass(cls, BaseModel):
        return "model" if cls is not BaseModel else None
    if issubclass(cls, enum.Enum):
        return "enum" if cls.__members__ else None
    if issubclass(cls, BaseException):
        return "exception"
    if dataclasses.is_dataclass(cls):
        return "dataclass" if "__dataclass_fields__" in cls.__dict__ else None
    if issubclass(cls, tuple) and hasattr(cls, "_fields") and hasattr(cls, "_field_defaults"):
        return "namedtuple"
    return "typed_dict" if typing_extensions.is_typeddict(cls) else None


def describe(cls: type, encode: Encode) -> tuple[Descriptor, tuple[Descriptor, ...]] | None:
    """The descriptor of a class with those of all classes that it refers to; None if it has no durable kind.

    ``encode`` writes defaults and members. Parts that only the class's own code can give make it opaque.
    Raises ``SerializationError`` for an enum member whose value cannot be kept.
    """
    if kind_of(cls) is None:
        return None
    survey = Survey(encode)
    survey.name(cls)
    found = survey.complete()
    return found[0], tuple(found[1:])


class Survey:
    """Descriptors of a class and all that it refers to, each once, in the order of first mention."""

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._queue: list[type] = []
        self._names: dict[type, str] = {}
        self._found: list[tuple[type, Descriptor]] = []
        self._judged: list[Descriptor] = []

    def name(self, cls: type) -> str:
        """Qualified name of a class, which is thereby part of the survey.

        Raises ``Unspeakable`` for classes that have no durable kind.
        """
        known = self._names.get(cls)
        if known is not None:
            return known
        kind = kind_of(cls)
        if kind is None:
            msg = f"class {cls.__module__}.{cls.__qualname__}"
            raise Unspeakable(msg)
        if kind == "exception" and faults.well_known(faults.qualified(cls)):
            return faults.qualified(cls)
        self._names[cls] = qualified_name(cls)
        self._queue.append(cls)
        return self._names[cls]

    def wire(self, value: Any) -> bytes:
        """Wire form of a default or literal, or ``Unspeakable``."""
        try:
            return self._encode(value)
        except SerializationError as error:
            raise Unspeakable(str(error)) from None

    def complete(self) -> list[Descriptor]:
        """Describe everything mentioned so far and whatever that mentions."""
        while len(self._found) < len(self._queue):
            cls = self._queue[len(self._found)]
            self._found.append((cls, self._descriptor(cls)))
        if len(self._judged) < len(self._found):
            self._judged = judged(self._found)
        return list(self._judged)

    def _descriptor(self, cls: type) -> Descriptor:
        kind = kind_of(cls)
        if kind == "model":
            return describe_models.model(cls, self)
        if kind == "dataclass":
            return self._dataclass(cls)
        if kind == "enum":
            return self._enum(cls)
        if kind == "namedtuple":
            return self._namedtuple(cls)
        return self._exception(cls) if kind == "exception" else self._typed_dict(cls)

    def bases(self, cls: type, kind: str) -> list[str]:
        """Names of the bases of the same kind."""
        return [self.name(base) for base in cls.__bases__ if kind_of(base) == kind]

    def hints(self, cls: type) -> dict[str, Any]:
        """Resolved hints of a class, or nothing where a name in them cannot be resolved."""
        try:
            return typing.get_type_hints(cls, include_extras=True)
        except (NameError, TypeError, AttributeError):
            return {}

    def form(self, hint: Any) -> Any:
        """The grammar's form of a hint, ``Any`` where it has none: for classes that do not enforce annotations."""
        try:
            return to_grammar(hint, self)
        except Unspeakable:
            return "Any"

    def _dataclass(self, cls: Any) -> Descriptor:
        hints = self.hints(cls)
        parameters = cls.__dataclass_params__
        own_init = "__post_init__" in dir(cls) or _custom(cls, "__init__")
        fields = []
        for item in dataclasses.fields(cls):
            field, plain = self._dataclass_field(item, hints.get(item.name, Any))
            fields.append(field)
            own_init = own_init or not plain
        options: dict[str, bool | int | str] = {
            name: getattr(parameters, name)
            for name, usual in _DATACLASS_OPTIONS.items()
            if getattr(parameters, name) is not usual
        }
        if "__slots__" in cls.__dict__:
            options["slots"] = True
        if "__match_args__" not in cls.__dict__:
            options["match_args"] = False
        is_short = len(fields) + _class_variables(cls) < len(cls.__dataclass_fields__)
        if own_init or is_short:  # an InitVar is no field
            options["own_init"] = True
        return Descriptor(
            qualname=qualified_name(cls),
            kind="dataclass",
            bases=self.bases(cls, "dataclass"),
            fields=fields,
            options=options,
            opaque=_custom(cls, "__new__", "__setattr__", "__getattribute__"),
        )

    def _dataclass_field(self, item: Any, hint: Any) -> tuple[Field, bool]:
        default, factory, plain = self.default(
            item.default, item.default_factory, missing=dataclasses.MISSING
        )
        return Field(
            name=item.name,
            annotation=self.form(hint),
            default=default,
            factory=factory,
            init=item.init,
            keyword_only=bool(item.kw_only),
            compare=item.compare,
            repr=item.repr,
            hash=item.hash,
        ), plain

    def default(self, value: Any, factory: Any, *, missing: Any) -> tuple[bytes | None, str, bool]:
        """Wire form of a default, name of a builtin factory, and whether that says it all."""
        if factory is not missing and factory is not None:
            name = _FACTORY_NAMES.get(factory, "")
            return None, name, bool(name)
        if value is missing:
            return None, "", True
        try:
            return self.wire(value), "", True
        except Unspeakable:
            return None, "", False

    def _namedtuple(self, cls: Any) -> Descriptor:
        hints = self.hints(cls)
        fields = []
        opaque = _custom(cls, "__init__") or ("__new__" in vars(cls) and not _generated_new(cls))
        for name in cls._fields:
            given = cls._field_defaults.get(name, dataclasses.MISSING)
            default, _, plain = self.default(given, None, missing=dataclasses.MISSING)
            opaque = opaque or not plain
            fields.append(
                Field(name=name, annotation=self.form(hints.get(name, Any)), default=default)
            )
        return Descriptor(
            qualname=qualified_name(cls),
            kind="namedtuple",
            bases=self._named_bases(cls),
            fields=fields,
            opaque=opaque,
        )

    def _named_bases(self, cls: type) -> list[str]:
        """Without the ``namedtuple("Point", …)`` of ``class Point(namedtuple("Point", …))``, which nobody can name."""
        own = qualified_name(cls)
        return [
            self.name(base)
            for base in cls.__bases__
            if kind_of(base) == "namedtuple" and qualified_name(base) != own
        ]

    def _enum(self, cls: Any) -> Descriptor:
        base = next(base for base in _ENUM_BASES if issubclass(cls, base))
        mixins = [
            mixin.__name__
            for mixin in _MIXINS
            if issubclass(cls, mixin) and not issubclass(base, mixin)
        ]
        members = [
            (name, self._member(cls, name, member._value_))
            for name, member in standard_enums.members(cls)
        ]
        opaque = _custom_enum(cls)
        return Descriptor(
            qualname=qualified_name(cls),
            kind="enum",
            bases=[*mixins, base.__name__],
            members=members,
            options=standard_enums.options(cls),
            opaque=opaque,
        )

    def _member(self, cls: Any, name: str, value: Any) -> bytes:
        try:
            return self._encode(value)
        except SerializationError as error:
            path = f"{cls.__qualname__}.{name}.value"
            msg = f"{path}: the value of an enum member cannot be kept: {error}"
            raise SerializationError(msg, path=path, type_name=error.type_name) from None

    def _exception(self, cls: Any) -> Descriptor:
        bases = [self.name(base) for base in cls.__bases__ if issubclass(base, BaseException)]
        return Descriptor(
            qualname=qualified_name(cls),
            kind="exception",
            bases=bases,
            options={"own_init": True}
            if _custom(cls, "__init__") or dataclasses.is_dataclass(cls)
            else {},
            opaque=_custom(cls, "__new__"),
        )

    def _typed_dict(self, cls: Any) -> Descriptor:
        hints = self.hints(cls)
        required = required_keys(cls, hints)
        fields = [
            Field(name=name, annotation=self.form(hint), init=name in required)
            for name, hint in hints.items()
        ]
        return Descriptor(
            qualname=qualified_name(cls),
            kind="typed_dict",
            bases=[],
            fields=fields,
            options={"total": cls.__total__},
        )


def _class_variables(cls: Any) -> int:
    """How many entries of a dataclass's table are ``ClassVar``s."""
    entries = cls.__dataclass_fields__.values()
    return sum(repr(_field_type(entry)) == "_FIELD_CLASSVAR" for entry in entries)


def _generated_new(cls: Any) -> bool:
    return getattr(cls.__new__, "__module__", "").startswith("namedtuple_")


def _custom(cls: type, *names: str) -> bool:
    """Whether a class above ``cls`` that was written by a user defines one of ``names``."""
    for base in cls.__mro__:
        if base.__module__ in {"builtins", "enum", "typing", "abc"} or base is BaseModel:
            continue
        generated = "__dataclass_fields__" in vars(base)
        for name in names:
            found = vars(base).get(name)
            if found is not None and not (generated and _made_by_dataclass(base, name, found)):
                return True
    return False


def _made_by_dataclass(cls: Any, name: str, found: Any) -> bool:
    parameters = cls.__dataclass_params__
    if name == "__init__":
        return (
            bool(parameters.init)
            and getattr(getattr(found, "__code__", None), "co_filename", "") == "<string>"
        )
    return name in {"__setattr__", "__delattr__"} and bool(parameters.frozen)


def _custom_enum(cls: type) -> bool:
    """Whether looking members up by value, or making them, runs code of the user's."""
    written = [
        base for base in cls.__mro__ if issubclass(base, enum.Enum) and base.__module__ != "enum"
    ]
    return any(
        name in vars(base)
        for base in written
        for name in ("__init__", "_missing_", "__eq__", "__hash__")
    ) or any(
        "__new_member__" in vars(base) and _user_new(vars(base)["__new_member__"])
        for base in written
    )


def _user_new(found: Any) -> bool:
    code = getattr(found, "__code__", None)
    return code is not None and code.co_filename != enum.__file__
