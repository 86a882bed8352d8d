-- name: tail
-- A plain read, run by the owner in a statement after its claim: nobody else appends to these instances.
-- Cut off behind the entry that fills the room: lengths are known without reading what they are the lengths of.
with sized as (
    select
        j.instance, j.position, j.kind, j.call, j.attempt, j.action, j.outcome, j.outcome_kind, j.local,
        j.python_minor,
        coalesce(octet_length(j.outcome), 0) + coalesce(octet_length(j.local), 0) + $beside::bigint as bytes
    from unnest($instance::uuid[], $after::integer[]) as t (instance, after)
    join {schema}.journal as j on j.instance = t.instance and j.position > t.after
),
placed as (
    select
        s.instance, s.position, s.kind, s.call, s.attempt, s.action, s.outcome, s.outcome_kind, s.local,
        s.python_minor,
        sum(s.bytes) over (order by s.instance, s.position rows unbounded preceding) - s.bytes as before
    from sized as s
)
select
    p.instance, p.position, p.kind, p.call, p.attempt, p.action, p.outcome, p.outcome_kind, p.local,
    p.python_minor
from placed as p
where p.before < $room::bigint
order by p.instance, p.position;
