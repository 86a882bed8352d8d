-- minimum-code: 1
-- A call of whose action only other pools know is tried there, and there it must be seen whether it ends what runs
-- it. An older owner writes no deaths and an older taker does not look: then it runs beside others and is not blamed.

alter table {schema}.offers
    add column deaths smallint not null default 0,
    add column alone_since timestamptz;

comment on column {schema}.offers.deaths is 'Workers and pools in a row that ended while they ran the call.';
comment on column {schema}.offers.alone_since is
    'Since when its taker runs it with nothing beside it; null before, and once the call counts as harmless.';
