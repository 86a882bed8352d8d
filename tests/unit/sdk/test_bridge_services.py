"""Requests and a database that answers by script in; statements and answers out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import pytest

from waymark.bridge import waits as waits_module
from waymark.bridge.intake import BATCH_RUNS, Asked, Intake
from waymark.bridge.protocol import (
    Answer,
    Ended,
    Failed,
    Missing,
    NewRun,
    Started,
    Stuck,
    UnknownPrograms,
    Unserved,
)
from waymark.bridge.store import Store, UnfitValue
from waymark.bridge.unserved import UnservedRuns
from waymark.bridge.waits import Waits
from waymark_schema.database.statement import Query
from waymark_schema.errors import DatabaseUnreachable
from waymark_schema.ids import InstanceId, ProgramId, new_instance_id, program_id
from waymark_schema.kinds import InstanceState
from waymark_schema.reports.workers import UnservedLine
from waymark_schema.tables.instances import (
    InstanceResult,
    InstanceStatus,
    NotQueued,
    Queued,
    Stranger,
)

DIGEST = bytes(32)
MOMENT = datetime(2031, 1, 1, tzinfo=UTC)


@dataclass
class FakeStore:
    """Every channel hands its queries to one function."""

    serve: Callable[[str, dict[str, Any]], list[Any]]
    queries: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    patience: timedelta = timedelta(seconds=1)
    schema: str = "waymark"
    hold: asyncio.Event | None = None

    def channel(self) -> FakeStore:
        return self

    def listener(self) -> FakeStore:
        return self

    async def fetch_all(self, query: Query[Any], *, patience: timedelta | None = None) -> list[Any]:
        name = query.statement.name.rpartition(".")[2].rpartition(":")[2]
        values = {
            key: value
            for (key, _), value in zip(query.statement.parameters, query.values, strict=True)
        }
        self.queries.append((name, values))
        if self.hold is not None:
            await self.hold.wait()
        return self.serve(name, values)

    def names(self) -> list[str]:
        return [name for name, _ in self.queries]


@dataclass(eq=False)
class Told:
    """A client that keeps what it was told."""

    answers: list[Answer] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, answer: Answer) -> None:
        self.answers.append(answer)
        self.news.set()

    async def hears(self, count: int) -> list[Answer]:
        async with asyncio.timeout(5):
            while len(self.answers) < count:
                self.news.clear()
                await self.news.wait()
        return self.answers


def store_of(serve: Callable[[str, dict[str, Any]], list[Any]]) -> tuple[FakeStore, Store]:
    fake = FakeStore(serve)
    return fake, cast("Store", fake)  # what the services use of it is all there


@asynccontextmanager
async def running(*services: Any) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(service) for service in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def moment(seconds: float = 0.0) -> None:
    await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=seconds)


def run_of(
    number: int = 0, *, digest: bytes = DIGEST, inputs: bytes = b"", key: str | None = None
) -> NewRun:
    return NewRun(new_instance_id().bytes, digest, inputs, number, key=key)


def intake_of(
    serve: Callable[[str, dict[str, Any]], list[Any]],
) -> tuple[Intake, FakeStore, list[NewRun]]:
    fake, store = store_of(serve)
    queued: list[NewRun] = []
    intake = Intake(store, queued=queued.extend)
    intake.registered(DIGEST)
    return intake, fake, queued


async def test_what_arrives_during_a_statement_rides_in_the_next_one() -> None:
    intake, fake, queued = intake_of(lambda name, values: [])
    fake.hold = asyncio.Event()
    client = Told()
    async with running(intake.run_shared()):
        intake.add(Asked(client, 0, [run_of()]))
        await moment()
        for number in range(1, 500):
            intake.add(Asked(client, number, [run_of(number)]))
        assert intake.waiting == 500
        fake.hold.set()
        await client.hears(500)
    assert [len(values["id"]) for _, values in fake.queries] == [1, 499]
    assert len(queued) == 500
    assert intake.waiting == 0


async def test_a_statement_is_bounded_by_runs_and_bytes_but_never_splits_a_request() -> None:
    intake, fake, _ = intake_of(lambda name, values: [])
    client = Told()
    for number in range(BATCH_RUNS + 5):
        intake.add(Asked(client, number, [run_of()]))
    intake.add(Asked(client, 9_000, [run_of(inputs=bytes(9_000_000))]))
    intake.add(Asked(client, 9_001, [run_of() for _ in range(3 * BATCH_RUNS)]))
    async with running(intake.run_shared()):
        await client.hears(BATCH_RUNS + 7)
    assert [len(values["id"]) for _, values in fake.queries] == [BATCH_RUNS, 5, 1, 3 * BATCH_RUNS]


async def test_a_value_that_is_refused_fails_its_own_request_only() -> None:
    def serve(name: str, values: dict[str, Any]) -> list[Any]:
        if 13 in values["priority"]:
            raise UnfitValue("13 is no good")
        return []

    intake, _, queued = intake_of(serve)
    client = Told()
    for number in range(20):
        intake.add(Asked(client, number, [run_of(number)]))
    async with running(intake.run_shared()):
        answers = await client.hears(20)
    assert [answer.request for answer in answers if isinstance(answer, Failed)] == [13]
    assert len(queued) == 19


async def test_an_unreachable_database_leaves_a_start_uncertain() -> None:
    def serve(name: str, values: dict[str, Any]) -> list[Any]:
        raise DatabaseUnreachable("no route", target="db")

    intake, _, queued = intake_of(serve)
    client = Told()
    run = run_of()
    intake.add(Asked(client, 1, [run]))
    async with running(intake.run_shared()):
        (answer,) = await client.hears(1)
    assert isinstance(answer, Failed)
    assert f"run {UUID(bytes=run.id)} was queued is not known" in answer.message
    assert queued == []


async def test_unknown_and_pruned_programs_are_asked_for() -> None:
    gone = [NotQueued(InstanceId(UUID(int=1)), program_id(DIGEST), registered=False)]
    intake, fake, queued = intake_of(lambda name, values: gone)
    client, other = Told(), bytes([1]) * 32
    intake.add(Asked(client, 1, [run_of(digest=other), run_of()]))
    assert client.answers == [UnknownPrograms(1, [other])]
    intake.add(Asked(client, 2, [run_of()]))
    async with running(intake.run_shared()):
        await client.hears(2)
    assert client.answers[1] == UnknownPrograms(2, [DIGEST])
    intake.add(Asked(client, 3, [run_of()]))
    assert client.answers[2] == UnknownPrograms(3, [DIGEST])
    assert len(fake.queries) == 1
    assert queued == []


async def test_whose_the_ids_are_is_asked_once_for_all_that_were_there() -> None:
    runs = [run_of(number) for number in range(50)]
    rows = [
        NotQueued(InstanceId(UUID(bytes=run.id)), program_id(DIGEST), registered=True)
        for run in runs
    ]
    strange = Stranger(rows[7].instance, program_id(DIGEST), "theirs", "ours")

    def serve(name: str, values: dict[str, Any]) -> list[Any]:
        return rows if name == "enqueue" else [strange]

    intake, fake, _ = intake_of(serve)
    client = Told()
    for number, run in enumerate(runs):
        intake.add(Asked(client, number, [run]))
    async with running(intake.run_shared()):
        answers = await client.hears(50)
    assert [name for name, _ in fake.queries] == ["enqueue", "strangers"]
    (refused,) = (answer for answer in answers if isinstance(answer, Failed))
    assert (refused.request, refused.error) == (7, "RunIdTaken")
    assert sum(isinstance(answer, Started) for answer in answers) == 49


async def test_keyed_starts_ride_alone_and_get_the_winners_id() -> None:
    winner = InstanceId(UUID(int=42))

    @dataclass
    class Holder:
        id: InstanceId = winner

    lost, mine = run_of(key="w:k"), run_of()
    there = NotQueued(InstanceId(UUID(bytes=lost.id)), program_id(DIGEST), registered=True)

    def serve(name: str, values: dict[str, Any]) -> list[Any]:
        if name == "enqueue":
            return [there] if there.instance in values["id"] else []
        return [Holder()] if name == "find_by_key" else []

    intake, fake, _ = intake_of(serve)
    client = Told()
    async with running(intake.run_shared(), intake.run_keyed()):
        intake.add(Asked(client, 1, [lost, mine]))
        intake.add(Asked(client, 2, [run_of()]))
        await client.hears(2)
    assert Started(1, [winner.bytes, mine.id]) in client.answers
    assert sorted(len(values["id"]) for name, values in fake.queries if name == "enqueue") == [1, 2]


def _results(*ended: UUID, state: InstanceState = InstanceState.COMPLETED) -> list[Any]:
    return [
        InstanceResult(InstanceId(each), state, b"r", None, MOMENT, MOMENT, MOMENT)
        for each in ended
    ]


@dataclass
class Runs:
    """Runs of a pretended database, by id."""

    states: dict[UUID, InstanceState] = field(default_factory=dict)

    def serve(self, name: str, values: dict[str, Any]) -> list[Any]:
        asked = [each for each in values["id"] if each in self.states]
        if name == "status":
            return [InstanceStatus(each, self.states[each], finished=False) for each in asked]
        return [
            row
            for each in asked
            if self.states[each] >= InstanceState.COMPLETED
            for row in _results(each, state=self.states[each])
        ]

    def make(self, count: int = 1) -> list[UUID]:
        made: list[UUID] = [new_instance_id() for _ in range(count)]
        self.states.update(dict.fromkeys(made, InstanceState.RUNNING))
        return made

    def end(self, *ids: UUID, state: InstanceState = InstanceState.COMPLETED) -> None:
        self.states.update(dict.fromkeys(ids, state))


@pytest.fixture
def slow_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only news make anybody look."""
    monkeypatch.setattr(waits_module, "TOLD_FIRST_S", 100.0)
    monkeypatch.setattr(waits_module, "UNTOLD_FIRST_S", 100.0)


async def test_a_run_that_was_queued_here_is_looked_at_when_it_is_told(slow_looks: None) -> None:
    runs = Runs()
    fake, store = store_of(runs.serve)
    waits, client = Waits(store), Told()
    waits.listening = True
    ids = runs.make(100)
    waits.queued(ids)
    async with running(waits.run()):
        for number, each in enumerate(ids):
            waits.watch(client, number, each)
        await moment(0.02)
        assert fake.queries == []
        runs.end(*ids)
        waits._ended(ids)
        answers = await client.hears(100)
    assert fake.names() == ["results"]
    assert {answer.request for answer in answers if isinstance(answer, Ended)} == set(range(100))
    assert len(waits) == 0


async def test_an_end_that_was_told_before_anybody_waited_is_looked_at_at_once(
    slow_looks: None,
) -> None:
    runs = Runs()
    _, store = store_of(runs.serve)
    waits, client = Waits(store), Told()
    waits.listening = True
    ids = runs.make()
    waits.queued(ids)
    runs.end(*ids)
    waits._ended(ids)
    async with running(waits.run()):
        waits.watch(client, 1, ids[0])
        await client.hears(1)


async def test_what_was_queued_before_listening_broke_off_is_not_trusted(slow_looks: None) -> None:
    runs = Runs()
    _, store = store_of(runs.serve)
    waits, client = Waits(store), Told()
    waits.listening = True
    ids = runs.make()
    waits.queued(ids)
    waits._stop_hearing()
    runs.end(*ids)
    waits._begin()
    async with running(waits.run()):
        waits.watch(client, 1, ids[0])
        await client.hears(1)


async def test_runs_that_nobody_tells_of_are_looked_at_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waits_module, "UNTOLD_FIRST_S", 0.005)
    monkeypatch.setattr(waits_module, "UNTOLD_LONGEST_S", 0.02)
    runs = Runs()
    fake, store = store_of(runs.serve)
    waits, client = Waits(store), Told()
    ids = runs.make(50)
    async with running(waits.run()):
        for number, each in enumerate(ids):
            waits.watch(client, number, each)
        await moment(0.3)
        # Looks from elsewhere must not add further ones for ever.
        for _ in range(20):
            waits._look_at_all()
            await moment()
        before = len(fake.queries)
        await moment(0.3)
        assert 5 <= len(fake.queries) - before <= 60
        assert fake.names().count("status") == 1
        runs.end(*ids)
        await client.hears(50)


async def test_a_run_that_is_not_there_is_missing() -> None:
    _, store = store_of(Runs().serve)
    waits, client = Waits(store), Told()
    async with running(waits.run()):
        waits.watch(client, 5, UUID(int=1))
        assert await client.hears(1) == [Missing(5)]


async def test_waiting_for_a_quarantined_run_is_told_once_to_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waits_module, "UNTOLD_FIRST_S", 0.001)
    runs = Runs()
    _, store = store_of(runs.serve)
    waits, one, two = Waits(store), Told(), Told()
    (run,) = runs.make()
    runs.end(run, state=InstanceState.QUARANTINED)
    async with running(waits.run()):
        waits.watch(one, 1, run)
        waits.watch(two, 1, run)
        await one.hears(1)
        await moment(0.05)
        assert one.answers == two.answers == [Stuck(1, run.bytes)]
        runs.end(run)
        assert await two.hears(2) == [Stuck(1, run.bytes), Ended(1, 4, b"r", None)]
        await one.hears(2)


async def test_each_client_is_told_once_of_a_program_that_nobody_can_run() -> None:
    runs = Runs()
    lines = [UnservedLine(ProgramId(7), "greet", "1", 1, 1, 1, ["greetings:b", "greetings:a"])]

    def serve(name: str, values: dict[str, Any]) -> list[Any]:
        if name == "unserved":
            return list(lines)
        if name == "queued":
            return [Queued(InstanceId(each), ProgramId(7)) for each in values["id"]]
        return runs.serve(name, values)

    fake, store = store_of(serve)
    waits, one, two = Waits(store), Told(), Told()
    unserved = UnservedRuns(waits)
    await unserved.look()
    assert fake.queries == [], "nobody waits, so nobody looks"
    first, second, third = runs.make(3)
    waits.watch(one, 1, first)
    waits.watch(one, 2, second)
    await unserved.look()
    assert one.answers == [], "a pool that starts may report what it knows meanwhile"
    await unserved.look()
    (notice,) = one.answers
    assert isinstance(notice, Unserved)
    assert notice.request in {1, 2}
    assert (notice.workflow, notice.count) == ("greet", 2)
    assert notice.unknown == ["greetings:a", "greetings:b"]
    waits.watch(two, 1, third)
    await unserved.look()
    await unserved.look()
    assert (len(one.answers), len(two.answers)) == (1, 1)
    served = lines.pop()
    await unserved.look()
    lines.append(served)
    await unserved.look()
    await unserved.look()
    assert (len(one.answers), len(two.answers)) == (2, 2)


async def test_who_forgets_or_leaves_hears_nothing_and_is_kept_nowhere() -> None:
    runs = Runs()
    _, store = store_of(runs.serve)
    waits, one, two = Waits(store), Told(), Told()
    ids = runs.make(3)
    async with running(waits.run()):
        for number, each in enumerate(ids):
            waits.watch(one, number, each)
            waits.watch(two, number, each)
        waits.forget(one, 0)
        waits.forget(one, 0)
        waits.forget(one, 77)
        waits.leave(two)
        assert len(waits) == 2
        runs.end(*ids)
        waits._ended(ids)
        await one.hears(2)
        waits.leave(one)
    assert sorted(answer.request for answer in one.answers if isinstance(answer, Ended)) == [1, 2]
    assert two.answers == []
    assert (len(waits), waits._by_party, waits._watched) == (0, {}, {})


async def test_giving_up_tells_everybody_once() -> None:
    runs = Runs()
    _, store = store_of(runs.serve)
    waits, client = Waits(store), Told()
    for number, each in enumerate(runs.make(4)):
        waits.watch(client, number, each)
    assert waits.give_up(DatabaseUnreachable("gone")) == 4
    assert waits.give_up(DatabaseUnreachable("gone")) == 0
    assert {type(answer) for answer in client.answers} == {Failed}
