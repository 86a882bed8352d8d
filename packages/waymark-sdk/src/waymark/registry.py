"""Definitions of actions and workflows in, the definition of a key out; a taken key is never taken over."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from waymark_schema.importable import importable_module

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Iterator

    from waymark_schema.ir.policies import StoredPolicy
    from waymark_schema.wire.frames import ProgramReport


@dataclass(frozen=True, slots=True)
class Place:
    """Where a definition stands, and which execution of that module made it."""

    module: str
    qualname: str
    filename: str
    line: int
    execution: object = field(default=None, compare=False, repr=False)
    """The module's spec: a reload or a second import makes a new one."""

    def __str__(self) -> str:
        return f"{self.module}.{self.qualname} ({self.filename}:{self.line})"

    def again(self, other: Place) -> bool:
        """Whether ``other`` is this same definition, executed again."""
        if (self.module, self.qualname) != (other.module, other.qualname):
            return False
        if (self.filename, self.line) == (other.filename, other.line):
            return True
        return self.execution is not other.execution


class Definition(Protocol):
    """What a registry holds."""

    @property
    def key(self) -> str: ...
    @property
    def place(self) -> Place: ...


@dataclass(frozen=True, slots=True)
class ActionDefinition:
    """One ``@action`` function."""

    key: str
    """``module:name``: how programs and workers refer to it."""
    name: str
    module: str
    """Importable module name; never ``__main__``."""
    function: Callable[..., Any] = field(repr=False)
    """The function as the user wrote it."""
    signature: inspect.Signature = field(repr=False)
    """As written, parameters that are injected included."""
    policy: StoredPolicy | None
    """What the decorator said; None: nothing."""
    is_async: bool
    place: Place


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """One ``@workflow`` class."""

    key: str
    """Its name: lower-cased class name unless the class says otherwise."""
    workflow: type
    place: Place
    report: Callable[[], ProgramReport] = field(repr=False)
    """The compiled program, compiled at the first call; raises ``UnsupportedPatternError``."""

    @property
    def name(self) -> str:
        """The same as ``key``."""
        return self.key


D = TypeVar("D", bound=Definition)


class Registry(Generic[D]):
    """Definitions of one kind by key; safe to use from several threads."""

    def __init__(self, kind: str, naming: str) -> None:
        self._kind = kind
        self._naming = naming
        self._by_key: dict[str, D] = {}
        self._lock = threading.Lock()

    def add(self, definition: D) -> D:
        """Register a definition; the same one again (a reload, a second import) replaces the first.

        Raises:
            ValueError: another one has this key.

        """
        with self._lock:
            earlier = self._by_key.get(definition.key)
            if earlier is not None and not earlier.place.again(definition.place):
                msg = (
                    f"{self._kind} {definition.key!r} is already defined by {earlier.place};"
                    f" expected one definition for each name, found another: {definition.place}."
                    f" Rename one of them or {self._naming}"
                )
                raise ValueError(msg)
            self._by_key[definition.key] = definition
        return definition

    def get(self, key: str) -> D | None:
        """Return the definition of ``key``, or None."""
        return self._by_key.get(key)

    def names(self) -> list[str]:
        """Return all keys, sorted."""
        return sorted(self._by_key)

    def discard(self, key: str) -> None:
        """Forget ``key``, if it is there; for tests that define things and clean up."""
        with self._lock:
            self._by_key.pop(key, None)

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[D]:
        return iter(list(self._by_key.values()))

    def __len__(self) -> int:
        return len(self._by_key)


registry: Registry[ActionDefinition] = Registry("action", "write @action(name=…)")
workflow_registry: Registry[WorkflowDefinition] = Registry(
    "workflow", "write `name = …` in one of the classes"
)


def place_of(definition: Any, *, module: str, line: int) -> Place:
    """Return where a function or class stands; ``module`` is its importable name."""
    own = sys.modules.get(definition.__module__)
    filename = getattr(own, "__file__", None) or "<unknown>"
    code = getattr(definition, "__code__", None)
    return Place(
        module=module,
        qualname=definition.__qualname__,
        filename=code.co_filename if code is not None else filename,
        line=line,
        execution=getattr(own, "__spec__", None) or own,
    )


def importable_place(definition: Any, *, kind: str) -> str:
    """Return the name under which workers import the module of ``definition``.

    For a program that is run as a script, that is the name its file has for the import system.

    Raises:
        TypeError: it stands in ``__main__`` and no import could find it there.

    """
    name = importable_module(definition.__module__)
    if name is None:
        msg = (
            f"{kind} {definition.__qualname__!r} is defined in __main__, which workers cannot import;"
            " expected a module that can be imported. Move it to one, say tasks.py, and import it here"
        )
        raise TypeError(msg)
    return name
