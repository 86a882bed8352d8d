"""Instructions of ``except*`` and of bare ``raise`` come in; closures that split, merge and find exceptions go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waymark_schema.ir import instructions as ir
from waymark_worker.vm.calls import call
from waymark_worker.vm.exception_groups import CALL, matched, merged
from waymark_worker.vm.linked import Step
from waymark_worker.vm.steps import Place, makes
from waymark_worker.vm.unwinding import handled

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Slots = list[Any]


@makes(ir.SplitGroup)
def _split(node: ir.SplitGroup, place: Place) -> Step:
    dst, rest, exc, pattern = node.dst, node.rest, node.exc, node.pattern

    def split(s: Slots, m: Machine) -> None:
        s[dst], s[rest] = matched(s[exc], s[pattern])

    return split


@makes(ir.MergeGroups)
def _merge(node: ir.MergeGroups, place: Place) -> Step:
    dst, exc, raised = node.dst, node.exc, node.raised

    def merge(s: Slots, m: Machine) -> None:
        s[dst] = merged(s[exc], s[raised])

    return merge


@makes(ir.Handled)
def _handled(node: ir.Handled, place: Place) -> Step:
    dst, block = node.dst, place.block

    def handled_(s: Slots, m: Machine) -> None:
        m.frame.at = block  # type: ignore[union-attr] # an instruction runs in a compiled frame
        s[dst] = handled(m.frame)

    return handled_


CALL.append(call)
