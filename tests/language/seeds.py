"""A mode of the machine comes in, and which share of the cases; one line per case goes to standard output: program digest, effects, what it showed."""

import hashlib
import sys

from tests.language import cases
from tests.language.discovery import Case
from tests.language.discovery import cases as all_cases
from tests.support.replaying import Runner
from waymark.compiler.source import shared_sources


def line(case: Case, mode: str) -> str:
    """Everything of a run that another process must reproduce: text, and a digest of the exact bytes."""
    runner = Runner(case.workflow, case.keywords, mode=mode, seed=None)
    shown = runner.run()
    effects = hashlib.sha256(repr(runner.effects).encode()).hexdigest()[:16]
    program = runner.request.program.digest.hex()[:16]
    return f"{case.name} {program} {effects} {shown.ending} {shown.value!r:.200}"


if __name__ == "__main__":
    with shared_sources():
        for case in list(all_cases(cases))[:: int(sys.argv[2])]:
            sys.stdout.write(line(case, sys.argv[1]).replace("\n", " ") + "\n")
