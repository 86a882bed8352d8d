"""What a program does is drawn as its author wrote it; the texts are kept beside the cases.

``WAYMARK_UPDATE_GOLDEN=1 pytest tests/unit/charts/test_charts.py`` writes them anew.
"""

import itertools
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.language.discovery import workflows
from tests.support.compiling import compiled as compiled_text
from tests.unit.charts.cases import shapes
from waymark import Workflow
from waymark.compiler.pipeline import Compiled, compile_workflow
from waymark_schema.charts.boxes import Piece, Shape, Wire
from waymark_schema.charts.layout import laid_out
from waymark_schema.charts.nodes import (
    Arm,
    Chart,
    Choice,
    Guarded,
    Loop,
    Node,
    Scope,
    Step,
    Together,
    as_json,
)
from waymark_schema.charts.reading import chart
from waymark_schema.charts.svg import as_svg
from waymark_schema.charts.text import as_text

FILE = Path(str(shapes.__file__))
KEPT = FILE.with_suffix(".txt")
WORKFLOWS = workflows(shapes)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(compiled: Compiled) -> Chart:
    source = {compiled.spans.filename: compiled.source}
    return chart(compiled.program, compiled.spans, source, digest=compiled.digest.hex())


def charted(workflow: type[Workflow]) -> Chart:
    return drawn(compile_workflow(workflow))


def nodes(body: list[Node]) -> Iterator[Node]:
    for node in body:
        yield node
        match node:
            case Choice(arms=arms) | Together(arms=arms):
                yield from _of_arms(arms)
            case Loop():
                yield from nodes([*node.body, *node.otherwise])
            case Scope():
                yield from nodes(node.body)
            case Guarded():
                yield from nodes([*node.body, *node.otherwise, *node.at_last])
                yield from _of_arms(node.handlers)
            case _:
                continue


def _of_arms(arms: list[Arm]) -> Iterator[Node]:
    for arm in arms:
        yield from nodes(arm.body)


def test_texts_are_the_kept_ones() -> None:
    text = "\n\n\n".join(as_text(charted(workflow)) for workflow in WORKFLOWS) + "\n"
    if os.environ.get("WAYMARK_UPDATE_GOLDEN"):
        KEPT.write_text(text)
    assert text == KEPT.read_text()


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_every_await_of_the_program_is_a_step_with_its_block(workflow: type[Workflow]) -> None:
    program = compile_workflow(workflow).program
    steps = [
        (function.number, node.block)
        for function in charted(workflow).functions
        for node in nodes(function.body)
        if isinstance(node, Step) and node.block >= 0
    ]
    gathers = {
        (function.number, node.place)
        for function in charted(workflow).functions
        for node in nodes(function.body)
        if isinstance(node, Together)
    }
    waits = [
        (number, at)
        for number, function in enumerate(program.functions)
        for at, block in enumerate(function.blocks)
        if type(block.terminator).__name__ == "Await"
    ]
    assert len(steps) == len(set(steps))
    assert set(steps) <= set(waits)
    assert len(waits) == len(steps) + len(gathers)


def test_steps_know_their_actions_and_helpers() -> None:
    (run, helper) = charted(shapes.Gathering).functions
    found = {node.label: node for node in nodes(run.body) if isinstance(node, Step)}
    assert found["charge(3)"].action == f"{shapes.__name__}:charge"
    assert found["helper(2)"].function == helper.number
    assert found["sleep 3"].kind == "sleep"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_ids_are_unique_and_json_keeps_everything(workflow: type[Workflow]) -> None:
    made = charted(workflow)
    ids = [node.id for function in made.functions for node in nodes(function.body)]
    assert len(ids) == len(set(ids))
    assert msgspec.json.decode(as_json(made), type=Chart) == made


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_boxes_of_a_picture_never_overlap_and_nothing_lies_outside(
    workflow: type[Workflow],
) -> None:
    for function in charted(workflow).functions:
        piece = laid_out(function)
        boxes = [
            part
            for part in piece.parts
            if isinstance(part, Shape) and not part.kind.startswith(("frame", "bar"))
        ]
        for one, other in itertools.combinations(boxes, 2):
            apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
            apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert apart_x or apart_y, (one, other)
        for x, y in _points(piece):
            assert -0.5 <= x <= piece.width + 0.5
            assert -4 <= y <= piece.height + 0.5


def _points(piece: Piece) -> Iterator[tuple[float, float]]:
    for part in piece.parts:
        if isinstance(part, Wire):
            yield from part.points
        elif isinstance(part, Shape):
            yield part.x, part.y
            yield part.x + part.width, part.y + part.height


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_picture_is_well_formed_and_tells_what_it_shows(workflow: type[Workflow]) -> None:
    made = charted(workflow)
    root = ET.fromstring(as_svg(made))
    named = (root.get("aria-labelledby") or "").split()
    texts = {element.get("id"): element.text for element in root}
    assert root.get("role") == "img"
    assert [texts[name] for name in named] == [f"Workflow {made.workflow}", as_text(made)]
    assert "prefers-color-scheme:dark" in (root.findtext(f"{SVG}style") or "")
    ids = {element.get("id") for element in root.iter(f"{SVG}g")}
    steps = {n.id for f in made.functions for n in nodes(f.body) if isinstance(n, Step)}
    assert steps <= ids


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    made = drawn(
        compiled_text(tmp_path, "return await act('<script>&\\x07\\ud800</g>' + '日本語' * 3)")
    )
    picture = as_svg(made)
    assert "<script" not in picture
    assert not re.search(r"[\x00-\x08\ud800-\udfff]", picture)
    ET.fromstring(picture)


def test_deep_nesting_is_drawn(tmp_path: Path) -> None:
    lines = [f"{'    ' * depth}if act:" for depth in range(18)]
    made = drawn(compiled_text(tmp_path, "\n".join([*lines, f"{'    ' * 18}await act(1)"])))
    ET.fromstring(as_svg(made))


def test_the_same_program_gives_the_same_picture() -> None:
    assert as_svg(charted(shapes.Looping)) == as_svg(charted(shapes.Looping))
