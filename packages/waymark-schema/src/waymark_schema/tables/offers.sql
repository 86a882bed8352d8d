-- name: want
-- One row, written only by its own runloop; a heartbeat on the same row waits for it, never for long.
update {schema}.leases set wants = $wants::integer where id = $lease::bigint and not fenced;

-- name: able
-- One row, written only by its own pool, before its regular report would say the same.
update {schema}.pools as p
set actions = $actions::text[]
from {schema}.leases as l
where l.id = $lease::bigint and p.id = l.pool and not p.actions @> $actions;

-- name: demand
-- A plain read: an answer that is old by the time it is used costs an offer that nobody takes, and that its
-- owner takes back.
select l.id as lease, l.wants, p.actions
from {schema}.leases as l
join {schema}.pools as p on p.id = l.pool
where l.id <> $lease::bigint and l.wants > 0 and not l.fenced and l.expires_at > clock_timestamp();

-- name: offer
-- Fenced by the lease's key-share lock: a reaper that waited for it releases the instances afterwards, and
-- their new owner finds the offers. Offered again after a lost answer it adds nothing.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
)
insert into {schema}.offers (instance, call, attempt, owner, action, inputs, program, timeout, deaths)
select t.instance, t.call, t.attempt, $lease, t.action, t.inputs, t.program, t.timeout, t.deaths
from fence, unnest(
    $instance::uuid[], $call::integer[], $attempt::smallint[], $action::text[], $inputs::bytea[],
    $program::bigint[], $timeout::interval[], $deaths::smallint[]
) as t (instance, call, attempt, action, inputs, program, timeout, deaths)
order by t.instance, t.call
on conflict do nothing;

-- name: take
-- Fenced by the taker's lease; rows are taken `skip locked`, so racing takers never share one. What was
-- taken once is its owner's again when the taker dies: nobody else takes it.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
),
c as materialized (
    select f.instance, f.call, f.attempt
    from fence, {schema}.offers as f
    where f.taken_by is null and f.takes = 0 and f.action = any ($action::text[]) and f.owner <> $lease
    order by f.offered_at
    limit $room::integer
    for no key update of f skip locked
)
update {schema}.offers as f
set taken_by = $lease, taken_at = clock_timestamp(), takes = 1
from c where f.instance = c.instance and f.call = c.call and f.attempt = c.attempt
returning f.instance, f.call, f.attempt, f.owner, f.action, f.inputs, f.program, f.timeout, f.deaths;

-- name: take_foreign
-- As `take`, but only what the offering pool cannot run itself: such a call waits for nobody's slots but
-- ours, so pools that are busy take it, too.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
),
c as materialized (
    select f.instance, f.call, f.attempt
    from fence, {schema}.offers as f
    where f.taken_by is null and f.takes = 0 and f.action = any ($action::text[]) and f.owner <> $lease
        and not exists (
            select from {schema}.leases as l join {schema}.pools as p on p.id = l.pool
            where l.id = f.owner and f.action = any (p.actions)
        )
    order by f.offered_at
    limit $room::integer
    for no key update of f skip locked
)
update {schema}.offers as f
set taken_by = $lease, taken_at = clock_timestamp(), takes = 1
from c where f.instance = c.instance and f.call = c.call and f.attempt = c.attempt
returning f.instance, f.call, f.attempt, f.owner, f.action, f.inputs, f.program, f.timeout, f.deaths;

-- name: give_back
-- The taker's own rows, of which nothing has run: anybody may take them, as if nothing had happened.
update {schema}.offers as f
set taken_by = null, taken_at = null, takes = 0, alone_since = null
from unnest($instance::uuid[], $call::integer[], $attempt::smallint[]) as t (instance, call, attempt)
where f.instance = t.instance and f.call = t.call and f.attempt = t.attempt
    and f.taken_by = $lease::bigint;

-- name: finish
-- One statement: the offer goes when its outcome is in the inbox, or neither happens. Fenced, and only for
-- rows that are still the taker's; what was withdrawn meanwhile is dropped. An attempt that timed out but
-- has not ended keeps its offer, so that its owner does not start the next one beside it.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
),
given as materialized (
    select t.* from fence, unnest(
        $instance::uuid[], $call::integer[], $attempt::smallint[], $outcome_kind::smallint[],
        $payload::bytea[], $ended::boolean[]
    ) as t (instance, call, attempt, outcome_kind, payload, ended)
),
gone as (
    delete from {schema}.offers as f using given as g
    where g.ended and f.instance = g.instance and f.call = g.call and f.attempt = g.attempt
        and f.taken_by = $lease
    returning f.instance, f.call, f.attempt
),
still as (
    update {schema}.offers as f set taken_at = clock_timestamp() from given as g
    where not g.ended and f.instance = g.instance and f.call = g.call and f.attempt = g.attempt
        and f.taken_by = $lease
    returning f.instance, f.call, f.attempt
)
insert into {schema}.inbox (instance, kind, call, attempt, outcome_kind, payload)
select g.instance, 3, g.call, g.attempt, g.outcome_kind, g.payload
from given as g
join (select * from gone union all select * from still) as x using (instance, call, attempt)
on conflict do nothing;

-- name: mark_alone
-- One of the taker's own rows. Fenced: a dead taker's offer tells for ever what it told when it was released.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
)
update {schema}.offers as f set alone_since = case when $alone::boolean then clock_timestamp() end
from fence
where f.instance = $instance::uuid and f.call = $call::integer and f.attempt = $attempt::smallint
    and f.taken_by = $lease
returning f.instance, f.call, f.attempt;

-- name: drop_taken
-- The taker's own rows whose outcome it has told before: the attempt has ended by now.
delete from {schema}.offers as f
using unnest($instance::uuid[], $call::integer[], $attempt::smallint[]) as t (instance, call, attempt)
where f.instance = t.instance and f.call = t.call and f.attempt = t.attempt
    and f.taken_by = $lease::bigint;

-- name: taken
-- A plain read by the taker: what is missing was withdrawn.
select f.instance, f.call, f.attempt from {schema}.offers as f where f.taken_by = $lease::bigint;

-- name: offered
-- A plain read by the owner, before it reads its mail: an offer that is gone has its outcome there.
select f.instance, f.call, f.attempt, f.taken_by is not null as taken, f.takes,
    f.alone_since is not null as alone
from {schema}.offers as f where f.owner = $lease::bigint;

-- name: take_back
-- Only rows that nobody holds: what a taker got meanwhile stays with it.
delete from {schema}.offers as f
using unnest($instance::uuid[], $call::integer[], $attempt::smallint[]) as t (instance, call, attempt)
where f.instance = t.instance and f.call = t.call and f.attempt = t.attempt
    and f.owner = $lease::bigint and f.taken_by is null
returning f.instance, f.call, f.attempt;

-- name: withdraw
-- Whoever holds them: their taker finds them gone, cancels what runs, and can write nothing.
delete from {schema}.offers as f
using unnest($instance::uuid[], $call::integer[], $attempt::smallint[]) as t (instance, call, attempt)
where f.instance = t.instance and f.call = t.call and f.attempt = t.attempt and f.owner = $lease::bigint;

-- name: adopt
-- Fenced by the new owner's lease and run after its claim: what the last owner offered is awaited instead
-- of repeated.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
)
update {schema}.offers as f set owner = $lease
from fence where f.instance = any ($instance::uuid[])
returning f.instance, f.call, f.attempt, f.taken_by is not null as taken, f.takes,
    f.alone_since is not null as alone;

-- name: release
-- What a dead taker held is its owner's again. Taken `skip locked`, the dead joined by equality as in the
-- release of instances.
with dead as materialized (
    select l.id from {schema}.leases as l where l.fenced
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

-- name: sweep
-- Offers of runs that have ended or are gone: their owner died between that commit and the withdrawal. An
-- ended run offers nothing, so none can appear behind this statement's back.
delete from {schema}.offers as f
where not exists (select from {schema}.instances as i where i.id = f.instance and i.state < 4);
