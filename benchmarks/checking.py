"""``python -m benchmarks.checking``: how long `waymark check` takes once a module is imported, as one line of figures.

Nothing is asserted: processor time of one machine, the median of some rounds.
"""

import argparse
import importlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from waymark.checks.inspection import inspect_modules
from waymark.compiler.pipeline import examine
from waymark.compiler.source import SourceReader

HEAD = """\
import asyncio
from waymark import Workflow, action, workflow


@action
async def act(x: int = 0) -> int:
    return x
"""
BODY = """\
        total = 0
        for n in range(count):
            if n % 2:
                total += await act(n)
            else:
                try:
                    total -= await act(n + 1)
                except ValueError as error:
                    print(f"{user}: {error!r}")
                finally:
                    total += 1
        parts = await asyncio.gather(*[act(k) for k in range(10)], act(3))
        await asyncio.sleep(3)
        names = {str(p): [q for q in range(p) if q % 3] for p in parts}
        total += sum(parts) + len(names)
"""
LINES = BODY.count("\n")


def module(prefix: str, workflows: int, lines: int) -> str:
    """A module of workflows whose bodies have about so many lines."""
    body = BODY * max(1, lines // LINES)
    classes = (
        f"\n\n@workflow\nclass {prefix}{number}(Workflow):\n"
        f"    async def run(self, user: str, count: int) -> int:\n{body}        return total\n"
        for number in range(workflows)
    )
    return HEAD + "".join(classes)


def seconds(folder: Path, name: str, *, workflows: int, lines: int, rounds: int) -> float:
    """Median processor time to examine every workflow of a module that is imported already."""
    (folder / f"{name}.py").write_text(module("Flow", workflows, lines))
    importlib.import_module(name)
    took = []
    for _ in range(rounds):
        began = time.process_time()
        report = inspect_modules([name])
        took.append(time.process_time() - began)
        assert (len(report.workflows), len(report.findings)) == (workflows, 0)
    return statistics.median(took)


def compile_seconds(name: str, rounds: int) -> float:
    """Median processor time to compile the first workflow of a module."""
    workflow = importlib.import_module(name).Long0
    took = []
    for _ in range(rounds):
        began = time.process_time()
        assert not examine(workflow, SourceReader()).diagnostics
        took.append(time.process_time() - began)
    return statistics.median(took)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checking", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is run (default 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        sys.path.insert(0, directory)
        figures = {
            "check of 50 workflows (processor s)": seconds(
                folder, "fifty", workflows=50, lines=LINES, rounds=rounds
            ),
        }
        (folder / "long.py").write_text(module("Long", 1, 1_000))
        importlib.invalidate_caches()
        figures["compile of a workflow of 1,000 lines (processor s)"] = compile_seconds(
            "long", rounds
        )
    print(json.dumps({name: round(figure, 3) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()
