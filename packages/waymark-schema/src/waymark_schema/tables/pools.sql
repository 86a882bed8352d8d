-- name: register
-- Insert-only; one row per process tree.
insert into {schema}.pools (pid, host, version, python, program_format, program_semantics)
select
    $pid::integer, $host::text, $version::text, $python::text, $program_format::smallint,
    $program_semantics::smallint
where $pid is not null
returning id;

-- name: find
-- A plain read by the pool itself: a database that was made anew, or is in the state of an earlier day, knows it
-- no longer, or knows another one by its number.
select p.id from {schema}.pools as p
where p.id = $pool::bigint and p.pid = $pid::integer and p.host = $host::text;

-- name: report
-- One row, written only by its own pool.
update {schema}.pools
set seen_at = clock_timestamp(), actions = $actions::text[], programs = $programs::bigint[],
    workers = $workers::jsonb
where id = $pool::bigint;

-- name: retire
-- One row, written only by its own pool: it begins nothing more, and no run is left to it any longer.
update {schema}.pools set programs = '{}' where id = $pool::bigint;

-- name: stop
-- One row, written only by its own pool.
update {schema}.pools set stopped_at = clock_timestamp() where id = $pool::bigint;

-- name: sample
-- Append-only; one row per pool and interval.
insert into {schema}.pool_samples (
    pool, actions_completed, actions_failed, instances_completed, memory_bytes, instances_active,
    calls_in_flight, calls_queued, workers, queue_latency_ms
)
select
    $pool::bigint, $actions_completed::bigint, $actions_failed::bigint, $instances_completed::bigint,
    $memory_bytes::bigint, $instances_active::integer, $calls_in_flight::integer,
    $calls_queued::integer, $workers::integer, $queue_latency_ms::double precision
where $pool is not null;

-- name: unserved
-- A plain read: programs with runnable runs that neither one live pool nor several together say they can
-- run. Pools report at intervals, so one that has just started to run a program is believed at the next look.
-- One that has every action and does not name the program cannot read it, and helps nobody.
with alive as materialized (
    select l.programs, l.actions, l.program_format, l.program_semantics
    from {schema}.pools as l
    where l.stopped_at is null and l.seen_at > clock_timestamp() - $silent::interval
)
select p.id, p.workflow, p.version
from {schema}.programs as p
where exists (select from {schema}.instances as i where i.state = 0 and i.program = p.id)
    and not exists (select from alive as l where p.id = any (l.programs))
    and (
        not exists (
            select from alive as l
            where l.program_format >= p.format and l.program_semantics >= p.semantics
                and l.actions && p.actions and not p.actions <@ (l.actions || $inline::text)
        )
        or not p.actions <@ array(select unnest(l.actions) from alive as l union select $inline)
    );

-- name: elsewhere
-- A plain read of what other pools with a lease reported: what has changed meanwhile is read the next time.
select p.actions, p.programs
from {schema}.pools as p
where p.id in (
    select l.pool from {schema}.leases as l where not l.fenced and l.expires_at > clock_timestamp()
) and p.id <> all (select l.pool from {schema}.leases as l where l.id = $lease::bigint);

-- name: prune_samples
-- Old rows of an append-only table, a batch at a time; two pruners take disjoint ones.
with old as materialized (
    select s.pool, s.sampled_at from {schema}.pool_samples as s
    where s.sampled_at < statement_timestamp() - $older_than::interval
    limit $room::integer
    for update of s skip locked
)
delete from {schema}.pool_samples as s using old as o where s.pool = o.pool and s.sampled_at = o.sampled_at;

-- name: prune_pools
-- Pools that stopped or fell silent long ago and hold no lease.
delete from {schema}.pools as p
where greatest(p.stopped_at, p.seen_at) < clock_timestamp() - $older_than::interval
    and not exists (select from {schema}.leases as l where l.pool = p.id);
