-- name: release
-- Offers of dead owners go (the new owner offers or runs the call itself); what a dead taker held is open
-- again. Taken `skip locked`, the dead joined by equality as in the release of instances.
with dead as materialized (
    select l.id from {schema}.leases as l where l.fenced
    union
    select o.owner from {schema}.offers as o
    where not exists (select from {schema}.leases as l where l.id = o.owner)
    union
    select o.taken_by from {schema}.offers as o
    where o.taken_by is not null and not exists (select from {schema}.leases as l where l.id = o.taken_by)
),
o as materialized (
    select f.instance, f.call, f.attempt from dead as d
    join {schema}.offers as f on f.taken_by = d.id
    limit $room::integer
    for no key update of f skip locked
)
update {schema}.offers as f
set taken_by = null, taken_at = null
from o where f.instance = o.instance and f.call = o.call and f.attempt = o.attempt
returning f.instance, f.call, f.attempt;

-- name: live
-- A plain read by a new owner, before it dispatches: a live offer is adopted instead of repeated.
select f.instance, f.call, f.attempt from {schema}.offers as f
where f.instance = any ($instance::uuid[])
order by f.instance, f.call, f.attempt;
