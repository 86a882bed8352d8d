-- name: of_instance
-- A plain read for people; a row is as old as the last commit that wrote it.
select f.instance, f.call, f.attempt, f.action, f.inputs, f.queued_at, f.started_at, f.worker, f.lease
from {schema}.in_flight as f where f.instance = $instance::uuid order by f.call;

-- name: sweep
-- Rows left behind by dead leases and by runs that ended; nobody writes them any more.
delete from {schema}.in_flight as f
where not exists (
    select from {schema}.leases as l
    join {schema}.instances as i on i.owner = l.id
    where l.id = f.lease and i.id = f.instance and not l.fenced
);
