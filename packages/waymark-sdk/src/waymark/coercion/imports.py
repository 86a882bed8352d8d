"""Names of classes in, the classes themselves out: the binding of processes that hold the user's code."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from waymark_schema.importable import importable_module
from waymark_schema.values import faults
from waymark_schema.values.binding import Build, TypeRef
from waymark_schema.values.describe import kind_of
from waymark_schema.values.describing import Described, Describer
from waymark_schema.values.faults import FaultParts
from waymark_schema.values.naming import is_qualified_name, qualified_name
from waymark_schema.values.objects import put_together
from waymark_schema.values.records import record_builder

_kept: dict[tuple[type, str], type] = {}
"""Parametrised models that workflows make: pydantic itself forgets one that nobody holds.

By the generic class itself and the qualified name, since a module that was imported anew has others of the same name.
"""


class ImportBinding:
    """Finds classes by importing their module.

    An instance whose class cannot be found becomes a ``Record``, which coercion turns into what the
    annotation asks for; an exception becomes one of its nearest known base, under its own name.
    """

    set_type: type = set
    frozenset_type: type = frozenset

    def __init__(self) -> None:
        self._describer = Describer()

    def describe(self, cls: type) -> Described | None:
        """The descriptor of a class and of all that it refers to."""
        return self._describer.described(cls)

    def builders(self, refs: Sequence[TypeRef]) -> list[Build]:
        """A builder for each class, which looks it up when it is first used."""
        return [_LateBuilder(ref, refs) for ref in refs]

    def exception(self, parts: FaultParts, refs: Sequence[TypeRef]) -> BaseException:
        """The exception, of its own class where that can be imported."""
        known: tuple[type | None, ...] = (faults.well_known(parts.qualname), find(parts.qualname))
        for cls in known:
            if cls is not None and issubclass(cls, BaseException):
                try:
                    return faults.rebuild(cls, parts)
                except TypeError:  # a class whose instances only its own module can make
                    break
        return faults.rebuild(_stand_in(parts), parts)


def _stand_in(parts: FaultParts) -> type[BaseException]:
    for name in parts.bases:
        base: Any = faults.well_known(name) or find(name)
        if base is None or not issubclass(base, BaseException):
            continue
        if parts.exceptions or not issubclass(base, BaseExceptionGroup):
            try:
                return faults.stand_in(parts.qualname, (base,))
            except TypeError:  # a base that takes no subclasses
                continue
    return faults.stand_in(parts.qualname, (Exception,))


class _LateBuilder:
    """Looks its class up at the first payload."""

    __slots__ = ("_build", "_ref", "_refs")

    def __init__(self, ref: TypeRef, refs: Sequence[TypeRef]) -> None:
        self._ref = ref
        self._refs = refs
        self._build: Build | None = None

    def __call__(self, payload: Any) -> Any:
        if self._build is None:
            cls = find(self._ref.qualname)
            if cls is None or kind_of(cls) != self._ref.kind:
                # Not kept: the module may be imported, or finished importing, later.
                return record_builder(self._ref, self._refs)(payload)
            self._build = partial(put_together, cls, self._ref.kind)
        return self._build(payload)


def find(qualname: str) -> type | None:
    """The class with a qualified name, or None if there is none here.

    A module that cannot be imported here is not an error: the value's annotation may still say what to make of it.
    """
    if not is_qualified_name(qualname):
        return None
    module_name, _, path = qualname.partition(":")
    module = _module(module_name)
    if module is None:
        return None
    found: Any = module
    name, bracket, _ = path.partition("[")
    *owners, last = name.split(".")
    for owner in owners:
        found = getattr(found, owner, None)
    found = getattr(found, last, None)
    if bracket and isinstance(found, type):
        found = parametrised(found, qualname) or found
    return found if isinstance(found, type) else None


def _module(name: str) -> Any:
    if importable_module("__main__") == name:
        # Imported once more under its name, it would bring other classes of the same names.
        return sys.modules.get("__main__")
    try:
        return sys.modules.get(name) or importlib.import_module(name)
    except Exception:  # noqa: BLE001 - whatever a module does while it is imported, it is not at hand
        return None


def keep_parametrised(cls: type) -> None:
    """Let a parametrised model be found for as long as this process lives."""
    generic: Any = getattr(cls, "__pydantic_generic_metadata__", {})
    _kept[generic.get("origin") or cls, qualified_name(cls)] = cls


def parametrised(origin: type, qualname: str) -> type | None:
    """The parametrisation of a generic model that this process has made already."""
    kept = _kept.get((origin, qualname))
    if kept is not None:
        return kept
    known: list[type] = origin.__subclasses__()
    return next((cls for cls in known if qualified_name(cls) == qualname), None)
