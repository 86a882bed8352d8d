"""A pydantic model class in, its descriptor out; opaque where its fields alone do not say how to make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from waymark_schema.values.annotations import Unspeakable, constraint_list, to_grammar
from waymark_schema.values.descriptors import Descriptor, Field
from waymark_schema.values.naming import qualified_name

if TYPE_CHECKING:
    from waymark_schema.values.annotations import Namer

OPTIONS: dict[str, tuple[type, ...]] = {
    "frozen": (bool,),
    "extra": (str,),
    "strict": (bool,),
    "str_strip_whitespace": (bool,),
    "str_to_lower": (bool,),
    "str_to_upper": (bool,),
    "str_min_length": (int,),
    "str_max_length": (int,),
    "populate_by_name": (bool,),
    "validate_by_name": (bool,),
    "validate_by_alias": (bool,),
    "serialize_by_alias": (bool,),
    "use_enum_values": (bool,),
    "validate_assignment": (bool,),
    "validate_default": (bool,),
    "from_attributes": (bool,),
    "loc_by_alias": (bool,),
    "revalidate_instances": (str,),
    "allow_inf_nan": (bool,),
    "ser_json_timedelta": (str,),
    "ser_json_bytes": (str,),
    "ser_json_inf_nan": (str,),
    "val_json_bytes": (str,),
    "coerce_numbers_to_str": (bool,),
    "use_attribute_docstrings": (bool,),
    "hide_input_in_errors": (bool,),
    "regex_engine": (str,),
    "arbitrary_types_allowed": (bool,),
}
"""Settings of a model that its shadow takes over; any other that is set makes the class opaque."""
_WITHOUT_EFFECT = frozenset(
    {"title", "json_schema_extra", "protected_namespaces", "defer_build", "cache_strings"}
)
_OWN_CODE = (
    "__init__", "__new__", "model_post_init", "__setattr__", "__getattr__", "__getattribute__",
    "__get_pydantic_core_schema__", "__get_pydantic_json_schema__", "__pydantic_init_subclass__",
)  # fmt: skip


class Survey(Protocol):
    """What this room needs of the survey it works for."""

    def name(self, cls: type) -> str: ...
    def wire(self, value: Any) -> bytes: ...
    def bases(self, cls: type, kind: str) -> list[str]: ...
    def default(
        self, value: Any, factory: Any, *, missing: Any
    ) -> tuple[bytes | None, str, bool]: ...


def model(cls: Any, survey: Survey) -> Descriptor:
    """The descriptor of a pydantic model class."""
    if not cls.__pydantic_complete__:
        cls.model_rebuild(raise_errors=False)
    opaque = _has_own_code(cls) or not cls.__pydantic_complete__
    fields: list[Field] = []
    for name, info in cls.__pydantic_fields__.items():
        field, plain = _field(name, info, survey)
        fields.append(field)
        opaque = opaque or not plain
    for name, private in cls.__private_attributes__.items():
        default, factory, plain = survey.default(
            private.default, private.default_factory, missing=PydanticUndefined
        )
        fields.append(Field(name=name, default=default, factory=factory, init=False, private=True))
        opaque = opaque or not plain
    options, plain = _options(cls)
    return Descriptor(
        qualname=qualified_name(cls),
        kind="model",
        bases=survey.bases(cls, "model"),
        fields=fields,
        options=options,
        opaque=opaque or not plain,
    )


def _has_own_code(cls: Any) -> bool:
    written = [
        base
        for base in cls.__mro__
        if issubclass(base, BaseModel) and not base.__module__.startswith("pydantic.")
    ]
    if any(
        name in vars(base) and not _generated(vars(base)[name])
        for base in written
        for name in _OWN_CODE
    ):
        return True
    decorators = cls.__pydantic_decorators__
    return any(
        getattr(decorators, kind, None)
        for kind in (
            "validators", "field_validators", "root_validators", "model_validators",
            "field_serializers", "model_serializers", "computed_fields",
        )
    )  # fmt: skip


def _generated(found: Any) -> bool:
    """Whether pydantic put a method there itself (``model_post_init`` of a class with private attributes)."""
    return getattr(found, "__module__", "").startswith("pydantic.")


def _options(cls: Any) -> tuple[dict[str, bool | int | str], bool]:
    usual = BaseModel.model_config
    options: dict[str, bool | int | str] = {}
    plain = True
    for name, value in sorted(cls.model_config.items()):
        if value is None or name in _WITHOUT_EFFECT or usual.get(name) == value:
            continue
        if name in OPTIONS and type(value) in OPTIONS[name]:
            options[name] = value
        else:
            plain = False
    return options, plain


def _field(name: str, info: FieldInfo, survey: Survey) -> tuple[Field, bool]:
    default, factory, plain = survey.default(
        info.default, info.default_factory, missing=PydanticUndefined
    )
    try:
        annotation = _annotation(info, survey)
    except Unspeakable:
        annotation, plain = "Any", False
    aliases = {
        alias
        for alias in (info.alias, info.validation_alias, info.serialization_alias)
        if alias is not None
    }
    alias = next(iter(aliases), "")
    if len(aliases) > 1 or not isinstance(alias, str):
        alias, plain = "", False
    return Field(
        name=name,
        annotation=annotation,
        default=default,
        factory=factory,
        init=info.init is not False,
        keyword_only=bool(info.kw_only),
        repr=info.repr,
        alias=alias,
        frozen=bool(info.frozen),
        exclude=bool(info.exclude),
    ), plain and info.validate_default is None


def _annotation(info: FieldInfo, survey: Namer) -> Any:
    inner = to_grammar(info.annotation, survey)
    constraints = [item for extra in info.metadata for item in constraint_list(extra, survey)]
    if info.discriminator is not None:
        if not isinstance(info.discriminator, str):
            msg = f"discriminator {info.discriminator!r:.200}"
            raise Unspeakable(msg)
        constraints.append(["discriminator", info.discriminator])
    return ["annotated", inner, *constraints] if constraints else inner
