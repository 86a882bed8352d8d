-- name: pools
-- A plain read of small tables.
select
    p.id, p.host, p.pid, p.version, p.python, p.started_at, p.seen_at, p.stopped_at, p.actions,
    cardinality(p.programs) as programs, p.workers::text as workers_json,
    coalesce(l.leases, 0) as leases, coalesce(l.alive, false) as alive, coalesce(i.held, 0) as held
from {schema}.pools as p
left join lateral (
    select count(*) as leases, bool_or(l.expires_at > clock_timestamp()) as alive
    from {schema}.leases as l where l.pool = p.id and not l.fenced
) as l on true
left join lateral (
    select count(*) as held
    from {schema}.leases as l join {schema}.instances as i on i.owner = l.id
    where l.pool = p.id
) as i on true
where p.seen_at > clock_timestamp() - $seen_within::interval or l.alive
order by p.id desc;

-- name: known
-- A plain read of small tables: which registered programs the workers of each pool compiled themselves.
select p.id as pool, r.workflow, r.version
from {schema}.pools as p
join {schema}.programs as r on r.id = any (p.programs)
where p.id = any ($pools::bigint[])
order by p.id, r.workflow, r.version;

-- name: samples
-- A plain read of an append-only table.
select
    s.pool, s.sampled_at, s.actions_completed, s.actions_failed, s.instances_completed, s.memory_bytes,
    s.instances_active, s.calls_in_flight, s.calls_queued, s.workers, s.queue_latency_ms
from {schema}.pool_samples as s
where s.sampled_at > statement_timestamp() - $within::interval
order by s.pool, s.sampled_at;

-- name: unserved
-- A plain read: programs with runnable runs that neither one live pool nor several together can run, and
-- which of their actions no live pool has.
with alive as materialized (
    select o.actions, o.program_format, o.program_semantics
    from {schema}.pools as o
    where exists (
        select from {schema}.leases as l
        where l.pool = o.id and not l.fenced and l.expires_at > clock_timestamp()
    )
)
select
    p.id, p.workflow, p.version, q.queued, p.format, p.semantics, u.actions as unknown_actions
from {schema}.programs as p
cross join lateral (
    select count(*) as queued from (
        select from {schema}.instances as i where i.state = 0 and i.program = p.id limit $most::integer
    ) as c
) as q
cross join lateral (
    select array(
        select a.action from unnest(p.actions) as a (action)
        where not exists (select from alive as o where a.action = any (o.actions))
    ) as actions
) as u
where q.queued > 0 and not exists (
    select from alive as o
    where o.program_format >= p.format and o.program_semantics >= p.semantics
        and (p.actions <@ o.actions or (p.actions && o.actions and u.actions = '{}'))
)
order by p.workflow, p.version;
