-- name: prune_instances
-- The instance row is locked first, `skip locked`, and the predicate checked again on it, so a run that an
-- operator sends on meanwhile is left alone; everything that hangs on it goes in the same statement. A
-- child stays while its parent is unfinished.
with doomed as materialized (
    select i.id from {schema}.instances as i
    where i.state in (4, 5, 6) and i.finished_at < statement_timestamp() - $retention::interval
        and not exists (
            select from {schema}.instances as p where p.id = i.parent and p.finished_at is null
        )
    limit $room::integer
    for update of i skip locked
),
entries as (
    delete from {schema}.journal as j using doomed as d where j.instance = d.id returning 1
),
kept as (delete from {schema}.snapshots as s using doomed as d where s.instance = d.id),
mail as (delete from {schema}.inbox as x using doomed as d where x.instance = d.id),
flying as (delete from {schema}.in_flight as f using doomed as d where f.instance = d.id),
gone as (delete from {schema}.instances as i using doomed as d where i.id = d.id returning 1)
select (select count(*) from gone) as instances, (select count(*) from entries) as entries;
