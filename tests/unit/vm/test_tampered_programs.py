"""Programs that no compiler writes, with the digest of their own bytes: refused, or ended when they reach for more."""

from pathlib import Path

import pytest

from tests.support import tampering
from tests.support.compiling import imported, run_text, workflow_of
from tests.support.tampering import Tampering
from waymark.starting import prepare
from waymark_schema.ir.digest import digest
from waymark_schema.ir.wellformed import MalformedProgram
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding
from waymark_worker.vm.effects import Complete, Fail
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine

WIRE = Codec(RecordBinding())


def ending(folder: Path, tampered: Tampering | None = None) -> Complete | Fail:
    """How the program ends, changed or as it was compiled."""
    text = run_text(tampering.BODY, parameters=", text")
    request = prepare(workflow_of(imported(folder, text)), ("Word",), {}).request
    stored = request.program.program
    if tampered is not None:
        stored = tampered(stored)
    machine = Machine.start(
        link(stored, digest(stored)), inputs=request.inputs, attributes=request.attributes
    )
    (last,) = machine.advance(None, FreshLocals())
    assert isinstance(last, Complete | Fail)
    return last


def test_what_is_tampered_with_runs_as_it_was(tmp_path: Path) -> None:
    last = ending(tmp_path)
    assert isinstance(last, Complete)
    assert WIRE.decode(last.result) == (4, "word", [1], False, "3", 0)


@pytest.mark.parametrize("tampered", tampering.ALL, ids=lambda tampered: tampered.name)
def test_a_tampered_program_is_refused_or_ended(tmp_path: Path, tampered: Tampering) -> None:
    if tampered.refused:
        with pytest.raises(MalformedProgram, match=tampered.says):
            ending(tmp_path, tampered)
    else:
        last = ending(tmp_path, tampered)
        assert isinstance(last, Fail)
        assert tampered.says in str(WIRE.decode(last.error))
