-- name: settle
-- One autocommit statement under READ COMMITTED, one committer per lease. The key-share lock on the lease
-- excludes the reaper's `for update`; the marker (lease, seq) chained to seq - 1 makes a resend
-- exactly-once; every writing CTE selects from the marker, none reads what another wrote; an instance row
-- that is not ours makes refuse() roll everything back, the marker included. Rows are found by key: `is
-- true` keeps the planner from walking everything that the lease owns instead.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
),
mark as (
    insert into {schema}.commits (lease, seq)
    select $lease, $seq::bigint from fence
    where $seq = 1 or exists (select from {schema}.commits where lease = $lease and seq = $seq - 1)
    on conflict do nothing
    returning 1
),
entries as (
    insert into {schema}.journal (
        instance, position, kind, call, attempt, action, inputs, outcome, outcome_kind, local,
        queued_at, started_at, finished_at, worker, python_minor
    )
    select
        t.instance, t.position, t.kind, t.call, t.attempt, t.action, t.inputs, t.outcome, t.outcome_kind,
        t.local, t.queued_at, t.started_at, t.finished_at, t.worker, $python_minor::smallint
    from mark, unnest(
        $j_instance::uuid[], $j_position::integer[], $j_kind::smallint[], $j_call::integer[],
        $j_attempt::smallint[], $j_action::smallint[], $j_inputs::bytea[], $j_outcome::bytea[],
        $j_outcome_kind::smallint[], $j_local::bytea[], $j_queued_at::timestamptz[],
        $j_started_at::timestamptz[], $j_finished_at::timestamptz[], $j_worker::integer[]
    ) as t (
        instance, position, kind, call, attempt, action, inputs, outcome, outcome_kind, local,
        queued_at, started_at, finished_at, worker
    )
    returning 1
),
updated as (
    update {schema}.instances as i
    set state = t.state,
        owner = case when t.state = 2 then $lease end,
        ready_at = case when t.state = 0 then clock_timestamp() end,
        wake_at = t.wake_at,
        finished_at = case when t.state >= 4 then clock_timestamp() end,
        result = t.result,
        error = t.error,
        recoveries = t.recoveries
    from mark, unnest(
        $i_id::uuid[], $i_epoch::integer[], $i_state::smallint[], $i_wake_at::timestamptz[],
        $i_result::bytea[], $i_error::bytea[], $i_recoveries::smallint[]
    ) as t (id, epoch, state, wake_at, result, error, recoveries)
    where i.id = t.id and i.epoch = t.epoch and (i.owner = $lease) is true
    returning 1
),
kept as (
    insert into {schema}.snapshots (instance, position, python_minor, state)
    select t.instance, t.position, $python_minor, t.state
    from mark, unnest($s_instance::uuid[], $s_position::integer[], $s_state::bytea[])
        as t (instance, position, state)
    on conflict (instance) do update
    set position = excluded.position, python_minor = excluded.python_minor, state = excluded.state,
        taken_at = excluded.taken_at
    returning 1
),
forgotten as (
    delete from {schema}.snapshots as s
    using mark, unnest($forget_snapshot::uuid[]) as t (instance)
    where s.instance = t.instance
    returning 1
),
consumed as (
    delete from {schema}.inbox as x
    using mark, unnest($x_instance::uuid[], $x_id::bigint[]) as t (instance, id)
    where x.instance = t.instance and x.id = t.id
    returning 1
),
flying as (
    insert into {schema}.in_flight (
        instance, call, attempt, lease, action, inputs, queued_at, started_at, worker
    )
    select
        t.instance, t.call, t.attempt, $lease, t.action, t.inputs, t.queued_at, t.started_at, t.worker
    from mark, unnest(
        $f_instance::uuid[], $f_call::integer[], $f_attempt::smallint[], $f_action::smallint[],
        $f_inputs::bytea[], $f_queued_at::timestamptz[], $f_started_at::timestamptz[],
        $f_worker::integer[]
    ) as t (instance, call, attempt, action, inputs, queued_at, started_at, worker)
    on conflict (instance, call) do update
    set attempt = excluded.attempt, lease = excluded.lease, queued_at = excluded.queued_at,
        started_at = excluded.started_at, worker = excluded.worker
    returning 1
),
landed as (
    delete from {schema}.in_flight as f
    using mark, unnest($l_instance::uuid[], $l_call::integer[]) as t (instance, call)
    where f.instance = t.instance and f.call = t.call
    returning 1
),
counted as (
    select
        (select count(*) from fence) as fence,
        (select count(*) from mark) as mark,
        (select count(*) from updated) as updated
)
select
    fence = 1 as held,
    mark = 1 as marked,
    case
        when mark = 1 and updated <> cardinality($i_id)
        then {schema}.refuse(format(
            'commit %s of lease %s names %s instances but holds only %s of them',
            $seq, $lease, cardinality($i_id), updated
        ))
    end as refused
from counted;

-- name: settle_narrow
-- The same commit without snapshots, inbox and live rows: what a lone step needs, planned and started in
-- half the time. The same guards in the same order.
with fence as materialized (
    select 1 as held from {schema}.leases where id = $lease::bigint and not fenced for key share
),
mark as (
    insert into {schema}.commits (lease, seq)
    select $lease, $seq::bigint from fence
    where $seq = 1 or exists (select from {schema}.commits where lease = $lease and seq = $seq - 1)
    on conflict do nothing
    returning 1
),
entries as (
    insert into {schema}.journal (
        instance, position, kind, call, attempt, action, inputs, outcome, outcome_kind, local,
        queued_at, started_at, finished_at, worker, python_minor
    )
    select
        t.instance, t.position, t.kind, t.call, t.attempt, t.action, t.inputs, t.outcome, t.outcome_kind,
        t.local, t.queued_at, t.started_at, t.finished_at, t.worker, $python_minor::smallint
    from mark, unnest(
        $j_instance::uuid[], $j_position::integer[], $j_kind::smallint[], $j_call::integer[],
        $j_attempt::smallint[], $j_action::smallint[], $j_inputs::bytea[], $j_outcome::bytea[],
        $j_outcome_kind::smallint[], $j_local::bytea[], $j_queued_at::timestamptz[],
        $j_started_at::timestamptz[], $j_finished_at::timestamptz[], $j_worker::integer[]
    ) as t (
        instance, position, kind, call, attempt, action, inputs, outcome, outcome_kind, local,
        queued_at, started_at, finished_at, worker
    )
    returning 1
),
updated as (
    update {schema}.instances as i
    set state = t.state,
        owner = case when t.state = 2 then $lease end,
        ready_at = case when t.state = 0 then clock_timestamp() end,
        wake_at = t.wake_at,
        finished_at = case when t.state >= 4 then clock_timestamp() end,
        result = t.result,
        error = t.error,
        recoveries = t.recoveries
    from mark, unnest(
        $i_id::uuid[], $i_epoch::integer[], $i_state::smallint[], $i_wake_at::timestamptz[],
        $i_result::bytea[], $i_error::bytea[], $i_recoveries::smallint[]
    ) as t (id, epoch, state, wake_at, result, error, recoveries)
    where i.id = t.id and i.epoch = t.epoch and (i.owner = $lease) is true
    returning 1
),
counted as (
    select
        (select count(*) from fence) as fence,
        (select count(*) from mark) as mark,
        (select count(*) from updated) as updated
)
select
    fence = 1 as held,
    mark = 1 as marked,
    case
        when mark = 1 and updated <> cardinality($i_id)
        then {schema}.refuse(format(
            'commit %s of lease %s names %s instances but holds only %s of them',
            $seq, $lease, cardinality($i_id), updated
        ))
    end as refused
from counted;

-- name: last_commit
-- Read after an answer was lost or a marker did not go in; a new statement, so it sees what is committed.
select coalesce(max(seq), 0)::bigint as seq from {schema}.commits where lease = $lease::bigint;

-- name: trim_commits
-- Only markers behind the newest confirmed one go: a resend needs its own and its predecessor.
delete from {schema}.commits where lease = $lease::bigint and seq < $before::bigint;
