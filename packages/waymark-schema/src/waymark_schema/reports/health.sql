-- name: pulse
-- A plain read: the server answers, takes writes or not, and some pool lives.
select
    clock_timestamp() as now, pg_is_in_recovery() as standby,
    (select count(*) from {schema}.leases as l where not l.fenced and l.expires_at > clock_timestamp())
        as live_leases;
