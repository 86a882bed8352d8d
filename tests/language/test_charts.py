"""Everything that compiles can be drawn: each case of the language, as text and as a picture."""

import itertools
import xml.etree.ElementTree as ET
from types import ModuleType

import pytest

from tests.language import cases
from tests.language.discovery import modules, workflows
from tests.unit.charts.test_charts import charted
from waymark_schema.charts.boxes import Shape
from waymark_schema.charts.layout import laid_out
from waymark_schema.charts.nodes import FunctionChart
from waymark_schema.charts.svg import as_svg
from waymark_schema.charts.text import as_text


@pytest.mark.parametrize(
    "module", modules(cases), ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_every_case_can_be_drawn_without_overlaps(module: ModuleType) -> None:
    for workflow in workflows(module):
        chart = charted(workflow)
        assert as_text(chart)
        ET.fromstring(as_svg(chart))
        for function in chart.functions:
            assert _overlaps(function) == [], workflow


def _overlaps(function: FunctionChart) -> list[tuple[Shape, Shape]]:
    boxes = [
        part
        for part in laid_out(function).parts
        if isinstance(part, Shape) and not part.kind.startswith(("frame", "bar"))
    ]
    boxes.sort(key=lambda box: box.y)
    return [
        (one, other)
        for one, other in itertools.combinations(boxes, 2)
        if other.y < one.y + one.height
        and one.x < other.x + other.width
        and other.x < one.x + one.width
    ]
