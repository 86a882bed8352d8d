"""The classes of a program go in; their entries with compiled methods, and what to assume of them next round, come out."""

from __future__ import annotations

import dataclasses
import enum
import sys
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from types import FunctionType, MemberDescriptorType

from waymark.compiler import inits, members
from waymark.compiler.collections_abc import mixed_in, odd_patterns
from waymark.compiler.durable import classes_in, is_immutable
from waymark.compiler.local import is_local, why_not
from waymark.compiler.members import Attribute, Method, Property, Strange
from waymark.compiler.prelude.names import PRELUDE
from waymark.compiler.properties import (
    CHANGES,
    add_property,
    descriptors,
    is_cached,
    left_out,
    numbered,
    over_fields,
    property_names,
)
from waymark.compiler.recipes import Recipe, shared
from waymark.compiler.tables import Assumed, Tables
from waymark_schema.ir.instructions import NONE
from waymark_schema.ir.language import ATTRIBUTES, METHODS, RECORD_METHODS
from waymark_schema.ir.library import ANSWERS
from waymark_schema.ir.program import TypeEntry
from waymark_schema.values.describe import kind_of

_COMPARISONS = {"__eq__", "__lt__", "__le__", "__gt__", "__ge__"}
_ITERTOOLS = frozenset(
    function for name, function in PRELUDE.items() if name.startswith("itertools.")
)
KINDS = {"method": "methods", "static": "static_methods", "class": "class_methods"}


def _written(cls: type) -> Iterator[tuple[str, Method | Property]]:
    """Methods and properties that users wrote in ``cls`` or its bases, the nearest of each name."""
    seen: set[str] = set()
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if name in seen or members.is_special(name):
                continue
            seen.add(name)
            found = members.member(base, value)
            if isinstance(found, Method | Property) and not _generated(found.function):
                yield name, found


def _generated(function: FunctionType) -> bool:
    return function.__code__.co_filename.startswith("<") or members.is_library(function.__module__)


def _strange(tables: Tables, cls: type) -> Iterator[tuple[str, str]]:
    """What of ``cls`` is neither method nor plain value, the nearest of each name, and why it is not compiled in."""
    seen = {one.name for one in tables.descriptor(cls).fields} | set(
        getattr(cls, "__members__", ())
    )
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if name in seen or (name.startswith("_") and name.endswith("_")):
                continue
            seen.add(name)
            found = members.member(base, value)
            if isinstance(value, MemberDescriptorType):  # a slot: instances have it themselves
                continue
            why = why_not(tables, name, found) if is_cached(found) else None
            if why is not None:
                yield name, why
            if isinstance(found, Strange) and not members.is_library(base.__module__):
                yield name, f"`{base.__qualname__}.{name}` is {_odd(base, name, value)}"


def _odd(owner: type, name: str, value: object) -> str:
    if isinstance(value, type):
        return f"a class, which an instance does not give: write `{owner.__qualname__}.{name}`"
    return f"an object of class {type(value).__qualname__}, which cannot be compiled in"


def _means_more(tables: Tables, name: str) -> bool:
    """Whether a name is also that of something that works: of another class of the program, or a builtin one."""
    if any(
        name in known
        for known in (*METHODS.values(), *RECORD_METHODS.values(), *ATTRIBUTES.values())
    ):
        return True
    return any(
        name in {one.name for one in tables.descriptor(cls).fields}
        or (hasattr(cls, name) and name not in dict(_strange(tables, cls)))
        for cls in tables.classes()
    )


def _wanted(tables: Tables, cls: type) -> Iterator[tuple[str, Method | Property]]:
    """What of ``cls`` the program mentions by name, or by an operator, and may compile in."""
    for name, found in _written(cls):
        if tables.mentions(name) and why_not(tables, name, found) is None:
            yield name, found
    for name, special in _specials(tables, cls):
        if why_not(tables, name, special) is None:
            yield name, special


def _specials(tables: Tables, cls: type) -> Iterator[tuple[str, Method]]:
    """Special methods that ``cls`` itself, or a base that is no class of the program, defines."""
    seen: set[str] = set()
    known = set(tables.classes())
    for base in cls.__mro__:
        if members.is_library(base.__module__) or (base is not cls and base in known):
            continue
        for name in members.special_methods(base):
            function = members.special_function(base, name)
            if function is not None and name not in seen:
                seen.add(name)
                yield name, Method(function, base, "method")


def add_methods(tables: Tables) -> None:
    """Ask for the lowering of every method that may be meant by a name in the program."""
    if tables.mentions("__match_args__"):
        tables.used.update(name for cls in tables.classes() for name in _positional(cls))
    for cls in tables.classes():
        for name, found in _wanted(tables, cls):
            tables.function(found.function, found.owner)
            if isinstance(found, Property):
                add_property(tables, name, found)
        init = constructor(tables, cls)
        if init is not None:
            tables.function(init.function, init.owner)


def _positional(cls: type) -> Iterator[str]:
    """What positional patterns of ``cls`` ask for beside its fields."""
    names = getattr(cls, "__match_args__", ())
    fields = {field.name for field in dataclasses.fields(cls)} if is_dataclass(cls) else set()
    for name in names if isinstance(names, tuple) else ():
        if isinstance(name, str) and name not in fields:
            yield name


def constructor(tables: Tables, cls: type) -> Method | None:
    """The ``__init__`` with code of the user's that makes an object, where it may be compiled in."""
    if not _is_constructed(tables, cls):
        return None
    owner = next(base for base in cls.__mro__ if "__init__" in vars(base))
    init = vars(owner)["__init__"]
    if not isinstance(init, FunctionType) or not is_local(tables, owner):
        return None
    if inits.is_generated(init):
        # The text and equality that ``@dataclass`` makes for an exception are known to its own class only.
        return None if issubclass(cls, BaseException) else _generated_init(tables, cls, init)
    return None if tables.why_excluded(owner, init) else Method(init, owner, "method")


def _is_constructed(tables: Tables, cls: type) -> bool:
    """Whether the program may make an object of ``cls``, by an ``__init__`` of the user's and nothing else."""
    if issubclass(cls, BaseException):
        named = any(issubclass(c, cls) for c in tables.constructed)
        own = [base for base in cls.__mro__ if base.__module__ != "builtins"]
        return named and not any("__new__" in vars(base) for base in own)
    return kind_of(cls) == "dataclass" and _runs_code(tables, cls)


def _runs_code(tables: Tables, cls: type) -> bool:
    descriptor = tables.descriptor(cls)
    return bool(descriptor.options.get("own_init")) and not descriptor.opaque


def _generated_init(tables: Tables, cls: type, init: FunctionType) -> Method | None:
    if not is_local(tables, cls) or tables.why_excluded(cls, init):
        return None
    last = inits.post_init(cls, init)
    if last is None:
        return Method(init, cls, "method")
    if not isinstance(last, Method) or not is_local(tables, last.owner):
        return None
    return None if tables.why_excluded(last.owner, last.function) else Method(init, cls, "method")


def learned(tables: Tables) -> Assumed:
    """What this round found out; the program is finished when a round finds out nothing new."""
    before = tables.assumed
    # What was learned stays learned, whatever this round no longer reached: so the rounds come to an end.
    methods, properties = set(before.methods), set(before.properties)
    names, constructors = set(before.property_names), set(before.constructors)
    excluded = before.excluded | tables.failed
    tables.assumed = replace(before, excluded=excluded)
    excluded_names = dict(before.excluded_names)
    for cls in tables.classes():
        names |= property_names(_written(cls))
        for name, found in _written(cls):
            if not tables.mentions(name):
                continue
            why = why_not(tables, name, found)
            for changed, odd in left_out(tables, name, found).items():
                excluded_names.setdefault(changed, odd)
            if why is not None and is_cached(found):
                continue
            if why is not None:
                excluded_names.setdefault(name, why)
            elif isinstance(found, Property):
                properties.add(name)
            else:
                methods.add(name)
        strange = dict(_strange(tables, cls))
        set_by_others = over_fields(cls) | descriptors(cls, strange)
        names |= set_by_others.keys()
        excluded_names = _excluded(tables, strange, set_by_others) | excluded_names
        if constructor(tables, cls) is not None:
            constructors.add(cls)
    unmade = before.unmade | tables.unmade
    new = (recipe for recipe in shared(tables.captured) if not _asks_a_worker(tables, recipe))
    recipes = dict.fromkeys([*before.recipes, *tables.made, *new])
    return Assumed(
        methods=frozenset(methods),
        properties=frozenset(properties),
        constructors=frozenset(constructors),
        property_names=frozenset(names),
        excluded=excluded,
        excluded_names=excluded_names,
        recipes=tuple(recipe for recipe in recipes if recipe.key not in unmade),
        unmade=unmade,
        odd_patterns={**odd_patterns(tables), **before.odd_patterns},
        iterators=before.iterators or any(job.function in _ITERTOOLS for job in tables.jobs),
        finalizers=before.finalizers or tables.finalizers,
    )


def _asks_a_worker(tables: Tables, recipe: Recipe) -> bool:
    """Whether an object in a value of a module cannot be made by the run itself."""
    value, _ = tables.captured[recipe.key]
    return any(tables.descriptor(cls).opaque for cls in classes_in(value))


def _excluded(
    tables: Tables, strange: dict[str, str], set_by_others: dict[str, str]
) -> dict[str, str]:
    """Names that cannot be read, and those that cannot be set or deleted, and why."""
    found = {f"{name}.{change}": why for name, why in set_by_others.items() for change in CHANGES}
    return found | {
        name: why
        for name, why in strange.items()
        if name in tables.used and not _means_more(tables, name)
    }


def entries(tables: Tables) -> list[TypeEntry]:
    """Return the type table with the numbers of compiled methods."""
    result = []
    plain = tables.entries()
    for cls, entry in zip(tables.classes(), plain, strict=True):
        kinds: dict[str, dict[str, int]] = {
            "methods": {}, "static_methods": {}, "class_methods": {}, "properties": {},
        }  # fmt: skip
        for name, found in _wanted(tables, cls):
            if isinstance(found, Property):
                kinds["properties"] |= numbered(tables, name, found)
            else:
                kinds[KINDS[found.kind]][name] = tables.function(found.function, found.owner)
        init = constructor(tables, cls)
        attributes, missing = _attributes(
            tables, cls, {one.name for one in entry.descriptor.fields}
        )
        attributes |= _answers(tables, cls)
        of_members, unkept = _member_attributes(tables, cls)
        result.append(
            TypeEntry(
                entry.descriptor,
                **{kind: dict(sorted(numbers.items())) for kind, numbers in kinds.items()},
                constructor=NONE if init is None else tables.function(init.function, init.owner),
                uncompiled=_uncompiled(tables, cls) | missing | unkept,
                attributes=attributes,
                member_attributes=of_members,
            )
        )
    return result


def _special_missing(tables: Tables, base: type, name: str) -> str | None:
    """Why a special method of ``base`` is not in the program, or None."""
    function = members.special_function(base, name)
    if function is None:
        return f"`{name}` cannot be compiled in"
    return why_not(tables, name, Method(function, base, "method"))


def _attributes(
    tables: Tables, cls: type, fields: set[str]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Class attributes that the program mentions: wire forms of the pure ones, reasons for the others."""
    captured: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    if issubclass(cls, enum.Enum):
        return captured, missing
    names = (
        {name for base in cls.__mro__ for name in vars(base)} if tables.any_name else tables.used
    )
    for name in sorted(names - fields):
        found = members.find(cls, name)
        if not isinstance(found, Attribute) or members.is_library(found.owner.__module__):
            continue
        module = sys.modules.get(found.owner.__module__)
        if module is None or not tables.captures.in_class_body(found.owner, name, module):
            continue
        why = tables.captures.class_attribute(found.owner, name, module)
        if why is None and is_immutable(found.value):
            captured[name] = tables.writer.encode(found.value, path=f"{cls.__name__}.{name}")
        else:
            missing[name] = why or "it is mutable, and shared by all instances"
    return captured, missing


def _answers(tables: Tables, cls: type) -> dict[str, bytes]:
    """Which of the abstract classes that the program asks for ``cls`` passes for."""
    asked = {name: found for name, found in tables.language.abstract.items() if tables.names(name)}
    if not asked or typing.is_typeddict(cls):
        return {}
    passed = tuple(name for name, found in asked.items() if issubclass(cls, found))
    return {ANSWERS: tables.writer.encode(passed)}


def _member_attributes(
    tables: Tables, cls: type
) -> tuple[dict[str, dict[str, bytes]], dict[str, str]]:
    """What the ``__init__`` of an enum set on its members, as far as the program mentions it."""
    kept: dict[str, dict[str, bytes]] = {}
    missing: dict[str, str] = {}
    if not issubclass(cls, enum.Enum):
        return kept, missing
    for member, value in sorted(cls.__members__.items()):
        for name, held in sorted(vars(value).items()):
            if name.startswith("_") or not tables.mentions(name):
                continue
            if is_immutable(held):
                wire = tables.writer.encode(held, path=f"{cls.__name__}.{member}.{name}")
                kept.setdefault(member, {})[name] = wire
            else:
                missing[name] = "it is mutable, and shared by everybody who has the member"
    return kept, missing


def _shows_computed(cls: type) -> bool:
    """Whether the text of a model's instances shows computed fields: its machine's class has none."""
    decorators = getattr(cls, "__pydantic_decorators__", None)
    fields = getattr(decorators, "computed_fields", {})
    return any(field.info.repr for field in fields.values())


def _compared_by_fields(cls: type) -> Iterator[str]:
    """Comparisons that ``@dataclass`` made for an exception: the machine's class would compare by identity."""
    if not (issubclass(cls, BaseException) and "__dataclass_fields__" in dir(cls)):
        return
    for name in sorted(_COMPARISONS):
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if owner.__module__ != "builtins" and name not in members.special_methods(owner):
            yield name


def _specials_missing(tables: Tables, cls: type) -> dict[str, str]:
    missing: dict[str, str] = {}
    met: set[str] = set()
    for base in cls.__mro__:
        if not members.is_library(base.__module__):
            for name in members.special_methods(base):
                why = _special_missing(tables, base, name)
                if why is not None and name not in met:
                    missing[name] = why
                met.add(name)
    return missing


def _uncompiled(tables: Tables, cls: type) -> dict[str, str]:
    """Methods that the program mentions but lacks, and special methods that change what operators do."""
    missing = _specials_missing(tables, cls)
    if _shows_computed(cls):
        own = {name for name, _ in _specials(tables, cls)}
        for name in {"__repr__", "__str__"} - own:
            missing[name] = "the text of its objects shows computed fields"
    for name in _compared_by_fields(cls):
        missing.setdefault(name, f"`{name}` is what `@dataclass` makes for an exception")
    for name, found in _written(cls):
        why = why_not(tables, name, found)
        if why is not None and tables.mentions(name):
            missing[name] = why
        missing |= left_out(tables, name, found)
    missing = {**dict(mixed_in(tables, cls)), **missing}
    missing |= {name: why for name, why in _strange(tables, cls) if tables.mentions(name)}
    return dict(sorted(missing.items()))
