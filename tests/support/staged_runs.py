"""An engine in; runs as a pool would have left them, in every state, with values as users have them, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.engine import Engine, Owner, program_of
from waymark_schema import ids
from waymark_schema.database import execute
from waymark_schema.ids import InstanceId, ProgramId
from waymark_schema.inputs import pack_inputs
from waymark_schema.kinds import InstanceState, JournalKind, OutcomeKind
from waymark_schema.recorded import EntryLocals, encode_locals
from waymark_schema.tables import instances, transactions
from waymark_schema.tables.instances import Claimed, NewInstance
from waymark_schema.tables.settle import FinalRow, InFlightRow, JournalRow
from waymark_schema.values.codec import Codec
from waymark_schema.values.records import RecordBinding

codec = Codec(RecordBinding())
ACTIONS = ("shop.orders:reserve_stock", "shop.orders:charge_card", "shop.mail:send_receipt")


def raised(error: BaseException, *, cause: BaseException | None = None) -> bytes:
    """An exception's wire form, with the traceback that raising it here gives it."""
    try:
        raise error from cause
    except type(error) as caught:
        return codec.encode_exception(caught)


def call(position: int, *, number: int, action: int, value: Any = None, **rest: Any) -> JournalRow:
    """An attempt that returned `value`; `rest` replaces columns, so that it may have ended otherwise."""
    start = datetime.now(UTC) - timedelta(seconds=2)  # noqa: TID251 - rows look as if they were new
    row = JournalRow(
        InstanceId(ids.new_instance_id()),
        position,
        JournalKind.OUTCOME,
        call=number,
        attempt=1,
        action=action,
        inputs=codec.encode({"order": number, "items": ["tea", "cup"]}),
        outcome=codec.encode(value),
        outcome_kind=OutcomeKind.VALUE,
        queued_at=start,
        started_at=start + timedelta(milliseconds=7),
        finished_at=start + timedelta(milliseconds=431),
        worker=3,
    )
    return row._replace(**rest)


@dataclass(slots=True)
class Stage:
    """One workflow, its runs, and the lease that plays them."""

    engine: Engine
    owner: Owner
    program: ProgramId
    held: dict[InstanceId, Claimed] = field(default_factory=dict)

    async def queue(
        self, arguments: Any = None, *, attributes: Any = None, **rest: Any
    ) -> InstanceId:
        """Queue a run with these arguments."""
        inputs = pack_inputs(codec.encode(arguments or {}), codec.encode(attributes or {}))
        run = NewInstance(ids.new_instance_id(), self.program, inputs, **rest)
        assert await execute.fetch_all(self.engine.session, instances.enqueue([run])) == []
        return run.id

    async def claim(self) -> list[InstanceId]:
        """Take every run that is queued."""
        taken = await self.owner.claim()
        self.held |= {one.id: one for one in taken}
        return [one.id for one in taken]

    async def journal(self, run: InstanceId, *rows: JournalRow) -> None:
        """Commit entries of a run that is held."""
        placed = [row._replace(instance=run) for row in rows]
        await transactions.commit(self.owner.session, self.owner.batch(placed))

    async def fly(self, run: InstanceId, *, number: int, action: int, arguments: Any) -> None:
        """Show a call as running."""
        now = datetime.now(UTC)  # noqa: TID251 - as a pool does
        row = InFlightRow(run, number, 1, action, codec.encode(arguments), now, now, 2)
        await transactions.commit(self.owner.session, self.owner.batch(in_flight=[row]))

    async def end(
        self,
        run: InstanceId,
        state: InstanceState,
        *,
        landed: Sequence[int] = (),
        **columns: Any,
    ) -> None:
        """Commit what becomes of a run."""
        row = FinalRow(run, self.held[run].epoch, state, **columns)
        batch = self.owner.batch(instances=[row], landed=[(run, number) for number in landed])
        await transactions.commit(self.owner.session, batch)

    async def complete(self, run: InstanceId, value: Any, *, landed: Sequence[int] = ()) -> None:
        """Let a run return a value."""
        await self.end(run, InstanceState.COMPLETED, result=codec.encode(value), landed=landed)

    async def fail(self, run: InstanceId, error: bytes) -> None:
        """Let a run end with an exception."""
        await self.end(run, InstanceState.FAILED, error=error)


async def staged(engine: Engine, owner: Owner, workflow: str = "OrderFlow") -> Stage:
    """Register a workflow with some actions, and let `owner` serve it."""
    new = replace(program_of(workflow), actions=list(ACTIONS))
    program = await transactions.store_program(engine.session, new)
    owner.programs = [program]
    return Stage(engine, owner, program)


async def every_state(stage: Stage) -> dict[str, InstanceId]:
    """One run for each thing that the page of a run can show."""
    story: dict[str, InstanceId] = {}
    for name in ("completed", "failed", "quarantined", "cancelled", "waiting", "running"):
        story[name] = await stage.queue({"order": 17, "customer": "Ada <ada@example.org>"})
    await stage.claim()
    story["queued"] = await stage.queue({"order": 18}, attributes={"region": "eu"})
    story["delayed"] = await stage.queue({"order": 19}, delay=timedelta(hours=1))
    refused = raised(ValueError("card refused"), cause=KeyError("account 17"))
    due = datetime.now(UTC) + timedelta(minutes=5)  # noqa: TID251 - as a pool does
    await stage.journal(
        story["completed"],
        JournalRow(story["completed"], 1, JournalKind.START, local=encode_locals(EntryLocals([], {}, None, [("info", "started for Ada")]))),
        call(2, number=1, action=0, value={"reserved": True}),
        call(3, number=2, action=1, kind=JournalKind.RETRY, outcome=refused, outcome_kind=OutcomeKind.ERROR,
             local=encode_locals(EntryLocals(retry_at=due.timestamp()))),
        call(4, number=2, action=1, attempt=2, kind=JournalKind.LOST, outcome=raised(RuntimeError("attempt lost: worker 3 ended by signal 9")), outcome_kind=OutcomeKind.LOST),
        call(5, number=2, action=1, attempt=3, value="receipt-17"),
        JournalRow(story["completed"], 6, JournalKind.TIMER, call=1),
    )  # fmt: skip
    await stage.complete(story["completed"], {"receipt": "receipt-17", "total": 12.5})
    await stage.journal(
        story["failed"],
        call(1, number=1, action=1, outcome=refused, outcome_kind=OutcomeKind.ERROR),
        call(2, number=2, action=2, outcome=raised(TimeoutError("no answer within 5 s")), outcome_kind=OutcomeKind.TIMEOUT),
    )  # fmt: skip
    await stage.fail(story["failed"], refused)
    await stage.end(
        story["quarantined"],
        InstanceState.QUARANTINED,
        error=raised(RuntimeError("replay differs at entry 3")),
    )
    await stage.end(story["cancelled"], InstanceState.CANCELLED)
    await stage.journal(
        story["waiting"],
        call(
            1,
            number=1,
            action=0,
            value=None,
            local=encode_locals(EntryLocals(timers={1: due.timestamp()})),
        ),
    )
    await stage.end(story["waiting"], InstanceState.WAITING, wake_at=due)
    await stage.journal(story["running"], call(1, number=1, action=0, value=[1, 2, 3]))
    await stage.fly(story["running"], number=2, action=2, arguments={"to": "ada@example.org"})
    return story
