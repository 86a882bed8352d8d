"""Descriptors in, shadow classes and a binding over them out; no user code is needed or run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, ForwardRef
from weakref import WeakValueDictionary

from waymark_schema.values import faults, rules, shadow_classes
from waymark_schema.values.annotations import from_grammar, mentioned
from waymark_schema.values.binding import Build, TypeRef
from waymark_schema.values.codec import Codec
from waymark_schema.values.descriptors import Annotation, Descriptor, digest
from waymark_schema.values.errors import DescriptorError, MalformedValue
from waymark_schema.values.faults import FaultParts
from waymark_schema.values.objects import FACTORIES, put_together
from waymark_schema.values.records import record_builder

_MAX_CHAIN = 60
_building = threading.RLock()


class Shadows:
    """Shadow classes of a set of descriptors, each built when it is first asked for.

    Classes are shared: equal descriptors that refer to equal descriptors give one class per process and
    flavour, for as long as anything uses it.
    """

    set_type: type = set
    frozenset_type: type = frozenset
    flavour = "host"
    containers: ClassVar[Mapping[str, Callable[..., Any]]] = MappingProxyType({})
    """Forms of the annotation grammar that this flavour builds in its own way."""
    exceptions: ClassVar[Mapping[str, type[BaseException]]] = MappingProxyType({})
    """Exception classes that stand for a qualified name in this flavour."""

    _classes: ClassVar[WeakValueDictionary[Any, type]] = WeakValueDictionary()

    def __init__(self, descriptors: Sequence[Descriptor]) -> None:
        self.namespace: dict[str, Descriptor] = {}
        for descriptor in descriptors:
            rules.check(descriptor)
            self.namespace[descriptor.qualname] = descriptor
        self._held: dict[str, type] = {}
        self._described: dict[type, Descriptor] = {}
        self._codec = Codec(self)

    # --- classes -----------------------------------------------------------------------------

    def shadow(self, qualname: str) -> type:
        """The class of one of the descriptors.

        Raises ``DescriptorError`` if there is none, or if it cannot be built.
        """
        found = self._held.get(qualname)
        if found is None:
            with _building:
                found = self._held[qualname] = _built(_Builder(self, self.namespace), qualname)
        return found

    def adopt(self, descriptors: Sequence[Descriptor]) -> list[type]:
        """Classes of descriptors that came with a value; names that are known here give the known class."""
        strangers = {
            found.qualname: found for found in descriptors if found.qualname not in self.namespace
        }
        for descriptor in strangers.values():
            rules.check(descriptor)
        with _building:
            builder = _Builder(self, {**strangers, **self.namespace})
            return [
                _built(builder, each.qualname)
                if each.qualname in strangers
                else self.shadow(each.qualname)
                for each in descriptors
            ]

    def remember(self, cls: type, descriptor: Descriptor, others: tuple[Descriptor, ...]) -> None:
        """Keep, on the class itself, what it was built from."""
        cls.__waymark_shadow__ = (descriptor, others)  # type: ignore[attr-defined]  # ours

    # --- the binding -------------------------------------------------------------------------

    def describe(self, cls: type) -> tuple[Descriptor, tuple[Descriptor, ...]] | None:
        """What a shadow class was built from; of a stand-in for an exception, its name and base."""
        if faults.is_stand_in(cls):
            bases = [faults.qualified(base) for base in cls.__bases__]
            return Descriptor(f"{cls.__module__}:{cls.__qualname__}", "exception", bases), ()
        found = vars(cls).get("__waymark_shadow__")
        return found if isinstance(found, tuple) else None

    def builders(self, refs: Sequence[TypeRef]) -> list[Build]:
        """A builder for each class, which builds or finds it when it is first used."""
        strangers = [ref.descriptor for ref in refs if ref.descriptor is not None]
        return [_LateBuilder(self, ref, refs, strangers) for ref in refs]

    def exception(self, parts: FaultParts, refs: Sequence[TypeRef]) -> BaseException:
        """The exception as an instance of its shadow, or of one of its nearest known base under its own name."""
        cls = self._known_exception(parts.qualname) or self._stranger(parts, refs)
        if cls is not None:
            try:
                return faults.rebuild(cls, parts)
            except TypeError:  # an exception group that came without its members
                pass
        return faults.rebuild(self._stand_in(parts), parts)

    def _known_exception(self, qualname: str) -> type[BaseException] | None:
        known = faults.well_known(qualname) or self.exceptions.get(qualname)
        if known is None and self.namespace.get(qualname) is not None:
            cls = self.shadow(qualname)
            return cls if issubclass(cls, BaseException) else None
        return known

    def _stranger(self, parts: FaultParts, refs: Sequence[TypeRef]) -> type[BaseException] | None:
        if not 0 <= parts.type < len(refs) or refs[parts.type].qualname != parts.qualname:
            return None
        descriptors = [ref.descriptor for ref in refs if ref.descriptor is not None]
        at = next(
            (index for index, each in enumerate(descriptors) if each.qualname == parts.qualname), -1
        )
        if at < 0:
            return None
        cls = self.adopt(descriptors)[at]
        return cls if issubclass(cls, BaseException) else None

    def _stand_in(self, parts: FaultParts) -> type[BaseException]:
        base = next(
            (cls for cls in map(self._known_exception, parts.bases) if cls is not None), Exception
        )
        if issubclass(base, BaseExceptionGroup) and not parts.exceptions:
            base = Exception
        return faults.stand_in(parts.qualname, (base,))


class _LateBuilder:
    __slots__ = ("_build", "_ref", "_refs", "_shadows", "_strangers")

    def __init__(
        self, shadows: Shadows, ref: TypeRef, refs: Sequence[TypeRef], strangers: list[Descriptor]
    ) -> None:
        self._shadows = shadows
        self._ref = ref
        self._refs = refs
        self._strangers = strangers
        self._build: Build | None = None

    def __call__(self, payload: Any) -> Any:
        if self._build is None:
            self._build = self._found()
        return self._build(payload)

    def _found(self) -> Build:
        name, kind = self._ref.qualname, self._ref.kind
        known = self._shadows.namespace.get(name)
        if known is not None:
            if known.kind != kind:
                msg = f"{name} came as a {kind}, but is a {known.kind} to this program"
                raise MalformedValue(msg)
            return partial(put_together, self._shadows.shadow(name), kind)
        for index, descriptor in enumerate(self._strangers):
            if descriptor.qualname == name and descriptor.kind == kind:
                return partial(put_together, self._shadows.adopt(self._strangers)[index], kind)
        return record_builder(self._ref, self._refs)


def _built(builder: _Builder, qualname: str) -> type:
    try:
        return builder.cls(qualname)
    except RecursionError:
        msg = f"the descriptor of {qualname!r:.200} cannot be used: it refers to too many others, one inside the other"
        raise DescriptorError(msg) from None


class _Builder:
    """Builds the classes of one namespace, those that they refer to first."""

    def __init__(self, shadows: Shadows, namespace: dict[str, Descriptor]) -> None:
        self._shadows = shadows
        self._namespace = namespace
        self._keys: dict[str, Any] = {}
        self._open: list[Descriptor] = []
        self._forward: dict[str, str] = {}
        self._unfinished: list[Any] = []
        self._made: dict[str, type] = {}

    def cls(self, qualname: str) -> type:
        made = self._made.get(qualname)
        if made is not None:
            return made
        descriptor = self._namespace.get(qualname)
        if descriptor is None:
            msg = f"class {qualname!r:.200} is referred to, but nothing describes it"
            raise DescriptorError(msg)
        key = self._key(qualname)
        made = self._shadows._classes.get(key)  # noqa: SLF001 - its own room
        if made is None:
            made = self._new(descriptor)
            self._shadows._classes[key] = made  # noqa: SLF001 - its own room
        self._made[qualname] = made
        return made

    def _key(self, qualname: str) -> tuple[Any, ...]:
        reached = {qualname: self._namespace[qualname]}
        queue = [self._namespace[qualname]]
        while queue:
            for name in mentioned(queue.pop()):
                if name not in reached and name in self._namespace:
                    reached[name] = self._namespace[name]
                    queue.append(reached[name])
        marks = tuple(sorted((name, digest(found)) for name, found in reached.items()))
        return (self._shadows.flavour, qualname, marks)

    def _new(self, descriptor: Descriptor) -> type:
        if len(self._open) >= _MAX_CHAIN:
            msg = f"the descriptor of {descriptor.qualname!r:.200} refers to others in a chain of more than {_MAX_CHAIN}"
            raise DescriptorError(msg)
        self._open.append(descriptor)
        try:
            made = shadow_classes.build(descriptor, self)
        finally:
            self._open.pop()
        others = tuple(
            self._namespace[name]
            for name, _ in self._key(descriptor.qualname)[2]
            if name != descriptor.qualname
        )
        self._shadows.remember(made, descriptor, others)
        self._made[descriptor.qualname] = made
        if descriptor.kind == "model":
            self._unfinished.append(made)
        if not self._open:
            self._finish()
        return made

    def _finish(self) -> None:
        """Complete models that refer to each other, now that all of them exist."""
        if self._forward:
            names: dict[str, Any] = {
                token: self._made[name] for name, token in self._forward.items()
            }
            for model in self._unfinished:
                model.model_rebuild(force=True, _types_namespace=names)
        self._forward = {}
        self._unfinished = []

    # --- surroundings of the class that is being built -------------------------------------------

    def base(self, qualname: str) -> type:
        known = faults.well_known(qualname) or self._shadows.exceptions.get(qualname)
        return known or self.cls(qualname)

    def hint(self, form: Annotation) -> Any:
        return from_grammar(form, self._resolve, self.read, self._shadows.containers)

    def _resolve(self, qualname: str) -> Any:
        known = faults.well_known(qualname) or self._shadows.exceptions.get(qualname)
        if known is not None:
            return known
        if qualname not in self._namespace:
            msg = f"{qualname!r:.200} is neither a name of the annotation grammar nor a class that is described"
            raise DescriptorError(msg)
        if not any(each.qualname == qualname for each in self._open):
            return self.cls(qualname)
        if self._namespace[qualname].kind != "model" or self._open[-1].kind != "model":
            return Any  # only models look into their annotations while they are made
        # Evaluated by pydantic in a namespace that holds nothing but these names of ours.
        return ForwardRef(self._forward.setdefault(qualname, f"_Shadow{len(self._forward)}"))

    def read(self, wire: bytes) -> Any:
        found = self._shadows._codec.decode(wire)  # noqa: SLF001 - its own room
        return sys.intern(found) if found.__class__ is str else found  # one object, as in a module

    def factory(self, name: str) -> Callable[[], Any]:
        return {"set": self._shadows.set_type, "frozenset": self._shadows.frozenset_type}.get(
            name, FACTORIES[name]
        )
