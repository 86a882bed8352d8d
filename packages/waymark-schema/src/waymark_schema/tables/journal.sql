-- name: tail
-- A plain read, run by the owner in a statement after its claim: nobody else appends to these instances.
select
    j.instance, j.position, j.kind, j.call, j.attempt, j.action, j.outcome, j.outcome_kind, j.local,
    j.python_minor
from unnest($instance::uuid[], $after::integer[]) as t (instance, after)
join {schema}.journal as j on j.instance = t.instance and j.position > t.after
order by j.instance, j.position;
