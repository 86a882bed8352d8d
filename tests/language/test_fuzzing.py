"""Random workflows over the whole language show what CPython shows; each that once did not is a case of its own.

``nox -s fuzz`` runs 20,000 programs and prints its seed; the sessions of CI run a few hundred.
"""

import os
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.fuzzing import miscompiles, running
from tests.support.fuzzing.grammar import HEAD, KINDS
from tests.support.fuzzing.miscompiles import Miscompile, Plant
from tests.support.fuzzing.running import (
    NAME,
    Difference,
    Histogram,
    TookTooLong,
    collecting_rarely,
    difference,
)
from tests.support.fuzzing.writer import random_workflow
from tests.support.observing import Observation
from tests.support.replaying import MODES, PLAIN

PROGRAMS = int(os.environ.get("WAYMARK_FUZZ_PROGRAMS", "200"))
SEED = int(os.environ.get("WAYMARK_FUZZ_SEED", "20261124"))
SHARDS = 4
MANY = 1000
# A random program drops generators that raise as they close; CPython tells its host, not the program.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
FIND_WITHIN = 5_000


def said(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Show it whatever becomes of the test; sessions of many programs keep it in a file, too."""
    with capsys.disabled():
        sys.stdout.write(f"\nfuzz: {text}\n")
    kept = os.environ.get("WAYMARK_FUZZ_REPORT")
    if kept:
        with Path(kept).open("a") as report:
            report.write(text + "\n")


def test_the_grammar_writes_every_node_that_the_compiler_accepts() -> None:
    histogram = Histogram()
    for number in range(300):
        histogram.add(random_workflow(Random(number), name=NAME), "written")
    assert histogram.missing() == set()


def test_the_grammar_writes_every_function_of_the_library_that_it_has() -> None:
    named = {each.node for kind in KINDS.values() for each in kind if "." in each.node}
    text = "".join(random_workflow(Random(number), name=NAME)[len(HEAD) :] for number in range(300))
    assert {name for name in named if f"{name}(" not in text} == set()


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason="the machine's wait_for and timeout are those of 3.12"
)
@pytest.mark.timeout(0 if PROGRAMS > MANY else 300)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_random_programs_show_what_cpython_shows(
    shard: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    histogram = Histogram()
    differences: list[Difference] = []

    @seed(SEED + shard)
    @settings(
        max_examples=PROGRAMS // SHARDS,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # shrinking would take longer than reading
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False), st.sampled_from(MODES), st.sampled_from((None, 1, 2)))
    def each(random: Random, mode: str, order: int | None) -> None:
        text = random_workflow(random, name=NAME)
        found = difference(tmp_path, text, modes=(mode,), seed=order, histogram=histogram)
        if found is not None:  # the session goes on: what is rare is found behind what is frequent
            said(capsys, f"seed {SEED + shard}, program {histogram.programs}: {found}")
            differences.append(found)
        ended()
        if PROGRAMS > MANY and histogram.programs % 100 == 0:
            said(
                capsys,
                f"seed {SEED + shard}: {histogram.programs:,} programs, {len(differences)} differ",
            )

    with collecting_rarely() as ended:
        each()
    said(capsys, f"seed {SEED + shard}, {histogram}")
    assert not differences, "\n\n".join(map(str, differences[:3]))
    assert histogram.programs >= PROGRAMS // SHARDS * 0.9


ENDLESS = """
from waymark import Workflow, workflow

@workflow
class Fuzzed(Workflow):
    async def run(self):
        while BEGUN:
            try:
                1 / 0
            except:
                pass

BEGUN = {begun}
"""


def test_a_program_that_does_not_end_in_cpython_is_a_finding(tmp_path: Path) -> None:
    found = difference(tmp_path, ENDLESS.format(begun=True), seconds=0.3)
    assert found is not None
    assert isinstance(found.expected, TookTooLong)
    assert "no end after 0.3 seconds" in str(found)


def test_a_program_that_does_not_end_in_the_machine_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def runs_on(*_given: object, **_options: object) -> None:
        while True:
            pass

    monkeypatch.setattr(running, "run_in_machine", runs_on)
    found = difference(tmp_path, ENDLESS.format(begun=False), seconds=0.3)
    assert found is not None
    assert isinstance(found.shown, TookTooLong)


HIDDEN = """
from waymark import Workflow, workflow

@workflow
class Fuzzed(Workflow):
    async def run(self):
        v = 1
        def between():
            def inner():
                return v
            return [inner() for v in [2, 3]]
        return between()
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="3.11 does not lose it")
def test_a_variable_that_cpython_loses_behind_a_comprehension_is_no_finding(
    tmp_path: Path,
) -> None:
    assert difference(tmp_path, HIDDEN) is None


def searched(folder: Path, plant: Plant, within: int, first: int) -> tuple[int, Difference | None]:
    """How many programs it took to find what is planted, and the one that did."""
    with collecting_rarely() as ended:
        for number in range(first, first + within):
            text = random_workflow(Random(number), name=NAME)
            with pytest.MonkeyPatch.context() as patch:
                plant(patch)
                found = difference(folder, text)
            ended()
            # A program that no longer compiles would find nothing: it has to run, and differently.
            if found is None or not isinstance(found.shown, Observation):
                continue
            # One that differs without the mistake has found something else.
            if difference(folder, text) is None:
                return number - first + 1, found
    return within, None


def _chosen() -> list[Miscompile]:
    """All of them where the whole is asked for; a few that are found at once in everyday runs."""
    if os.environ.get("WAYMARK_FUZZ_PROGRAMS"):
        return list(miscompiles.ALL)
    return [each for each in miscompiles.ALL if each.common]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("planted", _chosen(), ids=lambda planted: planted.name)
def test_a_planted_miscompile_is_found(
    planted: Miscompile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    programs, found = searched(tmp_path, planted.plant, FIND_WITHIN, first=50_000)
    said(capsys, f"{planted.name}: found after {programs} programs")
    assert found is not None


def test_what_differs_without_the_mistake_too_has_not_found_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = SimpleNamespace(mistaken=False)
    runs: list[bool] = []

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(compiler, "mistaken", True)

    def differs(_folder: Path, text: str) -> Difference | None:
        runs.append(compiler.mistaken)
        anyway = len(runs) <= 2 * 3  # the first three programs differ in any case
        shown = Observation("returned")
        return Difference(text, PLAIN, shown, shown) if anyway or compiler.mistaken else None

    monkeypatch.setattr(sys.modules[__name__], "difference", differs)
    programs, found = searched(tmp_path, plant, within=10, first=0)
    assert found is not None
    assert programs == 4
    assert runs == [True, False] * 4


def test_there_are_fifteen_miscompiles() -> None:
    assert len({each.name for each in miscompiles.ALL}) >= 15
