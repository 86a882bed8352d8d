-- name: detail
-- A plain read of one run and what surrounds it; a value larger than asked for stays behind, its size does not.
select
    i.id, i.program, p.workflow, p.version, i.state, i.priority, i.recoveries, i.epoch, i.created_at,
    i.ready_at, i.started_at, i.finished_at,
    -- What a person wrote there, infinity say, may be no time that can be shown.
    case when i.wake_at between '0001-01-02Z' and '9999-12-30Z' then i.wake_at end as wake_at,
    case when octet_length(i.inputs) <= $most::integer then i.inputs end as inputs,
    octet_length(i.inputs) as inputs_size,
    case when octet_length(i.result) <= $most then i.result end as result,
    octet_length(i.result) as result_size,
    case when octet_length(i.error) <= $most then i.error end as error,
    octet_length(i.error) as error_size,
    i.parent, i.schedule, i.idempotency_key, i.owner as lease, o.host, o.pid,
    (select coalesce(max(j.position), 0) from {schema}.journal as j where j.instance = i.id) as position,
    s.position as snapshot_position,
    (select count(*) from {schema}.inbox as x where x.instance = i.id) as unread
from {schema}.instances as i
left join {schema}.programs as p on p.id = i.program
left join {schema}.leases as l on l.id = i.owner
left join {schema}.pools as o on o.id = l.pool
left join {schema}.snapshots as s on s.instance = i.id
where i.id = $instance::uuid;

-- name: entries
-- A plain read of an append-only table; keyset by position, so entries that are added meanwhile come last.
select
    j.position, j.kind, j.call, j.attempt,
    coalesce(p.actions[j.action + 1], '') as action,
    case when octet_length(j.inputs) <= $most::integer then j.inputs end as inputs,
    octet_length(j.inputs) as inputs_size,
    case when octet_length(j.outcome) <= $most then j.outcome end as outcome,
    octet_length(j.outcome) as outcome_size,
    j.outcome_kind,
    case when octet_length(j.local) <= $most then j.local end as local,
    j.queued_at, j.started_at, j.finished_at, j.worker, j.python_minor
from {schema}.journal as j
join {schema}.instances as i on i.id = j.instance
left join {schema}.programs as p on p.id = i.program
where j.instance = $instance::uuid and j.position > $after::integer
order by j.position
limit $room::integer;

-- name: latest_entries
-- The same read from the end: the entries nearest before a position, or the last of all.
select
    j.position, j.kind, j.call, j.attempt,
    coalesce(p.actions[j.action + 1], '') as action,
    case when octet_length(j.inputs) <= $most::integer then j.inputs end as inputs,
    octet_length(j.inputs) as inputs_size,
    case when octet_length(j.outcome) <= $most then j.outcome end as outcome,
    octet_length(j.outcome) as outcome_size,
    j.outcome_kind,
    case when octet_length(j.local) <= $most then j.local end as local,
    j.queued_at, j.started_at, j.finished_at, j.worker, j.python_minor
from {schema}.journal as j
join {schema}.instances as i on i.id = j.instance
left join {schema}.programs as p on p.id = i.program
where j.instance = $instance::uuid and ($before::integer is null or j.position < $before)
order by j.position desc
limit $room::integer;

-- name: flying
-- A plain read; a row is as old as the commit that wrote it, and a dead owner's rows are left out. What another
-- pool has taken is seen in its offer, until that says how it ended.
select
    f.call, f.attempt, coalesce(p.actions[f.action + 1], '') as action,
    case when octet_length(f.inputs) <= $most::integer then f.inputs end as inputs,
    octet_length(f.inputs) as inputs_size, f.queued_at, f.started_at, f.worker, o.host, clock_timestamp() - f.started_at as running_for
from {schema}.in_flight as f
join {schema}.instances as i on i.id = f.instance and i.owner = f.lease
left join {schema}.programs as p on p.id = i.program
left join {schema}.leases as l on l.id = f.lease
left join {schema}.pools as o on o.id = l.pool
where f.instance = $instance::uuid
union all
select
    f.call, f.attempt, f.action,
    case when octet_length(f.inputs) <= $most then f.inputs end as inputs,
    octet_length(f.inputs) as inputs_size, f.offered_at, f.taken_at, null, o.host, clock_timestamp() - f.taken_at as running_for
from {schema}.offers as f
join {schema}.leases as l on l.id = f.taken_by and not l.fenced
join {schema}.pools as o on o.id = l.pool
where f.instance = $instance
    and not exists (
        select from {schema}.in_flight as n where n.instance = f.instance and n.call = f.call
    )
    and not exists (
        select from {schema}.inbox as x
        where x.instance = f.instance and x.call = f.call and x.attempt = f.attempt and x.kind = 3
    )
order by call;
