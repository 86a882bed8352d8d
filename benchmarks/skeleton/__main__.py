"""The skeleton's pool: steps, workflows and fan-out in, one JSON line with seconds and commits out.

One asyncio process, two workers over inherited sockets, strict write-ahead (a step leaves only after the
result before it is committed), one fenced group commit at a time, a claim with ``skip locked``. No machine,
no validation, no retries, no telemetry: ``python -m benchmarks.skeleton --steps 3 --workflows 2000``.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec
import psycopg

from waymark_schema.wire.framing import FrameReader

WORKERS = 2
ACTIVE = 500
ENQUEUE_BATCH = 1000
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode

TABLES = """
drop schema if exists skeleton cascade;
create schema skeleton;
create table skeleton.leases (id int primary key, fenced boolean not null default false);
insert into skeleton.leases (id) values (1);
create table skeleton.runs (
    id uuid primary key, state smallint not null default 0, ready_at timestamptz default clock_timestamp(),
    owner int, inputs bytea not null, result bytea, created_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
) with (fillfactor = 80);
create index on skeleton.runs (ready_at) where state = 0;
create index on skeleton.runs (owner) where owner is not null;
create table skeleton.steps (
    run uuid, position int, inputs bytea, outcome bytea, finished_at timestamptz, primary key (run, position)
);
"""
ENQUEUE = """
insert into skeleton.runs (id, inputs) select t.id, t.inputs from unnest(%s::uuid[], %s::bytea[]) as t (id, inputs)
"""
CLAIM = """
with taken as materialized (
    select r.id from skeleton.runs r where r.state = 0 order by r.ready_at limit %s for no key update skip locked
)
update skeleton.runs r set state = 1, owner = 1, ready_at = null from taken where r.id = taken.id
returning r.id
"""
SETTLE = """
with fence as materialized (select 1 from skeleton.leases where id = 1 and not fenced for key share),
steps as (
    insert into skeleton.steps (run, position, inputs, outcome, finished_at)
    select t.run, t.position, t.inputs, t.outcome, clock_timestamp()
    from fence, unnest(%s::uuid[], %s::int[], %s::bytea[], %s::bytea[]) as t (run, position, inputs, outcome)
    returning 1
),
ended as (
    update skeleton.runs r set state = 2, owner = null, result = t.result, finished_at = clock_timestamp()
    from fence, unnest(%s::uuid[], %s::bytea[]) as t (id, result) where r.id = t.id and r.owner = 1
    returning 1
)
select (select count(*) from steps), (select count(*) from ended)
"""


@dataclass
class Step:
    """One call on its way."""

    run: UUID
    position: int
    argument: int
    result: int = 0


class Connection(asyncio.Protocol):
    """One worker's socket."""

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.reader = FrameReader()
        self.out: list[tuple[int, dict[str, int]]] = []
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect results for the next commit."""
        for body in self.reader.feed(data):
            self.pool.ended(_decode(body))

    def send(self, ticket: int, argument: int) -> None:
        """Queue one call for this loop turn's frame."""
        if not self.out:
            self.pool.loop.call_soon(self.flush)
        self.out.append((ticket, {"x": argument}))

    def flush(self) -> None:
        """Write one frame."""
        out, self.out = self.out, []
        body = _encode(out)
        self.transport.write(len(body).to_bytes(4, "little") + body)


@dataclass
class Pool:
    """Claims, dispatches, settles."""

    steps: int
    workflows: int
    fan: bool
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    workers: list[Connection] = field(default_factory=list)
    in_flight: dict[int, Step] = field(default_factory=dict)
    settled: list[Step] = field(default_factory=list)
    left: dict[UUID, int] = field(default_factory=dict)
    tickets: int = 0
    ready: int = 0
    all_ready: asyncio.Event = field(default_factory=asyncio.Event)
    completed: int = 0
    commits: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def dispatch(self, step: Step) -> None:
        """Send one call to the workers in turn."""
        self.tickets += 1
        self.in_flight[self.tickets] = step
        self.workers[self.tickets % WORKERS].send(self.tickets, step.argument)

    def ended(self, results: list[tuple[int, int]]) -> None:
        """Note results; the committer takes them all at once. An empty batch is a worker's hello."""
        if not results:
            self.ready += 1
            if self.ready == WORKERS:
                self.all_ready.set()
            return
        for ticket, result in results:
            step = self.in_flight.pop(ticket)
            step.result = result
            self.settled.append(step)
        self.wake.set()

    def begin(self, run: UUID) -> None:
        """Dispatch what a fresh run starts with."""
        if self.fan:
            self.left[run] = self.steps
            for position in range(self.steps):
                self.dispatch(Step(run, position, position))
        else:
            self.dispatch(Step(run, 0, 0))

    def after(self, step: Step) -> Step | None:
        """The step that follows; None when the run waits for others or has ended."""
        if self.fan:
            self.left[step.run] -= 1
            return None
        return (
            Step(step.run, step.position + 1, step.result)
            if step.position + 1 < self.steps
            else None
        )

    def is_last(self, step: Step) -> bool:
        """Whether the run ends with this step."""
        return self.left[step.run] == 0 if self.fan else step.position + 1 == self.steps

    async def commit(self, session: psycopg.AsyncConnection) -> None:
        """Commit until everything has ended."""
        while not self.done.is_set():
            await self.wake.wait()
            self.wake.clear()
            batch, self.settled = self.settled, []
            following = [self.after(step) for step in batch]
            last = [step for step in batch if self.is_last(step)]
            await session.execute(
                SETTLE,
                (
                    [step.run for step in batch],
                    [step.position for step in batch],
                    [_encode({"x": step.argument}) for step in batch],
                    [_encode(step.result) for step in batch],
                    [step.run for step in last],
                    [_encode(step.result) for step in last],
                ),
                binary=True,
                prepare=True,
            )
            self.commits += 1
            for step in following:
                if step is not None:
                    self.dispatch(step)
            self.completed += len(last)
            self.room.set()
            if self.completed >= self.workflows:
                self.done.set()

    async def claim(self, session: psycopg.AsyncConnection) -> None:
        """Claim until every run was taken."""
        claimed = 0
        while claimed < self.workflows:
            room = ACTIVE - (claimed - self.completed)
            if room <= 0:
                self.room.clear()
                await self.room.wait()
                continue
            cursor = await session.execute(CLAIM, (room,), binary=True, prepare=True)
            for (run,) in await cursor.fetchall():
                claimed += 1
                self.begin(run)
            await asyncio.sleep(0)


async def measure(dsn: str, *, steps: int, workflows: int, fan: bool) -> dict[str, float]:
    """Run one workload and return its figures."""
    async with (
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as session,
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other,
    ):
        await session.execute(TABLES.encode())
        pool = Pool(steps, workflows, fan)
        processes = [await start_worker(pool) for _ in range(WORKERS)]
        await pool.all_ready.wait()
        ids = [uuid4() for _ in range(workflows)]
        inputs = _encode({"n": steps})
        began = time.perf_counter()
        for start in range(0, workflows, ENQUEUE_BATCH):
            part = ids[start : start + ENQUEUE_BATCH]
            await other.execute(ENQUEUE, (part, [inputs] * len(part)), binary=True)
        enqueued = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(pool.commit(session))
            group.create_task(pool.claim(other))
        ended = time.perf_counter()
        for connection in pool.workers:
            connection.transport.close()
        for process in processes:
            await process.wait()
    return {
        "seconds": ended - began,
        "run_seconds": ended - enqueued,
        "enqueue_seconds": enqueued - began,
        "commits": pool.commits,
    }


async def start_worker(pool: Pool) -> asyncio.subprocess.Process:
    """Start one worker with its end of a socket pair."""
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.skeleton.worker",
        str(theirs.fileno()),
        pass_fds=(theirs.fileno(),),
    )
    theirs.close()
    _, connection = await pool.loop.create_connection(lambda: Connection(pool), sock=ours)
    pool.workers.append(connection)
    return process


def main() -> None:
    """Read the arguments; the database is ``WAYMARK_DATABASE_URL``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.skeleton")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--workflows", type=int, default=2000)
    parser.add_argument("--fan", action="store_true")
    given = parser.parse_args()
    figures = asyncio.run(
        measure(
            os.environ["WAYMARK_DATABASE_URL"],
            steps=given.steps,
            workflows=given.workflows,
            fan=given.fan,
        )
    )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
