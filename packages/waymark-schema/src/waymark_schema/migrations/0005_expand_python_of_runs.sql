-- minimum-code: 1
-- Texts of builtin errors differ between CPython's minor versions, so a run is replayed on the one that wrote its
-- journal for as long as a pool of that version is there. An older pool does not write it and takes any run.

alter table {schema}.instances add column python_minor smallint;

comment on column {schema}.instances.python_minor is
    'Minor version of the CPython of the pool that claimed it last: 12 for 3.12.';
