-- name: notify
-- Never inside a writing transaction, where it would serialise commits; its own transaction has nothing
-- to make durable, so it does not wait for the disk.
select set_config('synchronous_commit', 'off', true) as durability, count(pg_notify(t.channel, t.payload)) as sent
from unnest($channel::text[], $payload::text[]) as t (channel, payload);
