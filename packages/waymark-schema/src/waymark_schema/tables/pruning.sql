-- name: prune_instances
-- The instance rows are locked first, `skip locked`, and the predicate checked again on them, so a run that
-- an operator sends on meanwhile is left alone and two pruners never meet; what hangs on them goes in the
-- same statement, so a crash leaves no orphans. A run stays while any run above it is unfinished. A batch
-- is cut off at `most` entries: a journal that alone is longer goes in slices, oldest entries first, which
-- nobody can mistake for a whole one.
with doomed as materialized (
    select i.id, i.finished_at from {schema}.instances as i
    where i.state = $state::smallint and i.state >= 4
        and i.finished_at >= coalesce($since::timestamptz, '-infinity')
        and i.finished_at < statement_timestamp() - $retention::interval
        and (i.parent is null or not exists (
            with recursive above as (
                select p.id, p.parent, p.finished_at from {schema}.instances as p where p.id = i.parent
                union
                select p.id, p.parent, p.finished_at
                from above as a join {schema}.instances as p on p.id = a.parent
            )
            select from above where above.finished_at is null
        ))
    order by i.finished_at
    limit $room::integer
    for update of i skip locked
),
sized as materialized (
    select
        d.id, d.finished_at, j.first,
        sum(coalesce(j.last - j.first + 1, 0)) over (order by d.finished_at, d.id) as entries
    from doomed as d
    cross join lateral (
        select min(x.position) as first, max(x.position) as last
        from {schema}.journal as x where x.instance = d.id
    ) as j
),
whole as materialized (select s.id, s.finished_at from sized as s where s.entries <= $most::integer),
slice as materialized (
    select s.id, s.first + $most as stop from sized as s
    where not exists (select from whole)
    order by s.finished_at, s.id
    limit 1
),
cut as (
    delete from {schema}.journal as j using slice as s where j.instance = s.id and j.position < s.stop
    returning 1
),
entries as (
    delete from {schema}.journal as j where j.instance = any (array(select w.id from whole as w))
    returning 1
),
kept as (delete from {schema}.snapshots as s where s.instance = any (array(select w.id from whole as w))),
mail as (delete from {schema}.inbox as x where x.instance = any (array(select w.id from whole as w))),
flying as (delete from {schema}.in_flight as f where f.instance = any (array(select w.id from whole as w))),
offered as (delete from {schema}.offers as o where o.instance = any (array(select w.id from whole as w))),
noted as (delete from {schema}.audit as a where a.instance = any (array(select w.id from whole as w))),
gone as (
    delete from {schema}.instances as i where i.id = any (array(select w.id from whole as w))
    returning 1
)
select
    (select count(*) from doomed) as found,
    (select count(*) from gone) as instances,
    (select count(*) from entries) + (select count(*) from cut) as entries,
    (select max(w.finished_at) from whole as w) as newest;
