"""A class that is written for the first time in, how its instances are written from then on out."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from waymark_schema.values import scalars
from waymark_schema.values.binding import TypeBinding, TypeRef
from waymark_schema.values.descriptors import Descriptor, digest

_encode = msgspec.msgpack.Encoder().encode


class Ref(NamedTuple):
    """A type reference, written once."""

    digest: bytes
    written: msgspec.Raw


class Plan(NamedTuple):
    """How instances of one user class are written."""

    descriptor: Descriptor
    ref: Ref
    others: tuple[Ref, ...]


class Settings:
    """What all encodings of one codec share, the plans of the classes seen so far among it."""

    __slots__ = (
        "binding",
        "containers",
        "default_names",
        "known",
        "max_bytes",
        "max_depth",
        "plans",
        "sorted_sets",
    )

    def __init__(
        self,
        binding: TypeBinding,
        *,
        known: frozenset[bytes],
        max_bytes: int,
        max_depth: int,
        sorted_sets: bool,
    ) -> None:
        self.binding = binding
        self.sorted_sets = sorted_sets
        self.known = known
        self.max_bytes = max_bytes
        self.max_depth = max_depth
        self.plans: dict[type, Plan | None] = {}
        self.containers = {
            **scalars.CONTAINERS,
            binding.set_type: (scalars.SET, list),
            binding.frozenset_type: (scalars.FROZENSET, list),
        }
        self.default_names = scalars.default_names(binding.set_type, binding.frozenset_type)

    def plan(self, kind: type) -> Plan | None:
        """The plan of a user class, or None if its instances cannot be kept."""
        if kind in self.plans:
            return self.plans[kind]
        described = self.binding.describe(kind)
        plan = None if described is None else self._planned(*described)
        self.plans[kind] = plan
        return plan

    def _planned(self, descriptor: Descriptor, others: tuple[Descriptor, ...]) -> Plan:
        ref = self._ref(descriptor)
        return Plan(
            descriptor, ref, () if ref.digest in self.known else tuple(map(self._ref, others))
        )

    def _ref(self, descriptor: Descriptor) -> Ref:
        mark = digest(descriptor)
        return written(
            TypeRef(
                descriptor.qualname,
                mark,
                descriptor.kind,
                None if mark in self.known else descriptor,
            )
        )


def written(ref: TypeRef) -> Ref:
    """A reference as it stands in envelopes."""
    return Ref(ref.digest, msgspec.Raw(_encode(ref)))
