"""Host objects met by the lowering go in; their numbers in the program, and at last its tables, come out."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal

from waymark.compiler.diagnostics import Reporter
from waymark.compiler.durable import Writer, classes_in
from waymark.wiring import wiring
from waymark_schema.ir.instructions import NONE
from waymark_schema.ir.program import (
    ActionConstant,
    ActionEntry,
    BuiltinConstant,
    Constant,
    Function,
    FunctionConstant,
    Parameter,
    Span,
    TypeConstant,
    TypeEntry,
    ValueConstant,
)
from waymark_schema.values.annotations import Unspeakable, to_grammar
from waymark_schema.values.describe import Encode, Survey
from waymark_schema.values.descriptors import Annotation, Descriptor

if TYPE_CHECKING:
    from waymark.compiler.capture import Captures
    from waymark.compiler.language import Names
    from waymark.compiler.recipes import Recipe
    from waymark.compiler.source import SourceReader
    from waymark.registry import ActionDefinition

Change = Literal["setter", "deleter"]
KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional_only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional",
    inspect.Parameter.VAR_POSITIONAL: "var_positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword_only",
    inspect.Parameter.VAR_KEYWORD: "var_keyword",
}


class _Classes(Survey):
    """A survey that tells which classes it has met."""

    def __init__(self, encode: Encode) -> None:
        super().__init__(encode)
        self._known: dict[type, Descriptor] = {}

    def classes(self) -> list[type]:
        return list(self._queue)

    def _descriptor(self, cls: type) -> Descriptor:
        found = self._known.get(cls)
        if found is None:
            found = self._known[cls] = super()._descriptor(cls)
        return found


@dataclass(frozen=True, slots=True)
class Job:
    """A function that was given a number and has yet to be lowered."""

    number: int
    function: FunctionType
    owner: type | None
    """Class whose method it is."""
    origin: str | None = None
    """``module:Class.method`` of the method of a value's class without which nothing asks for it."""


def origin_of(owner: type, function: FunctionType) -> str:
    """Return how a method of a value's class is called among what is left out of the program.

    By its function's own name: in the class it may have another, or several.
    """
    return f"{owner.__module__}:{owner.__qualname__}.{function.__name__}"


@dataclass(eq=False, slots=True)
class FinishedFunction:
    """A lowered function with its spans."""

    function: Function
    spans: list[list[Span]]
    filename: str


@dataclass(frozen=True, slots=True)
class Assumed:
    """What an earlier round of lowering found out about compiled methods, by name."""

    methods: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()
    constructors: frozenset[type] = frozenset()
    property_names: frozenset[str] = frozenset()
    """Properties of any class of the type table, compiled in or not."""
    excluded: dict[str, str] = field(default_factory=dict)
    """``module:Class.method`` → why it cannot be compiled in."""
    excluded_names: dict[str, str] = field(default_factory=dict)
    """Method name → why, for names that mean nothing else."""
    recipes: tuple[Recipe, ...] = ()
    """What a run makes when it begins."""
    unmade: frozenset[str] = frozenset()
    """Keys of recipes that cannot be made."""
    odd_patterns: dict[str, str] = field(default_factory=dict)
    """Kinds of patterns (``sequence``, ``mapping``) that cannot be used → why."""
    iterators: bool = False
    """Whether the program compiled functions of itertools in."""
    finalizers: bool = False
    """Whether a generator of the program has a ``yield`` inside ``try`` or ``with``."""


@dataclass(eq=False, slots=True)
class Tables:
    """The tables of one program in the making."""

    workflow: type
    reader: SourceReader
    language: Names
    captures: Captures
    writer: Writer
    reporter: Reporter
    assumed: Assumed
    functions: list[Callable[[], FinishedFunction] | None] = field(default_factory=list)
    """What finishes each function: only the last round's functions are laid out."""
    jobs: list[Job] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    globals: list[bytes] = field(default_factory=list)
    attributes: dict[str, bytes] = field(default_factory=dict)
    actions: list[ActionEntry] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """Every attribute name that lowered code mentions."""
    remembered: dict[tuple[FunctionType, type, str], int] = field(default_factory=dict)
    """Cached properties: their functions that keep what they give."""
    changed: set[tuple[str, Change]] = field(default_factory=set)
    """Properties that lowered code sets or deletes, by name."""
    finalizers: bool = False
    """Whether this round met a ``yield`` inside ``try`` or ``with``."""
    any_name: bool = False
    """``getattr`` is given a computed name: any attribute may be meant."""
    constructed: set[type] = field(default_factory=set)
    entry_defaults_left_out: bool = False
    """``run`` has mutable defaults: each start sends them along, so nothing else may call it."""
    unbound: dict[str, int] = field(default_factory=dict)
    """``str.lower`` and the like as values: their functions."""
    origin: str | None = None
    """Origin of the function that is being lowered."""
    stand_ins: set[FunctionType] = field(default_factory=set)
    """Functions that a test has put in the place of others: wherever they were made, they are compiled in."""
    captured: dict[str, tuple[object, Recipe | None]] = field(default_factory=dict)
    """Mutable values of modules that this round has met, by their keys."""
    made: dict[Recipe, int] = field(default_factory=dict)
    """Functions that make values, what others are made of first."""
    making: set[Recipe] = field(default_factory=set)
    """Values whose functions are being lowered."""
    postponed: list[Recipe] = field(default_factory=list)
    """Values that only lambdas in those read."""
    unmade: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    """``module:Class.method`` → why its lowering failed in this round."""
    _constant_numbers: dict[tuple[str, object], int] = field(default_factory=dict)
    _function_numbers: dict[tuple[FunctionType, type | None], int] = field(default_factory=dict)
    _global_numbers: dict[str, int] = field(default_factory=dict)
    _action_numbers: dict[str, int] = field(default_factory=dict)
    _survey: _Classes = field(init=False)

    def __post_init__(self) -> None:
        self._survey = _Classes(self.writer.encode)

    # --- constants ---------------------------------------------------------------------------

    def _constant(self, key: tuple[str, object], constant: Constant) -> int:
        number = self._constant_numbers.get(key)
        if number is None:
            number = self._constant_numbers[key] = len(self.constants)
            self.constants.append(constant)
        return number

    def value(self, value: object) -> int:
        """Number of an immutable durable value; raises ``SerializationError``."""
        wire = self.writer.encode(value)
        return self._constant(("value", wire), ValueConstant(wire))

    def builtin(self, name: str) -> int:
        return self._constant(("builtin", name), BuiltinConstant(name))

    def names(self, name: str) -> bool:
        """Whether the program holds a name of the language."""
        return ("builtin", name) in self._constant_numbers

    def function_value(self, number: int) -> int:
        return self._constant(("function", number), FunctionConstant(number))

    def action_value(self, definition: ActionDefinition) -> int:
        number = self.action(definition)
        return self._constant(("action", number), ActionConstant(number))

    def type_value(self, cls: type) -> int:
        number = self.type_entry(cls)
        return self._constant(("type", number), TypeConstant(number))

    # --- functions ---------------------------------------------------------------------------

    def reserve(self) -> int:
        """Return the number of a function that has no host function: a lambda, a bound method."""
        self.functions.append(None)
        return len(self.functions) - 1

    def function(self, function: FunctionType, owner: type | None) -> int:
        """Return the number of a compiled-in function; it is lowered once, later."""
        key = (function, owner)
        number = self._function_numbers.get(key)
        if number is None:
            number = self._function_numbers[key] = self.reserve()
            self.jobs.append(Job(number, function, owner, self.origin))
        return number

    def why_excluded(self, owner: type, function: FunctionType) -> str | None:
        """Why an earlier round could not compile a method of a value's class in, or None."""
        return self.assumed.excluded.get(origin_of(owner, function))

    # --- globals, actions, types ---------------------------------------------------------------

    def global_value(self, key: str, value: object) -> int:
        """Return the number of a captured mutable value; raises ``SerializationError``."""
        number = self._global_numbers.get(key)
        if number is None:
            wire = self.writer.encode(value, path=key.rpartition(":")[2])
            for cls in classes_in(value):
                self.type_entry(cls)
            number = self._global_numbers[key] = len(self.globals)
            self.globals.append(wire)
        return number

    def action(self, definition: ActionDefinition) -> int:
        number = self._action_numbers.get(definition.key)
        if number is None:
            number = self._action_numbers[definition.key] = len(self.actions)
            self.actions.append(
                ActionEntry(
                    definition.key,
                    definition.name,
                    action_parameters(definition),
                    definition.policy,
                )
            )
            self.mention(definition.function, besides=_injected(definition))
        return number

    def type_entry(self, cls: type) -> int:
        """Return the number of a class in the type table."""
        self._survey.name(cls)
        return self._survey.classes().index(cls)

    def descriptor(self, cls: type) -> Descriptor:
        """Describe a class that has a durable kind."""
        found = self.writer.described(cls)
        if found is None:
            msg = f"{cls!r} has no durable kind"
            raise TypeError(msg)
        return found[0]

    def mentions(self, name: str) -> bool:
        """Whether the program may mean an attribute of this name."""
        return self.any_name or name in self.used

    def mention(self, function: Any, *, besides: Collection[str] = ()) -> None:
        """Put the classes of a function's annotations into the type table, ``besides`` those of some parameters."""
        for name, hint in hints(function).items():
            if name not in besides:
                self.annotation(hint)

    def annotation(self, hint: Any) -> Annotation:
        """Form of a type hint; ``Any`` where the grammar has none."""
        try:
            return to_grammar(hint, self._survey)
        except Unspeakable:
            return "Any"

    def classes(self) -> list[type]:
        """Return the classes of the type table, with all that they refer to."""
        self._survey.complete()
        return self._survey.classes()

    def entries(self) -> list[TypeEntry]:
        """Return the type table, without methods."""
        return [TypeEntry(descriptor) for descriptor in self._survey.complete()]


def hints(function: Any) -> dict[str, Any]:
    """Resolved annotations of a function; nothing where a name in them cannot be resolved."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError):
        return {}


def action_parameters(definition: ActionDefinition) -> list[Parameter]:
    """Return what a workflow may pass to an action; injected parameters need no argument."""
    injected = _injected(definition)
    return [
        Parameter(
            one.name,
            KINDS[one.kind],
            NONE if one.default is one.empty and one.name not in injected else 0,
        )
        for one in definition.signature.parameters.values()
    ]


def _injected(definition: ActionDefinition) -> set[str]:
    """Parameters that no workflow needs to pass: what they hold is made in the worker and never leaves it."""
    try:
        return {name for name, _ in wiring(definition.function).injected}
    except TypeError:
        return set()
