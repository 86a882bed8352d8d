"""Language cases come in; programs, journals and snapshots as a release wrote them go out, and back in.

Before ``FORMAT`` or ``SEMANTICS`` is raised, record with the code as it was, once per Python::

    python -m tests.support.history tests/fixtures/history
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.language import cases
from tests.language.discovery import Case
from tests.language.discovery import cases as all_cases
from tests.support.replaying import PLAIN, Runner
from waymark_schema.ir.program import FORMAT
from waymark_worker.vm.effects import Effect
from waymark_worker.vm.entries import Entry
from waymark_worker.vm.machine import Machine

HISTORY = Path(__file__).parents[1] / "fixtures" / "history"
CHOSEN = (
    "assignment-AugmentedSubscript assignment-DeleteThings assignment-AliasingThroughContainers assignment-Walrus "
    "assignment-StarredUnpack comprehensions-AllKinds comprehensions-WithAwait comprehensions-GeneratorAcrossAwait "
    "comprehensions-WalrusLeaks concurrency-FanOut concurrency-GatherMixture concurrency-GatherFails "
    "concurrency-LeftOverIsCancelled concurrency-SleepBetweenSteps concurrency-CallsStoredAndAwaitedLater "
    "concurrency-NestedGather concurrency-FinallyInTask errors-RaiseOwnUncaught errors-CauseChain "
    "errors-FinallyOverrides errors-NestedFinally errors-RetriesExhausted errors-ReturnsException errors-ElseClause "
    "expressions-ChainedComparison expressions-Formats expressions-AwaitAnywhere expressions-BigIntegers "
    "expressions-EvaluationOrder flow-ForElse flow-AwaitWhileIterating flow-DeeplyNested flow-ListGrowsWhileIterating "
    "functions-SuperAsync functions-HelperWithFinally functions-CapturedConstants functions-MutualRecursion "
    "library-Dates library-Decimals library-Collections library-Printing lowering-LoweringLambdasShareCells "
    "members-GeneratorAsValue members-Validators objects-ModelMethods objects-NestedObjects objects-MixedEnums "
    "objects-DataclassThroughAction recovery-ViewsStayLive recovery-PendingFinally recovery-ClosuresSeeRebinding "
    "recovery-ManyTasksAtDifferentPlaces recovery-ErrorKeptAcrossSteps recovery-ContainersOfEveryKind"
).split()
MOST_SNAPSHOTS = 4

_entries = msgspec.msgpack.Decoder(list[Entry | None])
_effects = msgspec.msgpack.Decoder(list[list[Effect]])


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """One run as it was journaled: what went in, what the machine asked for, where it stood."""

    case: str
    minor: int
    program: bytes
    digest: bytes
    inputs: bytes
    attributes: bytes
    entries: list[Entry | None]
    effects: list[list[Effect]]
    """One list for each entry."""
    snapshots: dict[int, bytes]
    """How many entries had been applied → state of the machine then."""


class _Recorder(Runner):
    """Runs a case and keeps everything that a database would have of it."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.workflow, case.keywords, mode=PLAIN)
        self.steps: list[list[Effect]] = []
        self.snapshots: dict[int, bytes] = {}

    def _take(self, effects: list[Effect]) -> None:
        self.steps.append(list(effects))
        super()._take(effects)

    def _recovered(self, machine: Machine) -> Machine:
        if machine.idle:
            self.snapshots[len(self.entries)] = machine.snapshot()
        return super()._recovered(machine)


def chosen_cases() -> list[Case]:
    """The first input of every chosen workflow."""
    by_name = {case.name: case for case in all_cases(cases)}
    return [by_name[f"{name}-0"] for name in CHOSEN]


def record(folder: Path) -> None:
    """Write what this code, on this Python, makes of the chosen cases."""
    target = folder / f"format-{FORMAT}"
    target.mkdir(parents=True, exist_ok=True)
    programs: dict[str, str] = {}
    runs = []
    for case in chosen_cases():
        recorder = _Recorder(case)
        recorder.run()
        report = recorder.request.program
        programs[report.digest.hex()] = _text(report.program)
        runs.append(
            {
                "case": case.name,
                "digest": report.digest.hex(),
                "inputs": _text(recorder.request.inputs),
                "attributes": _text(recorder.request.attributes),
                "entries": _text(msgspec.msgpack.encode(recorder.entries)),
                "effects": _text(msgspec.msgpack.encode(recorder.steps)),
                "snapshots": {str(at): _text(kept) for at, kept in _spread(recorder.snapshots)},
            }
        )
    _write(target / "programs.json", programs)
    _write(target / f"python-3.{sys.version_info[1]}.json", runs)


def recorded_runs(number: int) -> list[RecordedRun]:
    """Every run of ``format-<number>`` that this Python recorded."""
    folder = HISTORY / f"format-{number}"
    programs = json.loads((folder / "programs.json").read_text())
    runs = json.loads((folder / f"python-3.{sys.version_info[1]}.json").read_text())
    return [_run(run, programs) for run in runs]


def _run(run: dict[str, Any], programs: dict[str, str]) -> RecordedRun:
    return RecordedRun(
        run["case"],
        sys.version_info[1],
        _bytes(programs[run["digest"]]),
        bytes.fromhex(run["digest"]),
        _bytes(run["inputs"]),
        _bytes(run["attributes"]),
        _entries.decode(_bytes(run["entries"])),
        _effects.decode(_bytes(run["effects"])),
        {int(at): _bytes(kept) for at, kept in run["snapshots"].items()},
    )


def _spread(snapshots: dict[int, bytes]) -> list[tuple[int, bytes]]:
    """A few, evenly over the run, the first and the last among them."""
    found = list(snapshots.items())
    if len(found) <= MOST_SNAPSHOTS:
        return found
    return [
        found[index * (len(found) - 1) // (MOST_SNAPSHOTS - 1)] for index in range(MOST_SNAPSHOTS)
    ]


def _text(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _bytes(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]))
