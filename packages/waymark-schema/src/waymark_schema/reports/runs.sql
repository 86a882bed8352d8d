-- name: page
-- A plain read, planned anew for the filters given (never prepared): each state is spelled out, because the
-- partial indexes apply only to what names their state; keyset by id, which sorts by creation, so rows that
-- appear meanwhile shift nothing.
select
    i.id, p.workflow, p.version, i.state, i.priority, i.recoveries, i.created_at, i.started_at,
    i.finished_at,
    -- What a person wrote there, infinity say, may be no time that can be shown.
    case when i.wake_at between '0001-01-02Z' and '9999-12-30Z' then i.wake_at end as wake_at
from {schema}.instances as i
left join {schema}.programs as p on p.id = i.program
where (
        $states::smallint[] is null
        or (i.state = 0 and 0 = any ($states))
        or (i.state = 1 and 1 = any ($states))
        or (i.state = 2 and i.owner is not null and 2 = any ($states))
        or (i.state = 3 and 3 = any ($states))
        or (i.state = 4 and 4 = any ($states))
        or (i.state = 5 and 5 = any ($states))
        or (i.state = 6 and 6 = any ($states))
        or (i.state = 7 and 7 = any ($states))
    )
    and ($programs::bigint[] is null or i.program = any ($programs))
    and ($before::uuid is null or i.id < $before)
    and ($after::uuid is null or i.id > $after)
order by i.id desc
limit $room::integer;

-- name: page_backwards
-- The same page read towards newer rows, for a "newer" link.
select
    i.id, p.workflow, p.version, i.state, i.priority, i.recoveries, i.created_at, i.started_at,
    i.finished_at,
    -- What a person wrote there, infinity say, may be no time that can be shown.
    case when i.wake_at between '0001-01-02Z' and '9999-12-30Z' then i.wake_at end as wake_at
from {schema}.instances as i
left join {schema}.programs as p on p.id = i.program
where (
        $states::smallint[] is null
        or (i.state = 0 and 0 = any ($states))
        or (i.state = 1 and 1 = any ($states))
        or (i.state = 2 and i.owner is not null and 2 = any ($states))
        or (i.state = 3 and 3 = any ($states))
        or (i.state = 4 and 4 = any ($states))
        or (i.state = 5 and 5 = any ($states))
        or (i.state = 6 and 6 = any ($states))
        or (i.state = 7 and 7 = any ($states))
    )
    and ($programs::bigint[] is null or i.program = any ($programs))
    and i.id > $after::uuid
order by i.id
limit $room::integer;

-- name: programs_of
-- A plain read of a small table whose rows never change.
select p.id, p.version, p.registered_at from {schema}.programs as p
where p.workflow = $workflow::text
order by p.registered_at desc;

-- name: workflows
-- A plain read of a small table whose rows never change.
select p.workflow, count(*) as versions from {schema}.programs as p group by p.workflow order by p.workflow;

-- name: counts
-- Plain reads, each cut off, so that a page over millions of runs stays quick.
select 0::smallint as state, count(*) as runs
from (select from {schema}.instances as i where i.state = 0 limit $most::integer) as q
union all
select 1::smallint, count(*) from (select from {schema}.instances as i where i.state = 1 limit $most) as q
union all
select 2::smallint, count(*) from (select from {schema}.instances as i where i.owner is not null limit $most) as q
union all
select 3::smallint, count(*) from (select from {schema}.instances as i where i.state = 3 limit $most) as q
union all
select 4::smallint, count(*) from (select from {schema}.instances as i where i.state = 4 limit $most) as q
union all
select 5::smallint, count(*) from (select from {schema}.instances as i where i.state = 5 limit $most) as q
union all
select 6::smallint, count(*) from (select from {schema}.instances as i where i.state = 6 limit $most) as q
union all
select 7::smallint, count(*) from (select from {schema}.instances as i where i.state = 7 limit $most) as q;
