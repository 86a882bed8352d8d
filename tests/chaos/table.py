"""Rounds in; the table of faults, what was lost, what was committed twice, the worst pause and recoveries, out."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chaos.checks import BROKEN, LOST, TWICE, Finding

BEHIND = "behind PgBouncer"


@dataclass(slots=True)
class Round:
    """What became of one round."""

    number: int
    seed: str
    faults: tuple[str, ...]
    strikes: dict[str, int | None] = field(default_factory=dict)
    """How often each fault did harm; None where nobody can tell."""
    workflows: int = 0
    steps: int = 0
    seconds: float = 0.0
    worst_pause: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    evidence: str = ""
    """Folder that was kept, when something was found."""
    pooler: bool = False
    """Whether its pools ran behind PgBouncer."""

    @property
    def label(self) -> str:
        names = "+".join(self.faults) or "none"
        return f"{names} {BEHIND}" if self.pooler else names

    def count(self, kind: str) -> int:
        """How many runs a kind of finding names; those about none count each."""
        named = {finding.run for finding in self.findings if finding.kind == kind and finding.run}
        return len(named) + sum(1 for each in self.findings if each.kind == kind and not each.run)

    @property
    def good(self) -> bool:
        return not self.findings


HEADER = (
    "fault",
    "rounds",
    "strikes",
    "workflows",
    "steps",
    "lost",
    "committed twice",
    "broken",
    "worst pause",
)
COMBINED = "combined"
UNCOUNTED = "–"  # noqa: RUF001 - as in any table


def rows(rounds: Iterable[Round], titles: dict[str, str]) -> list[tuple[str, ...]]:
    """One row for each fault alone, one for all combinations, one for all behind a pooler, one for the whole."""
    grouped: dict[str, list[Round]] = defaultdict(list)
    for each in rounds:
        alone = each.label if len(each.faults) < 2 else COMBINED
        grouped[BEHIND if each.pooler else alone].append(each)
    names = sorted(grouped, key=lambda name: (name == BEHIND, name == COMBINED, len(name), name))
    table = [_row(f"{name} {titles.get(name, '')}".strip(), grouped[name]) for name in names]
    everything = [each for name in names for each in grouped[name]]
    return [*table, _row("all", everything)]


def _row(name: str, rounds: list[Round]) -> tuple[str, ...]:
    return (
        name,
        f"{len(rounds):,}",
        struck(rounds),
        f"{sum(each.workflows for each in rounds):,}",
        f"{sum(each.steps for each in rounds):,}",
        *(f"{sum(each.count(kind) for each in rounds):,}" for kind in (LOST, TWICE, BROKEN)),
        f"{max((each.worst_pause for each in rounds), default=0.0):.1f} s",
    )


def struck(rounds: Iterable[Round]) -> str:
    """How often faults did harm in rounds, as far as that can be counted."""
    counts = [count for each in rounds for count in each.strikes.values() if count is not None]
    return f"{sum(counts):,}" if counts else UNCOUNTED


def figures(rounds: Iterable[Round]) -> list[tuple[str, ...]]:
    """Recovery times: how many were seen, the median, the 95th percentile and the longest.

    Those of combined rounds stand by themselves: there, other faults take their time, too. So do those behind a
    pooler, where a dead pool is known by its lease only.
    """
    seen: dict[str, list[float]] = defaultdict(list)
    for each in rounds:
        behind = f", {BEHIND}" if each.pooler else ""
        beside = ", in combined rounds" if len(each.faults) > 1 else ""
        for name, values in each.figures.items():
            seen[f"{name}{behind}{beside}"] += values
    return [
        (name, f"{len(values):,}", *(f"{value:.2f} s" for value in _spread(values)))
        for name, values in sorted(seen.items())
    ]


def _spread(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    at = min(len(ordered) - 1, int(len(ordered) * 0.95))
    return statistics.median(ordered), ordered[at], ordered[-1]


def markdown(rounds: list[Round], titles: dict[str, str]) -> str:
    """Both tables as they stand on a page."""
    parts = [_markdown(HEADER, rows(rounds, titles))]
    if measured := figures(rounds):
        parts.append(_markdown(("recovery", "seen", "median", "95 %", "longest"), measured))
    return "\n\n".join(parts) + "\n"


def _markdown(header: tuple[str, ...], body: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" if place == 0 else "---:" for place in range(len(header))), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(rounds: list[Round], titles: dict[str, str]) -> str:
    """Both tables for a terminal."""
    parts = [_text([HEADER, *rows(rounds, titles)])]
    if measured := figures(rounds):
        parts.append(_text([("recovery", "seen", "median", "95 %", "longest"), *measured]))
    return "\n\n".join(parts)


def _text(lines: list[tuple[str, ...]]) -> str:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_data(rounds: list[Round]) -> list[dict[str, Any]]:
    """Everything of every round, for JSON."""
    return [{**asdict(each), "label": each.label} for each in rounds]
