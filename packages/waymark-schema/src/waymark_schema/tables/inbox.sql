-- name: send
-- Insert-only, never touches the instance row, so a caller's open transaction blocks no owner. A message
-- to a run that ends at the same moment is left over and goes with the run.
with target as materialized (
    select i.id, i.state from {schema}.instances as i where i.id = $instance::uuid
),
added as (
    insert into {schema}.inbox (instance, kind, call, attempt, outcome_kind, name, payload)
    select
        t.id, $kind::smallint, $call::integer, $attempt::smallint, $outcome_kind::smallint,
        $name::text, $payload::bytea
    from target as t
    where t.state < 4 or $kind = 4
    on conflict do nothing
    returning id
)
select t.state, (select a.id from added as a) as message from target as t;

-- name: pending
-- A plain read by the owner; what arrives later is found by its next look.
select x.instance, x.id, x.kind, x.call, x.attempt, x.outcome_kind, x.name, x.payload, x.arrived_at
from {schema}.inbox as x
where x.instance = any ($instance::uuid[])
order by x.instance, x.id;

-- name: pending_of_lease
-- A plain read over all that a lease holds, started from the inbox, which holds only unconsumed rows.
select x.instance, x.id, x.kind, x.call, x.attempt, x.outcome_kind, x.name, x.payload, x.arrived_at
from {schema}.inbox as x
join {schema}.instances as i on i.id = x.instance
where i.owner = $lease::bigint
order by x.instance, x.id
limit $room::integer;

-- name: sweep
-- Mail that was sent while its run was pruned. Nobody can mean it: ids are never used twice.
delete from {schema}.inbox as x
where not exists (select from {schema}.instances as i where i.id = x.instance);
