-- name: register
-- Insert once; a racing registration of the same digest waits for the first and then adds nothing. The
-- caller reads the holder in a new statement, which sees the winner.
insert into {schema}.programs (
    id, workflow, version, digest, format, semantics, actions, program, source
)
select
    $id::bigint, $workflow::text, $version::text, $digest::bytea, $format::smallint,
    $semantics::smallint, $actions::text[], $program::bytea, $source::text
where $id is not null
on conflict do nothing;

-- name: holder
-- A plain read in the statement after `register`: rows of this table never change. Who holds the version
-- comes first; if nobody does, the same code is there under another version.
select p.id, p.workflow, p.version, p.digest from {schema}.programs as p
where (p.workflow = $workflow::text and p.version = $version::text) or p.id = $id::bigint
order by (p.workflow = $workflow::text and p.version = $version::text) desc
limit 1;

-- name: load
-- A plain read; rows of this table never change.
select
    p.id, p.workflow, p.version, p.digest, p.format, p.semantics, p.actions, p.program
from {schema}.programs as p where p.id = any ($id::bigint[]);

-- name: headers
-- A plain read of everything a pool needs to decide whether it can run a program.
select p.id, p.workflow, p.version, p.format, p.semantics, p.actions
from {schema}.programs as p
where p.id <> all (coalesce($known::bigint[], '{}'));

-- name: prune
-- Rows that no instance refers to and no live pool reports; a client that enqueues one meanwhile gets it
-- back as unknown, or its instance waits until a pool registers the same digest under the same id.
with idle as materialized (
    select p.id from {schema}.programs as p
    where p.registered_at < clock_timestamp() - $unused_for::interval
        and not exists (
            select from {schema}.pools as l
            where p.id = any (l.programs) and l.stopped_at is null
                and l.seen_at > clock_timestamp() - interval '1 day'
        )
),
unserved as materialized (
    -- These have an index by program.
    select d.id from idle as d
    where not exists (select from {schema}.instances as i where i.program = d.id and i.state = 0)
        and not exists (select from {schema}.instances as i where i.program = d.id and i.state >= 4)
),
busy as materialized (
    -- These have not: they are gone through once for all programs, and without a candidate not at all.
    select i.program from {schema}.instances as i
    where i.owner is not null and exists (select from unserved)
    union
    select i.program from {schema}.instances as i
    where i.state in (1, 3) and exists (select from unserved)
)
delete from {schema}.programs as p using unserved as u
where p.id = u.id and not exists (select from busy as b where b.program = u.id)
returning p.id, p.workflow, p.version, p.digest;

-- name: set_time_limit
-- Local to the transaction of `prune`.
select set_config('statement_timeout', $milliseconds::text, true) as statement_timeout;
