"""One instruction and what is known of its function come in; the place where its closure is made goes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from waymark_worker.vm.linked import Step

if TYPE_CHECKING:
    from waymark_worker.vm.linked import LinkedBlock, LinkedFunction, LinkedProgram


class Place:
    """Where a closure will stand: its program, function and block; constants by the slot that holds them."""

    __slots__ = ("block", "constants", "function", "linked")

    def __init__(
        self,
        linked: LinkedProgram,
        function: LinkedFunction,
        block: LinkedBlock,
        constants: dict[int, Any],
    ) -> None:
        self.linked = linked
        self.function = function
        self.block = block
        self.constants = constants

    def target(self, number: int) -> LinkedBlock:
        """Block ``number`` of the same function."""
        return self.function.blocks[number]


Maker = Callable[[Any, Place], Step]
MAKERS: Final[dict[type, Maker]] = {}
"""How each kind of instruction and terminator becomes a closure."""


def makes(kind: type) -> Callable[[Maker], Maker]:
    """Register the decorated function as the maker of ``kind``."""

    def keep(maker: Maker) -> Maker:
        MAKERS[kind] = maker
        return maker

    return keep
