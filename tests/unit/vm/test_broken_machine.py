"""A machine whose own state is damaged says so: nobody has to guess at a bare ``KeyError``."""

from pathlib import Path

import pytest

from tests.support.compiling import imported, run_text, workflow_of
from waymark.starting import prepare
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine


def test_a_defect_of_the_machine_is_named_with_its_place(tmp_path: Path) -> None:
    request = prepare(workflow_of(imported(tmp_path, run_text("return 1"))), (), {}).request
    linked = link(request.program.program, request.program.digest)
    machine = Machine.start(linked, inputs=request.inputs, attributes=request.attributes)
    machine.tasks.clear()
    with pytest.raises(
        RuntimeError, match=r"the machine broke with KeyError.*\(scheduling\.py:\d+\)"
    ):
        machine.advance(None, FreshLocals())
