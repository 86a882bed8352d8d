"""Programs in the database that no compiler wrote, with the digests of their own bytes, in; refusals, and others unharmed, out."""

from collections.abc import Callable
from uuid import UUID

import msgspec
import pytest

from tests.integration.hostile import victims
from tests.integration.worker.conftest import Farm
from tests.support import tampering
from waymark_schema.ids import program_id
from waymark_schema.ir.digest import decode, digest
from waymark_schema.kinds import InstanceState

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

_COPY = """
insert into waymark.programs (id, format, semantics, workflow, version, digest, actions, program, source)
select %s, format, semantics, workflow, %s, %s, actions, %s, source from waymark.programs where id = %s
"""


def _other_action(stored: bytes) -> bytes:
    """Another function than the action that the row names."""
    program = decode(stored)
    (entry,) = program.actions
    other = msgspec.structs.replace(entry, key="os:getpid")
    return msgspec.msgpack.encode(msgspec.structs.replace(program, actions=[other]))


def exchange(farm: Farm, run: UUID, version: str, tamper: Callable[[bytes], bytes]) -> None:
    """Give a queued run a program of its own."""
    ((id_, stored),) = farm.query(
        "select p.id, p.program from waymark.programs as p join waymark.instances as i on i.program = p.id"
        " where i.id = %s",
        run,
    )
    tampered = tamper(stored)
    hashed = digest(tampered)
    farm.query(_COPY, program_id(hashed), version, hashed, tampered, id_)
    farm.query("update waymark.instances set program = %s where id = %s", program_id(hashed), run)


def test_tampered_programs_are_refused_or_ended_and_the_pool_goes_on(farm: Farm) -> None:
    whole, stranger, *runs = farm.queue(victims.Victim, *[("Word",)] * (len(tampering.ALL) + 2))
    exchange(farm, stranger, "another action", _other_action)
    for run, tampered in zip(runs, tampering.ALL, strict=True):
        exchange(farm, run, tampered.name, tampered)
    pool = farm.start(WAYMARK_USER_MODULE=victims.__name__)
    ended = {
        run: each.says for run, each in zip(runs, tampering.ALL, strict=True) if not each.refused
    }
    for error, says in zip(farm.finished(list(ended)), ended.values(), strict=True):
        assert isinstance(error, BaseException)
        assert says in str(error)
    assert {farm.state(run) for run in ended} == {InstanceState.FAILED}
    refused = [each for each in tampering.ALL if each.refused]
    for each in refused:
        pool.wait_for_line(rf"program\.unlinkable.*{each.says}")
    left = set(runs) - set(ended)
    assert {farm.state(run) for run in left} == {InstanceState.QUEUED}
    assert farm.finished([whole]) == [((4, "word", [1], False, "3", 0), 2)]
    assert farm.finished(farm.queue(victims.Bystander, (4,))) == [8]
    pool.wait_for_line(r"calls\.offered.*no worker of this pool has their action.*os:getpid")
    assert farm.state(stranger) is InstanceState.RUNNING
    assert farm.query("select count(*) from waymark.journal where instance = %s", stranger) == [
        (0,)
    ]
    assert pool.running
