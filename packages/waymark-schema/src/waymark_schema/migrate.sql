-- name: exists
-- A plain read, run under the advisory lock by a migrator and without it by everybody else.
select exists (
    select from pg_namespace as n where n.nspname = $schema::text
) as schema_exists,
exists (
    select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = $schema and c.relname = 'migrations'
) as table_exists;

-- name: applied
-- A plain read; rows of this table are inserted under the advisory lock and never change.
select m.name, m.sha256, m.minimum_code, m.applied_at from {schema}.migrations as m order by m.name;

-- name: record
-- Inserted in the transaction of the step itself, under the advisory lock.
insert into {schema}.migrations (name, sha256, minimum_code)
select $name::text, $sha256::bytea, $minimum_code::integer where $name is not null;

-- name: lock
-- Serialises migrators of one schema until the transaction ends; the wait is bounded by lock_timeout.
select pg_advisory_xact_lock($class::integer, 0) is not null as locked;

-- name: limits
-- Local to the step's transaction: waiting for a lock is bounded, working is not.
select set_config('lock_timeout', $lock_timeout::text, true) as lock_timeout,
    set_config('statement_timeout', '0', true) as statement_timeout;

-- name: role
-- A plain read, for the GRANT in a message.
select current_user::text as role, current_database()::text as database;
