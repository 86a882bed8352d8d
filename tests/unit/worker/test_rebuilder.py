"""Claimed runs with long journals in; the loop's turns meanwhile, who is to blame, and what is resumed or handed back out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from tests.unit.worker import flows
from tests.unit.worker.desk import Desk, StillClock, inputs_of, loaded, runnable
from waymark_schema.database.execute import Session
from waymark_schema.database.statement import Query
from waymark_schema.ids import InboxId, InstanceId, LeaseId, ProgramId
from waymark_schema.kinds import InboxKind, OutcomeKind
from waymark_schema.tables.inbox import Message
from waymark_schema.tables.instances import Claimed, LoadedInstance
from waymark_schema.tables.journal import JournalEntry
from waymark_schema.tables.offers import OfferKey
from waymark_worker.runloop import claimer, rebuilder, turns
from waymark_worker.runloop.claimer import Claimer
from waymark_worker.runloop.live import LiveInstance
from waymark_worker.runloop.offered import OfferedOutcome, encode_outcome
from waymark_worker.runloop.rebuilder import Rebuilder
from waymark_worker.runloop.recovery import Replay
from waymark_worker.telemetry import Counters

STEPS = 20
SESSION: Any = object()


@dataclass
class Adopter:
    """Keeps what it is given."""

    resumed: list[LiveInstance] = field(default_factory=list)
    handed_back: list[UUID] = field(default_factory=list)
    refused: dict[UUID, str] = field(default_factory=dict)
    poison: set[UUID] = field(default_factory=set)

    def room(self) -> int:
        return 10

    def knows(self, instance: UUID) -> bool:
        return any(live.id == instance for live in self.resumed)

    def set_aside(self, claimed: Claimed) -> bool:
        return claimed.id in self.poison

    def begin(self, instance: LiveInstance) -> None:
        self.resumed.append(instance)

    def resume(
        self,
        instance: LiveInstance,
        offered: Iterable[OfferKey] = (),
        letters: Mapping[OfferKey, int] | None = None,
    ) -> None:
        self.resumed.append(instance)

    def hand_back(self, claimed: Claimed) -> None:
        self.handed_back.append(claimed.id)

    def refuse(self, claimed: Claimed, reason: str) -> None:
        self.refused[claimed.id] = reason


@dataclass
class Stored:
    """The database: what is stored of some runs, and which statements asked for it."""

    runs: dict[UUID, LoadedInstance] = field(default_factory=dict)
    entries: dict[UUID, list[JournalEntry]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add(self, desk: Desk) -> Claimed:
        """One more run that was begun, in the middle of its work."""
        live = desk.begin(flows.Long, 2 * STEPS, False)
        for _ in range(STEPS):
            desk.end(desk.pool.submitted.pop(), value=1)
            desk.commit()
        self.runs[live.id] = loaded(live, inputs_of(flows.Long, 2 * STEPS, False))
        self.entries[live.id] = desk.entries(live)
        desk.runloop.drop(live)
        moment = datetime.now(UTC)
        return Claimed(
            InstanceId(live.id), 2, live.program.id, 0, 1, False, moment, moment, False, None
        )

    async def fetch_all(self, session: Session, query: Query[Any]) -> list[Any]:
        name = query.statement.name.replace(".sql:", ".")
        self.asked.append(name)
        names = [key for key, _ in query.statement.parameters]
        given: dict[str, Any] = dict(zip(names, query.values, strict=True))
        if name == "instances.load":
            runs = [self.runs[id_] for id_ in sorted(given["id"])]
            return _up_to(given["room"], runs, lambda run: len(run.inputs))
        if name == "journal.tail":
            after = dict(zip(given["instance"], given["after"], strict=True))
            found = [entry for id_ in sorted(after) for entry in self.entries[id_][after[id_] :]]
            return _up_to(given["room"], found, lambda entry: entry.size)
        return []


def _up_to(room: int, rows: list[Any], size: Callable[[Any], int]) -> list[Any]:
    """Cut off behind the row that fills the room."""
    taken, total = [], 0
    for row in rows:
        if total >= room:
            break
        taken.append(row)
        total += size(row)
    return taken


@dataclass
class Room:
    """A rebuilder and what is around it."""

    stored: Stored
    adopter: Adopter
    rebuilder: Rebuilder
    blamed: list[LiveInstance | None]

    async def rebuild(self, rows: list[Claimed]) -> None:
        program = runnable(flows.Long)
        await self.rebuilder.rebuild(SESSION, rows, {program.id: program})


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.0)
    stored, adopter = Stored(), Adopter()
    blamed: list[LiveInstance | None] = []
    monkeypatch.setattr(rebuilder, "fetch_all", stored.fetch_all)
    made = Rebuilder(LeaseId(1), adopter, clock=StillClock(), advancing=blamed.append)
    return Room(stored, adopter, made, blamed)


def at_each_entry(monkeypatch: pytest.MonkeyPatch, do: Callable[[Replay], None]) -> None:
    feed = Replay.feed

    def fed(self: Replay, entry: JournalEntry) -> Any:
        do(self)
        return feed(self, entry)

    monkeypatch.setattr(Replay, "feed", fed)


async def test_a_replay_gives_the_loop_turns_and_shows_nobody_half_a_run(
    desk: Desk, room: Room
) -> None:
    rows = [room.stored.add(desk) for _ in range(2)]
    seen: list[list[int]] = []

    async def watch() -> None:
        while True:
            seen.append([live.position for live in room.adopter.resumed])
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await room.rebuild(rows)
    watching.cancel()
    assert len(seen) >= 2 * STEPS
    assert [positions for at, positions in enumerate(seen) if positions not in seen[:at]] == [
        [],
        [STEPS],
    ]
    assert [live.position for live in room.adopter.resumed] == [STEPS, STEPS]


async def test_runs_that_had_not_come_to_a_first_entry_give_turns_too(
    desk: Desk, room: Room
) -> None:
    rows = [room.stored.add(desk) for _ in range(5)]
    room.stored.entries = {row.id: [] for row in rows}
    seen: list[int] = []

    async def watch() -> None:
        while True:
            seen.append(len(room.adopter.resumed))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await room.rebuild(rows)
    watching.cancel()
    assert seen == [0, 1, 2, 3, 4]


async def test_a_run_is_to_blame_for_what_its_replay_does(
    desk: Desk, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = room.stored.add(desk)
    named = []

    def name(replay: Replay) -> None:
        assert room.blamed[-1] is replay.instance
        named.append((replay.instance.id, replay.instance.position))

    at_each_entry(monkeypatch, name)
    await room.rebuild([row])
    assert named == [(row.id, position) for position in range(STEPS)]
    assert room.blamed[-1] is None


async def test_what_is_not_rebuilt_when_a_drain_begins_is_handed_back(
    desk: Desk, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sorted([room.stored.add(desk) for _ in range(3)], key=lambda row: row.id)
    fed = 0

    def stop_in_the_second(_: Replay) -> None:
        nonlocal fed
        fed += 1
        if fed == STEPS + 5:
            room.rebuilder.stop()

    at_each_entry(monkeypatch, stop_in_the_second)
    await room.rebuild(rows)
    assert [live.id for live in room.adopter.resumed] == [rows[0].id]
    assert room.adopter.handed_back == [rows[1].id, rows[2].id]
    assert fed == STEPS + 5


async def test_a_replay_that_is_cut_off_with_its_lease_leaves_nothing(
    desk: Desk, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = room.stored.add(desk)
    half = asyncio.Event()
    at_each_entry(monkeypatch, lambda replay: half.set() if replay.instance.position == 9 else None)
    rebuilding = asyncio.create_task(room.rebuild([row]))
    await half.wait()
    rebuilding.cancel()
    await asyncio.wait([rebuilding])
    assert rebuilding.cancelled()
    assert room.adopter == Adopter()
    assert room.blamed[-1] is None


async def test_one_that_cannot_be_rebuilt_costs_its_neighbours_nothing(
    desk: Desk, room: Room
) -> None:
    bad, good = room.stored.add(desk), room.stored.add(desk)
    del room.stored.entries[bad.id][3]
    await room.rebuild([bad, good])
    assert "one is missing" in room.adopter.refused[bad.id]
    assert [live.id for live in room.adopter.resumed] == [good.id]


@pytest.mark.parametrize("room_bytes", [1, 900, 3_000])
async def test_states_and_journals_are_read_piece_by_piece(
    desk: Desk, room: Room, monkeypatch: pytest.MonkeyPatch, room_bytes: int
) -> None:
    monkeypatch.setattr(rebuilder, "READ_BYTES", room_bytes)
    rows = [room.stored.add(desk) for _ in range(3)]
    bad = room.stored.add(desk)
    del room.stored.entries[bad.id][3]
    await room.rebuild([*rows, bad])
    assert [live.position for live in room.adopter.resumed] == [STEPS] * 3
    assert {live.id for live in room.adopter.resumed} == {row.id for row in rows}
    assert list(room.adopter.refused) == [bad.id]
    assert room.stored.asked.count("journal.tail") > 3


async def test_small_runs_are_read_together(desk: Desk, room: Room) -> None:
    await room.rebuild([room.stored.add(desk) for _ in range(3)])
    assert room.stored.asked == ["instances.load", "offers.adopt", "inbox.pending", "journal.tail"]


async def test_a_snapshot_that_cannot_be_read_costs_a_replay_from_the_first_entry(
    desk: Desk, room: Room
) -> None:
    row = room.stored.add(desk)
    room.stored.runs[row.id] = replace(
        room.stored.runs[row.id], snapshot_position=STEPS, snapshot=b"\xc1"
    )
    await room.rebuild([row])
    assert [live.position for live in room.adopter.resumed] == [STEPS]


async def test_poison_is_not_even_replayed(
    desk: Desk, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = room.stored.add(desk)
    room.adopter.poison = {row.id}
    monkeypatch.setattr(claimer, "fetch_all", room.stored.fetch_all)
    await _claimer(room, Shelf())._adopt(SESSION, [row])
    assert room.stored.asked == []


async def test_a_claim_that_has_not_begun_when_a_drain_begins_never_does(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimer, "fetch_all", room.stored.fetch_all)
    shelf = Shelf()
    claims = _claimer(room, shelf)
    shelf.refreshed = claims.stop
    await claims.run()
    await claims.settled()
    assert room.stored.asked == []


class Shelf:
    """One program; something may happen while it is looked for."""

    claimable = (ProgramId(1),)

    def __init__(self) -> None:
        self.refreshed: Callable[[], None] = lambda: None

    async def refresh(self, session: Any, lease: LeaseId) -> None:
        self.refreshed()

    async def get(self, session: Any, programs: Any) -> Any:
        return {ProgramId(1): runnable(flows.Long)}


class Sessions:
    """They open at once."""

    connection = SimpleNamespace(close=lambda: asyncio.sleep(0))

    async def open_after_lost(self, *, role: str) -> Any:
        return self


def _claimer(room: Room, shelf: Shelf) -> Claimer:
    return Claimer(
        LeaseId(1),
        Sessions(),  # type: ignore[arg-type] # as far as a claimer goes
        room.adopter,
        shelf,  # type: ignore[arg-type] # likewise
        clock=StillClock(),
        counters=Counters(),
        poll_interval=1.0,
        advancing=room.blamed.append,
    )


async def test_mail_of_a_run_that_is_still_being_rebuilt_is_delivered_later(desk: Desk) -> None:
    live = desk.begin(flows.Two, 3)
    (attempt,) = desk.pool.submitted
    outcome = encode_outcome(OfferedOutcome(b"\x1e", 0.5, 0.0))
    letter = Message(
        InstanceId(live.id), InboxId(5), InboxKind.OFFERED_OUTCOME, 0, 1, OutcomeKind.VALUE, None, outcome, datetime.now(UTC)
    )  # fmt: skip
    del desk.runloop.instances[live.id]
    desk.sharer._deliver([letter])
    desk.runloop.instances[live.id] = live
    desk.sharer.adopt(attempt)
    desk.sharer._deliver([letter])
    (change,) = desk.committer.waiting
    assert change.consumed == [(live.id, 5)]
    assert len(change.rows) == 1
    desk.sharer._deliver([letter])
    assert desk.committer.waiting == [change], "only once"
