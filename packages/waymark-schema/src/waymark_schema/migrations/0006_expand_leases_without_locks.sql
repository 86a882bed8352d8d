-- minimum-code: 1
-- A pool without session features has no advisory lock to lose: that nobody holds it says nothing about the pool.
-- An older pool does not write this, and is looked at as before.

alter table {schema}.leases add column has_lock boolean not null default true;

comment on column {schema}.leases.has_lock is
    'Whether a session advisory lock stands for the lease; without one it ends by its time only.';
