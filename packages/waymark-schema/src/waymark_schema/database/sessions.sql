-- name: facts
-- A plain read of settings; nothing of it changes under a running session unless its owner asks.
select
    current_setting('server_version_num')::integer as server_version,
    current_setting('default_transaction_isolation') as isolation,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('fsync') as fsync,
    current_setting('full_page_writes') as full_page_writes,
    pg_is_in_recovery() as in_recovery;

-- name: apply
-- For this session only; never run behind a pooler, where the session is not ours.
select set_config(t.name, t.value, false) as value
from unnest($name::text[], $value::text[]) as t (name, value);

-- name: backend
-- A plain read; compared with the pid that the connection was given, it shows a pooler in between.
select pg_backend_pid() as pid;
