-- name: register
-- Insert-only; the identity sequence never gives a number twice, not even after a rollback.
insert into {schema}.leases (pool, application, expires_at, has_lock)
select $pool::bigint, $application::text, clock_timestamp() + $ttl::interval, $has_lock::boolean
where $pool is not null
returning id, beat, expires_at;

-- name: heartbeat
-- One row, `no key update`: it disturbs neither the owner's key-share lock nor waits for it. No row back
-- means fenced.
update {schema}.leases
set beat = beat + 1, expires_at = clock_timestamp() + $ttl::interval
where id = $lease::bigint and not fenced
returning beat, clock_timestamp() as now;

-- name: lock_session
-- A session lock that dies with the session: held never delays anybody, free may hasten a reaper.
select pg_try_advisory_lock($class::integer, $key::integer) as held;

-- name: unlock_session
-- Behind `leave`, on the session that holds the lock: a free lock of a lease that is not fenced hastens a reaper.
select pg_advisory_unlock($class::integer, $key::integer) as held;

-- name: watch
-- A plain read of leases and of `pg_locks`, never a try-lock, which behind a pooler returns true. What it
-- says of parked, addressed and orphaned runs only tells whether the statements that take them, which look
-- again under their locks, are worth running.
with recursive owners as (
    select min(i.owner) as owner from {schema}.instances as i where i.owner is not null
    union all
    select (select min(i.owner) from {schema}.instances as i where i.owner > o.owner)
    from owners as o where o.owner is not null
),
pulse as materialized (
    select
        (
            -- As in `next_wake`: not everything that may stand there can be counted from now.
            select greatest(least(i.wake_at, clock_timestamp() + interval '1 day'), clock_timestamp() - interval '1 day')
            from {schema}.instances as i
            where i.state in (1, 3) and i.wake_at is not null
            order by i.wake_at limit 1
        ) - clock_timestamp() as due_in,
        exists (select from {schema}.inbox) as mail,
        exists (
            select from owners as o
            left join {schema}.leases as l on l.id = o.owner
            where o.owner is not null and (l.id is null or l.fenced)
        ) or exists (
            select from {schema}.leases as l
            join {schema}.offers as f on f.taken_by = l.id where l.fenced
        ) or exists (
            select from {schema}.offers as f
            where f.taken_by is not null
                and not exists (select from {schema}.leases as l where l.id = f.taken_by)
        ) as orphans
)
select
    l.id, l.pool, l.beat, l.application,
    l.expires_at < clock_timestamp() as expired,
    l.has_lock and not exists (
        select from pg_locks as k
        where k.locktype = 'advisory' and k.granted and k.objsubid = 2
            and k.database = (select d.oid from pg_database as d where d.datname = current_database())
            and k.classid = $class::bigint::oid and k.objid = (l.id & 2147483647)::oid
    ) as lock_free,
    clock_timestamp() - pg_postmaster_start_time() as server_up,
    p.due_in, p.mail, p.orphans
from pulse as p
cross join {schema}.leases as l
where not l.fenced and l.id is distinct from $except::bigint
order by l.id;

-- name: set_lock_timeout
-- Local to the reaper's transaction.
select set_config('lock_timeout', $milliseconds::text, true) as lock_timeout;

-- name: try_lock
-- Inside the reaper's transaction, early path only: false means that the session lives after all.
select pg_try_advisory_xact_lock($class::integer, $key::integer) as held;

-- name: lock_expired
-- `for update` waits for the owner's commit in flight (its key-share lock) and is checked again after it:
-- a heartbeat in between moves expires_at.
select l.beat from {schema}.leases as l
where l.id = $lease::bigint and not l.fenced and l.expires_at < clock_timestamp()
for update;

-- name: lock_unbeaten
-- The early path: the same lock, and the beat must be the one that was observed. A lease for which no session
-- lock stands has no early path.
select l.beat from {schema}.leases as l
where l.id = $lease::bigint and not l.fenced and l.has_lock and l.beat = $observed::bigint
for update;

-- name: mark_fenced
-- The row is locked by this transaction; releasing what it owned is another transaction's business.
update {schema}.leases set fenced = true where id = $lease::bigint;

-- name: leave
-- A runloop gives its lease up by itself; whatever it still holds is then released like an orphan's. `for update`
-- waits, like a reaper's, for a commit in flight: a killed runloop's backend may still be at work on one.
with mine as materialized (
    select l.id from {schema}.leases as l where l.id = $lease::bigint and not l.fenced for update
)
update {schema}.leases as l set fenced = true from mine as m where l.id = m.id
returning l.beat, clock_timestamp() as now;

-- name: terminate
-- A ghost backend holds its locks until it is ended; the application name says whose sessions they are.
select pg_terminate_backend(a.pid) as held
from pg_stat_activity as a
where a.application_name = $application::text and a.pid <> pg_backend_pid()
    and a.datname = current_database();

-- name: terminate_backends
-- A backend whose client has gone may still finish its statement: who must know whether it did asks until
-- none of them is listed any more.
select a.pid, pg_terminate_backend(a.pid) as held
from pg_stat_activity as a
where a.pid = any ($pid::integer[]) and a.application_name = $application::text
    and a.pid <> pg_backend_pid() and a.datname = current_database();

-- name: remove
-- A lease row goes when nothing refers to it; new references cannot appear, since a fenced lease claims
-- and offers nothing.
with gone as materialized (
    select l.id from {schema}.leases as l
    where l.fenced
        and not exists (select from {schema}.instances as i where i.owner = l.id)
        and not exists (select from {schema}.offers as o where o.owner = l.id or o.taken_by = l.id)
    for update of l skip locked
),
markers as (delete from {schema}.commits as c using gone as g where c.lease = g.id),
shown as materialized (
    select f.instance, f.call from gone as g join {schema}.in_flight as f on f.lease = g.id for update of f skip locked
),
live as (
    delete from {schema}.in_flight as f using shown as s where f.instance = s.instance and f.call = s.call
)
delete from {schema}.leases as l using gone as g where l.id = g.id
returning l.id;
