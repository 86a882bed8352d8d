import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.compiler.cases import golden
from waymark.compiler.pipeline import compile_workflow
from waymark_schema.ir.digest import canonical, decode, digest
from waymark_schema.ir.text import text
from waymark_schema.ir.wellformed import load

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = [golden.GoldenSteps, golden.GoldenFlow]
SHOW = """
import sys
from tests.unit.compiler.cases import golden
from waymark.compiler.pipeline import compile_workflow
for workflow in (golden.GoldenSteps, golden.GoldenFlow):
    print(compile_workflow(workflow).digest.hex())
"""


def shown(workflow: type) -> str:
    compiled = compile_workflow(workflow)
    return f"digest {compiled.digest.hex()}\n{text(compiled.program)}"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_the_program_is_the_kept_one_on_every_python(workflow: type) -> None:
    kept = Path(__file__).parent / "cases" / f"{workflow.__name__}.txt"
    if os.environ.get("WAYMARK_UPDATE_GOLDEN"):
        kept.write_text(shown(workflow))
    assert shown(workflow) == kept.read_text()


def test_digests_do_not_depend_on_hash_seed_directory_or_bytecode(tmp_path: Path) -> None:
    digests = set()
    for seed, flags in (("0", ()), ("1", ("-O",)), ("77", ("-OO",))):
        done = subprocess.run(
            [sys.executable, *flags, "-c", SHOW],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        )
        digests.add(done.stdout)
    assert len(digests) == 1
    assert digests.pop().split() == [compile_workflow(one).digest.hex() for one in WORKFLOWS]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_program_survives_its_bytes(workflow: type) -> None:
    compiled = compile_workflow(workflow)
    assert decode(compiled.program_bytes) == compiled.program == load(compiled.program_bytes)
    assert canonical(decode(compiled.program_bytes)) == compiled.program_bytes
    assert digest(compiled.program_bytes) == compiled.digest
    assert len(compiled.digest) == 32


def test_a_class_is_compiled_once() -> None:
    assert compile_workflow(golden.GoldenSteps) is compile_workflow(golden.GoldenSteps)


def test_the_version_is_the_digest_unless_the_class_says_otherwise() -> None:
    compiled = compile_workflow(golden.GoldenSteps)
    assert compiled.version == compiled.digest.hex()
