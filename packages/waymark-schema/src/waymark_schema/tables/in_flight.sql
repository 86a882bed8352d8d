-- name: sweep
-- Rows left behind by dead leases and by runs that ended; nobody writes them any more. What a release deletes just
-- now is left to it.
with left_over as materialized (
    select f.instance, f.call from {schema}.in_flight as f
    where not exists (
        select from {schema}.leases as l
        join {schema}.instances as i on i.owner = l.id
        where l.id = f.lease and i.id = f.instance and not l.fenced
    )
    for update of f skip locked
)
delete from {schema}.in_flight as f using left_over as x where f.instance = x.instance and f.call = x.call;
