"""Values without their classes: the binding of processes that only look at values, and the records it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from waymark_schema.values.binding import Build, TypeRef
from waymark_schema.values.descriptors import Descriptor
from waymark_schema.values.errors import MalformedValue
from waymark_schema.values.faults import FaultParts, nearest_builtin, rebuild, stand_in, well_known
from waymark_schema.values.naming import plain_name
from waymark_schema.values.shown import shown


class Record:
    """An instance of a class that is not at hand: what it is, and its parts.

    ``fields`` of a model, dataclass or named tuple are its attributes here too; a member of an enum has
    the fields ``name`` and ``value``.
    """

    __slots__ = ("_payload", "_ref", "_refs")

    def __init__(self, ref: TypeRef, payload: Any, refs: Sequence[TypeRef] = ()) -> None:
        self._ref = ref
        self._payload = payload
        self._refs = refs

    @property
    def reference(self) -> TypeRef:
        """Name, kind and digest of the class, and its descriptor if it came along."""
        return self._ref

    @property
    def references(self) -> Sequence[TypeRef]:
        """The classes that came with it in one value, which its own may refer to."""
        return self._refs

    @property
    def payload(self) -> Any:
        """The parts as ``objects.put_together`` takes them."""
        return self._payload

    @property
    def fields(self) -> dict[str, Any]:
        """The parts by name."""
        payload = self._payload
        if self._ref.kind == "enum":
            return {"name": payload[0], "value": payload[1]}
        return payload[0] if isinstance(payload, list) else payload  # type: ignore[no-any-return]  # checked when made

    @property
    def class_name(self) -> str:
        """The class's name without its module."""
        return plain_name(self._ref.qualname)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            msg = f"{self.class_name!r} has no field {name!r}; it has {', '.join(self.fields)}"
            raise AttributeError(msg) from None

    def __repr__(self) -> str:
        if self._ref.kind == "enum":
            return f"<{self.class_name}.{self._payload[0]}: {self._payload[1]!r}>"
        return f"{self.class_name}({', '.join(f'{name}={value!r}' for name, value in self.fields.items())})"


class SetItems(tuple[Any, ...]):
    """Items of a set, in the order they were added."""

    __slots__ = ()


class FrozenSetItems(tuple[Any, ...]):
    """Items of a frozenset, in their order."""

    __slots__ = ()


class RecordBinding:
    """Builds ``Record`` for every class, and exceptions under their own name on the nearest builtin base."""

    set_type: type = SetItems
    frozenset_type: type = FrozenSetItems

    def describe(self, cls: type) -> tuple[Descriptor, tuple[Descriptor, ...]] | None:
        """No class is durable here: only records are written again."""
        return None

    def builders(self, refs: Sequence[TypeRef]) -> list[Build]:
        """One maker of records for each reference."""
        return [record_builder(ref, refs) for ref in refs]

    def exception(self, parts: FaultParts, refs: Sequence[TypeRef]) -> Any:
        """An exception that is called as the original one and remembers its bases."""
        cls = well_known(parts.qualname)
        if cls is not None:
            try:
                return rebuild(cls, parts)
            except TypeError:  # an exception group that came without its members
                pass
        return rebuild(stand_in(parts.qualname, (nearest_builtin(parts),)), parts)


def record_builder(ref: TypeRef, refs: Sequence[TypeRef]) -> Build:
    """A builder that makes a ``Record`` of a payload that has the right shape."""

    def build(payload: Any) -> Record:
        if not _fits(ref.kind, payload):
            msg = f"parts of {ref.qualname} ({ref.kind}) are {shown(payload)}, which no {ref.kind} has"
            raise MalformedValue(msg)
        return Record(ref, payload, refs)

    return build


def _fits(kind: str, payload: Any) -> bool:
    match kind, payload:
        case "enum", [_, _]:
            return True
        case "model", [dict() as fields] | [dict() as fields, dict()]:
            return all(isinstance(name, str) for name in fields)
        case "dataclass" | "namedtuple", dict():
            return all(isinstance(name, str) for name in payload)
        case _:
            return False
