-- name: enqueue
-- Insert-only, ids made by the client and inserted in their order, so two batches with the same ids wait
-- for each other in one direction; a resend finds its rows and adds nothing. Whatever adds no row is reported,
-- because its program is not registered, or because its id or its key has a row already.
with asked as materialized (
    select * from unnest(
        $id::uuid[], $program::bigint[], $inputs::bytea[], $priority::integer[], $awaited::boolean[],
        $start_at::timestamptz[], $delay::interval[], $idempotency_key::text[]
    ) as t (id, program, inputs, priority, awaited, start_at, delay, idempotency_key)
),
timed as materialized (
    select a.*, coalesce(a.start_at, clock_timestamp() + a.delay) as due from asked as a
),
added as (
    insert into {schema}.instances (
        id, program, inputs, priority, awaited, state, ready_at, wake_at, idempotency_key
    )
    select
        t.id, t.program, t.inputs, t.priority, t.awaited,
        case when t.due > clock_timestamp() then 1 else 0 end,
        case when t.due > clock_timestamp() then null else clock_timestamp() end,
        case when t.due > clock_timestamp() then t.due end,
        t.idempotency_key
    from timed as t
    where exists (select from {schema}.programs as p where p.id = t.program)
    order by t.id
    on conflict do nothing
    returning id, program
)
select
    a.id as instance, a.program as program,
    exists (select from {schema}.programs as p where p.id = a.program) as registered
from asked as a
where not exists (select from added as d where d.id = a.id and d.program = a.program);

-- name: strangers
-- A plain read in a new statement, after runs with these ids were not added: who had the ids first is committed by now.
select i.id, a.program, theirs.workflow, ours.workflow as wanted
from unnest($id::uuid[], $program::bigint[]) as a (id, program)
join {schema}.instances as i on i.id = a.id
join {schema}.programs as theirs on theirs.id = i.program
join {schema}.programs as ours on ours.id = a.program
where theirs.workflow <> ours.workflow;

-- name: status
-- A plain read of committed rows; several waiters share one statement.
select i.id, i.state, i.finished_at is not null as finished
from {schema}.instances as i where i.id = any ($id::uuid[]);

-- name: results
-- A plain read; a finished row no longer changes, except by an operator's retry.
select i.id, i.state, i.result, i.error, i.created_at, i.started_at, i.finished_at
from {schema}.instances as i where i.id = any ($id::uuid[]) and i.finished_at is not null;

-- name: queued
-- A plain read; a run that is claimed meanwhile is simply not looked at again.
select i.id, i.program from {schema}.instances as i where i.id = any ($id::uuid[]) and i.state = 0;

-- name: find_by_key
-- Read in a new statement after a keyed start added no row: the winner is committed by then.
select i.id, i.state from {schema}.instances as i where i.idempotency_key = $idempotency_key::text;

-- name: claim
-- Fenced by the lease's key-share lock; rows are taken `skip locked`, so racing pools never wait for nor
-- share one. The first look is unlocked and only divides the room between programs, one each in turn; the
-- second locks no more than that. What is asked are stretches of the queue, from the highest priority of a
-- program down: whole ones, and those of one priority that begin at a time. A run that was begun under another
-- CPython is left to live pools of that version that know its program; who they are is only read if there is
-- such a run. An epoch that can be no higher begins again: one row must not keep all others from being claimed.
-- Inputs come along only for instances that nobody ever ran: they never change, and such an instance has no
-- journal to be read too early.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
),
heirs as materialized (
    select p.programs, split_part(p.python, '.', 2) as python_minor
    from {schema}.pools as p
    where p.id in (
        select l.pool from {schema}.leases as l where not l.fenced and l.expires_at > clock_timestamp()
    )
),
asked as materialized (
    select * from unnest($program::bigint[], $low::integer[], $high::integer[], $since::timestamptz[])
        with ordinality as t (program, low, high, since, turn)
),
seen as materialized (
    select a.program, a.turn, s.nth from asked as a
    cross join lateral (
        select row_number() over () as nth from (
            select from {schema}.instances as i
            where i.state = 0 and i.program = a.program and i.priority between a.low and a.high
                and (i.python_minor is null or i.python_minor = $python_minor::smallint or not exists (
                    select from heirs as h
                    where h.python_minor = i.python_minor::text and i.program = any (h.programs)
                ))
            order by i.priority desc, i.ready_at
            limit $room::integer
        ) as q
    ) as s
    where a.since is null
    union all
    select a.program, a.turn, s.nth from asked as a
    cross join lateral (
        select row_number() over () as nth from (
            select from {schema}.instances as i
            where i.state = 0 and i.program = a.program and i.priority = a.low and i.ready_at >= a.since
                and (i.python_minor is null or i.python_minor = $python_minor::smallint or not exists (
                    select from heirs as h
                    where h.python_minor = i.python_minor::text and i.program = any (h.programs)
                ))
            order by i.ready_at
            limit $room
        ) as q
    ) as s
    where a.since is not null
),
quota as materialized (
    select a.program, a.low, a.high, a.since, count(*) as room
    from (
        select p.turn from (
            select s.turn, row_number() over (partition by s.program order by s.turn, s.nth) as place
            from seen as s
        ) as p
        order by p.place, p.turn limit $room
    ) as f
    join asked as a on a.turn = f.turn
    group by a.program, a.low, a.high, a.since
),
whole as materialized (
    select i.id, i.ready_at, i.started_at
    from fence, quota as q
    cross join lateral (
        select n.id, n.ready_at, n.started_at from {schema}.instances as n
        where n.state = 0 and n.program = q.program and n.priority between q.low and q.high
            and (n.python_minor is null or n.python_minor = $python_minor::smallint or not exists (
                select from heirs as h
                where h.python_minor = n.python_minor::text and n.program = any (h.programs)
            ))
        order by n.priority desc, n.ready_at
        limit q.room
        for no key update of n skip locked
    ) as i
    where q.since is null
),
marked as materialized (
    select i.id, i.ready_at, i.started_at
    from fence, quota as q
    cross join lateral (
        select n.id, n.ready_at, n.started_at from {schema}.instances as n
        where n.state = 0 and n.program = q.program and n.priority = q.low and n.ready_at >= q.since
            and (n.python_minor is null or n.python_minor = $python_minor::smallint or not exists (
                select from heirs as h
                where h.python_minor = n.python_minor::text and n.program = any (h.programs)
            ))
        order by n.ready_at
        limit q.room
        for no key update of n skip locked
    ) as i
    where q.since is not null
)
update {schema}.instances as i
set state = 2, owner = $lease, epoch = i.epoch % 2147483647 + 1, ready_at = null,
    started_at = coalesce(i.started_at, clock_timestamp()), python_minor = $python_minor
from (select * from whole union all select * from marked) as c
where i.id = c.id
returning
    i.id, i.epoch, i.program, i.priority, i.recoveries, i.awaited, i.created_at, c.ready_at,
    c.started_at is null as fresh,
    case when c.started_at is null then i.inputs end as inputs;

-- name: load
-- Run after the claim has committed, as its own statement, so that it sees everything the last owner
-- committed; only rows that the lease holds are returned, in the order of their ids, up to the one that fills
-- the room.
with sized as (
    select
        i.id, octet_length(i.inputs) + coalesce(octet_length(s.state), 0) as bytes
    from {schema}.instances as i
    left join {schema}.snapshots as s on s.instance = i.id
    where i.id = any ($id::uuid[]) and (i.owner = $lease::bigint) is true
),
placed as (
    select s.id, sum(s.bytes) over (order by s.id rows unbounded preceding) - s.bytes as before
    from sized as s
)
select
    i.id, i.epoch, i.program, i.inputs, i.priority, i.recoveries, i.created_at,
    s.position as snapshot_position, s.python_minor as snapshot_python_minor, s.state as snapshot
from placed as p
join {schema}.instances as i on i.id = p.id
left join {schema}.snapshots as s on s.instance = i.id
where p.before < $room::bigint
order by i.id;

-- name: owned
-- After the answer to a claim was lost: what the lease holds, whether this process knows of it or not. A
-- row that is finished or parked between this read and `load` is not returned by `load` any more.
select
    i.id, i.epoch, i.program, i.priority, i.recoveries, i.awaited, i.created_at,
    coalesce(i.started_at, i.created_at) as ready_at, false as fresh, null::bytea as inputs
from {schema}.instances as i where i.owner = $lease::bigint;

-- name: wake_due
-- Only parked rows, which have no owner; locked `skip locked`, the predicate is checked again on the
-- locked row, so two pools never wake one twice.
with due as materialized (
    select i.id from {schema}.instances as i
    where i.state in (1, 3) and i.wake_at <= statement_timestamp()
    order by i.wake_at
    limit $room::integer
    for no key update of i skip locked
)
update {schema}.instances as i
set state = 0, ready_at = clock_timestamp(), wake_at = null
from due where i.id = due.id
returning i.id, i.program;

-- name: wake_addressed
-- Parked rows with mail, started from the inbox, which holds only what is not consumed yet; a message
-- that arrives while its instance parks is seen here or by the owner's own look after its park commit.
-- Mail does not hurry a delayed start, except when it cancels it. The state is asked in a form that no
-- index serves: a million sleepers must not be walked for one letter.
with addressed as materialized (
    select x.instance as id, bool_or(x.kind = 1) as cancelled from {schema}.inbox as x group by x.instance
),
due as materialized (
    select i.id from addressed as a
    join {schema}.instances as i on i.id = a.id
    where case i.state when 3 then true when 1 then a.cancelled else false end
    limit $room::integer
    for no key update of i skip locked
)
update {schema}.instances as i
set state = 0, ready_at = clock_timestamp(), wake_at = null
from due where i.id = due.id
returning i.id, i.program;

-- name: wake_parked
-- The owner's look after its park commit: a new statement, so it sees a message that came in between.
with due as materialized (
    select i.id from {schema}.instances as i
    where i.id = any ($id::uuid[]) and (i.state = 3) is true
        and exists (select from {schema}.inbox as x where x.instance = i.id)
    order by i.id
    for no key update of i skip locked
)
update {schema}.instances as i
set state = 0, ready_at = clock_timestamp(), wake_at = null
from due where i.id = due.id
returning i.id, i.program;

-- name: next_wake
-- A plain read of the first entry of an index. What a person wrote there, infinity say, may be no time that can be
-- counted from now: a day is as good as any longer time.
select
    greatest(least(i.wake_at, clock_timestamp() + interval '1 day'), clock_timestamp() - interval '1 day')
    - clock_timestamp() as due_in
from {schema}.instances as i
where i.state in (1, 3) and i.wake_at is not null
order by i.wake_at limit 1;

-- name: release
-- Any pool, any time, repeated until no row. The dead are found first and joined by equality: a row that
-- was released and claimed anew between this statement's snapshot and its lock then no longer matches,
-- while an outer join would take the new owner for a missing one.
with recursive owners as (
    select min(i.owner) as owner from {schema}.instances as i where i.owner is not null
    union all
    select (select min(i.owner) from {schema}.instances as i where i.owner > o.owner)
    from owners as o where o.owner is not null
),
dead as materialized (
    select o.owner from owners as o
    left join {schema}.leases as l on l.id = o.owner
    where o.owner is not null and (l.id is null or l.fenced)
),
o as materialized (
    select i.id from dead as d
    join {schema}.instances as i on i.owner = d.owner
    limit $room::integer
    for no key update of i skip locked
),
shown as materialized (
    select f.instance, f.call from o join {schema}.in_flight as f on f.instance = o.id for update of f skip locked
),
live as (
    delete from {schema}.in_flight as f using shown as s where f.instance = s.instance and f.call = s.call
)
update {schema}.instances as i
set state = 0, owner = null, ready_at = clock_timestamp(), recoveries = least(i.recoveries + 1, 32000)
from o where i.id = o.id
returning i.id, i.program;

-- name: queue_depth
-- A plain count over the index of runnable rows, cut off so that a deep queue stays cheap to look at.
select count(*) as queued, min(q.ready_at) as oldest_ready_at,
    coalesce(extract(epoch from clock_timestamp() - min(q.ready_at)), 0)::double precision as oldest_s
from (
    select i.ready_at from {schema}.instances as i where i.state = 0 limit $room::integer
) as q;
