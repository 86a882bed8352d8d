"""Places that an exception passed come in; the text that tells a person where it was raised goes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from waymark_schema.values import faults
from waymark_schema.values.faults import MARK, Remains

if TYPE_CHECKING:
    from waymark_schema.ir.program import Spans
    from waymark_worker.vm.linked import LinkedBlock, LinkedProgram
    from waymark_worker.vm.state import Frame

_KEPT = 64
"""Exceptions whose way is kept within one advance."""
_SHOWN = 50
"""Places that are shown of one exception."""


class Trails:
    """Where the exceptions of one advance came by, innermost first. Beside the state: nothing depends on it."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: dict[int, tuple[BaseException, list[tuple[LinkedBlock, int]]]] = {}

    def raised(self, error: BaseException, block: LinkedBlock, index: int) -> None:
        """Note the instruction that raised ``error``."""
        if len(self._places) >= _KEPT:
            self._places.clear()
        self._places.setdefault(id(error), (error, []))[1].append((block, index))

    def passed(self, error: BaseException, frame: Frame) -> None:
        """Note a frame that ``error`` reached from what it had called or awaited."""
        held = self._places.get(id(error))
        # Whoever waits in front of the rest of a block waits in the instruction before that.
        index = -1 if frame.at.start else len(frame.at.code) - 1
        if held is None:
            self.raised(error, frame.at, index)
        elif len(held[1]) < _SHOWN:
            held[1].append((frame.at, index))

    def forget(self) -> None:
        """Begin another advance."""
        self._places.clear()

    def tell(self, linked: LinkedProgram, error: BaseException) -> None:
        """Hang the text of a traceback on ``error``, behind the one it came with from a worker."""
        held = self._places.get(id(error))
        if held is None:
            return
        past = faults.remains(error)
        lines = ["Traceback of the workflow (most recent call last):"]
        lines += [_line(linked, block, index) for block, index in reversed(held[1])]
        name = type(error).__qualname__
        message = _said(linked, error, "__str__", faults.message)
        lines.append(f"{name}: {message}" if message else name)
        told = "\n".join(lines) + "\n"
        if past is not None and past.traceback:
            told = f"{past.traceback.rstrip()}\n\n{told}"
        error.__dict__[MARK] = Remains(
            past.qualname if past else faults.qualified(type(error)),
            message,
            _said(linked, error, "__repr__", faults.text),
            told[-faults.TEXT_LIMIT :],
            past.bases if past else tuple(faults.base_names(type(error))),
        )


def _said(
    linked: LinkedProgram, error: BaseException, name: str, ask: Callable[[BaseException], str]
) -> str:
    """A text of ``error``; where that needs code that is missing, what it said where it was raised."""
    told = faults.TOLD[name](error) if (type(error), name) in linked.uncompiled else None
    return ask(error) if told is None else told


def _line(linked: LinkedProgram, block: LinkedBlock, index: int) -> str:
    function = block.function
    spans = linked.spans
    if spans is None:
        return f"  in {function.qualname}, block {block.index}"
    where = _span(spans, function.number, block.index, block.start + index)
    file = (
        spans.files[function.number] or spans.filename
        if function.number < len(spans.files)
        else spans.filename
    )
    return f'  File "{file}", line {where}, in {function.qualname}'


def _span(spans: Spans, function: int, block: int, index: int) -> int:
    try:
        return spans.spans[function][block][index].line
    except IndexError:
        return 0
