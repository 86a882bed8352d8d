-- minimum-code: 1
-- What a pool needs to run another pool's call, and what an idle one says it would take. Nobody wrote
-- offers before this.

alter table {schema}.offers
    add column program bigint not null,
    add column timeout interval not null default '0',
    add column takes smallint not null default 0;

comment on column {schema}.offers.takes is
    'How often it was taken. A second time never happens: an offer whose taker died goes back to its owner.';

alter table {schema}.leases add column wants integer not null default 0;

comment on column {schema}.leases.wants is 'Calls that this runloop could run at once and has no work for.';
