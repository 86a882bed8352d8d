"""A chart in; a picture that needs nothing but a browser, light or dark as its reader prefers, out."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from waymark_schema.charts.boxes import Label, Part, Piece, Shape, Wire
from waymark_schema.charts.layout import laid_out
from waymark_schema.charts.nodes import Chart
from waymark_schema.charts.text import as_text

MARGIN = 24.0
TITLE = 34.0
BETWEEN = 36.0
RADIUS = {"start": 15, "end": 15, "exit": 15, "loop": 15, "frame": 8, "bar": 2}
LIGHT = (
    "--paper:#fff;--ink:#1c2430;--dim:#5b6675;--line:#7a8594;--code:#f3f5f7;--action:#dbeafe;"
    "--actionline:#2563eb;--wait:#fef3c7;--waitline:#b45309;--helper:#ede9fe;--helperline:#6d28d9;"
    "--choiceline:#475569;--bad:#b91c1c;--good:#15803d"
)
DARK = (
    "--paper:#12161c;--ink:#e6eaf0;--dim:#9aa6b5;--line:#8592a3;--code:#1e252e;--action:#172b4d;"
    "--actionline:#6ea8fe;--wait:#3a2c0a;--waitline:#f0b429;--helper:#2b2148;--helperline:#b79cf7;"
    "--choiceline:#9aa6b5;--bad:#f87171;--good:#4ade80"
)
FACE = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'
RULES = {
    "text": f"font:13px {FACE};fill:var(--ink);white-space:pre",
    ".label": "font-size:11px;fill:var(--dim);paint-order:stroke;stroke:var(--paper);stroke-width:4px",
    ".heading": "font-size:15px;font-weight:600",
    "rect": "fill:var(--code);stroke:var(--line)",
    ".paper": "fill:var(--paper);stroke:none",
    ".action rect": "fill:var(--action);stroke:var(--actionline)",
    ".step.start rect": "fill:var(--action);stroke:var(--actionline);stroke-dasharray:3 3",
    ".sleep rect": "fill:var(--wait);stroke:var(--waitline)",
    ".event rect": "fill:var(--wait);stroke:var(--waitline)",
    ".helper rect": "fill:var(--helper);stroke:var(--helperline)",
    ".code rect": "stroke:none",
    ".code text": "fill:var(--dim)",
    ".choice rect": "fill:var(--paper);stroke:var(--choiceline);stroke-width:1.5",
    ".loop rect": "fill:var(--paper);stroke:var(--choiceline);stroke-width:1.5",
    ".frame rect": "fill:none;stroke-dasharray:5 4",
    ".bar rect": "fill:var(--choiceline);stroke:none",
    ".together rect": "fill:none;stroke:none",
    ".exit rect": "fill:var(--paper)",
    ".raise rect": "stroke:var(--bad)",
    ".return rect": "stroke:var(--good)",
    ".end rect": "fill:var(--paper);stroke:var(--good)",
    "path": "fill:none;stroke:var(--line);stroke-width:1.4;stroke-linejoin:round",
    "path.error": "stroke:var(--bad);stroke-dasharray:4 3",
    "path.broken": "stroke-dasharray:4 3",
    "path.head": "fill:var(--line);stroke:none",
}


def _style() -> str:
    """Rules that hold inside of charts only: a page may have several, and pictures of its own."""
    rules = "".join(f".waymark-chart {name}{{{rule}}}\n" for name, rule in RULES.items())
    dark = f"@media(prefers-color-scheme:dark){{.waymark-chart{{{DARK}}}}}"
    return f".waymark-chart{{{LIGHT}}}\n{dark}\n{rules}"


def as_svg(chart: Chart) -> str:
    """Every function below the other, ``run`` first."""
    drawings = [(function.name, laid_out(function)) for function in chart.functions]
    width = max([piece.width for _, piece in drawings] + [320.0]) + 2 * MARGIN
    body: list[str] = []
    y = MARGIN
    for name, piece in drawings:
        body.append(_text("heading", MARGIN, y + 14, name))
        y += TITLE
        body += _piece(piece, MARGIN, y)
        y += piece.height + BETWEEN
    height = y - BETWEEN + MARGIN
    name = escape(f"Workflow {chart.workflow}")
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(width)} {_number(height)}"'
                f' width="{_number(width)}" height="{_number(height)}" class="waymark-chart" role="img" aria-labelledby="chart-title chart-text">'
            ),
            f'<title id="chart-title">{name}</title>',
            f'<desc id="chart-text">{escape(as_text(chart))}</desc>',
            f"<style>{_style()}</style>",
            (
                '<defs><marker id="chart-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
                ' orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
            ),
            f'<rect class="paper" width="{_number(width)}" height="{_number(height)}"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _piece(piece: Piece, x: float, y: float) -> Iterator[str]:
    """Wires first: boxes lie on top of them."""
    for part in sorted(piece.parts, key=_layer):
        yield _part(part, x, y)


def _layer(part: Part) -> int:
    if isinstance(part, Shape):
        return 0 if part.kind.startswith("frame") else 2
    return 1 if isinstance(part, Wire) else 3


def _part(part: Part, x: float, y: float) -> str:
    match part:
        case Shape():
            return _shape(part, x, y)
        case Wire(points=points, arrow=arrow, kind=kind):
            way = "L".join(f"{_number(left + x)} {_number(top + y)}" for left, top in points)
            end = ' marker-end="url(#chart-arrow)"' if arrow else ""
            return f'<path class="{kind}" d="M{way}"{end}/>'
        case Label(text=text):
            return _text("label", part.x + x, part.y + y, text)


def _shape(shape: Shape, x: float, y: float) -> str:
    radius = next((size for word in shape.kind.split() if (size := RADIUS.get(word))), 6)
    left, top = shape.x + x, shape.y + y
    name = f' id="{escape(shape.id)}"' if shape.id else ""
    title = f"<title>{escape(shape.title)}</title>" if shape.title else ""
    box = (
        f'<rect x="{_number(left)}" y="{_number(top)}" width="{_number(shape.width)}"'
        f' height="{_number(shape.height)}" rx="{radius}"/>'
    )
    text = ""
    if shape.text:
        middle = left + shape.width / 2
        text = (
            f'<text x="{_number(middle)}" y="{_number(top + shape.height / 2 + 4.5)}"'
            f' text-anchor="middle">{_characters(shape.text)}</text>'
        )
    return f'<g class="{shape.kind}"{name}>{title}{box}{text}</g>'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{_number(x)}" y="{_number(y)}">{_characters(text)}</text>'


def _characters(text: str) -> str:
    """Text for XML, which has no control characters and no halves of characters."""
    kept = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return escape(kept, quote=False)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
