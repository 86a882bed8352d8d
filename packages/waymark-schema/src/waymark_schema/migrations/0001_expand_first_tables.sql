-- minimum-code: 1
-- The first tables. User bytes are bytea only; text columns hold sanitised copies. No foreign keys on
-- hot tables: their invariants are tested instead.

create function {schema}.refuse(reason text) returns boolean
    language plpgsql as $body$
begin
    raise exception using errcode = 'WM001', message = reason;
end
$body$;

comment on function {schema}.refuse(text) is 'Raises, so that the statement that asked is rolled back as a whole.';

create table {schema}.programs (
    id bigint not null,
    format smallint not null,
    semantics smallint not null,
    registered_at timestamptz not null default clock_timestamp(),
    workflow text not null,
    version text not null,
    digest bytea not null,
    actions text[] not null,
    program bytea not null,
    source text not null,
    constraint programs_key primary key (id),
    constraint programs_version_names_one_program unique (workflow, version),
    constraint programs_digest_is_sha256 check (octet_length(digest) = 32)
);

comment on table {schema}.programs is 'Compiled workflows; inserted once, never changed.';
comment on column {schema}.programs.id is 'The first eight bytes of the digest.';
comment on column {schema}.programs.actions is 'Action keys; a journal row names one by its place in this list, from 0.';

create table {schema}.instances (
    id uuid not null,
    program bigint not null,
    created_at timestamptz not null default clock_timestamp(),
    owner bigint,
    ready_at timestamptz,
    wake_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    schedule bigint,
    epoch integer not null default 0,
    priority integer not null default 0,
    state smallint not null,
    recoveries smallint not null default 0,
    awaited boolean not null default false,
    parent uuid,
    inputs bytea not null,
    result bytea,
    error bytea,
    idempotency_key text,
    constraint instances_key primary key (id),
    constraint instances_state_is_known check (state between 0 and 7),
    constraint instances_ready_iff_queued check ((ready_at is not null) = (state = 0)),
    constraint instances_delayed_knows_when check (state <> 1 or wake_at is not null),
    constraint instances_wake_only_parked check (wake_at is null or state in (1, 3)),
    constraint instances_owner_iff_running check ((owner is not null) = (state = 2)),
    constraint instances_started_before_running check (state in (0, 1, 6) or started_at is not null),
    constraint instances_finished_iff_ended check ((finished_at is not null) = (state >= 4)),
    constraint instances_result_only_completed check (result is null or state = 4),
    constraint instances_error_only_unsuccessful check (error is null or state in (5, 6, 7))
) with (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_vacuum_cost_delay = 0
);

comment on table {schema}.instances is
    'Runs. state: 0 queued, 1 delayed, 2 running, 3 waiting, 4 completed, 5 failed, 6 cancelled, 7 quarantined.';

create index instances_ready on {schema}.instances (program, priority desc, ready_at) where state = 0;
create index instances_wake on {schema}.instances (wake_at) where state in (1, 3);
create index instances_owner on {schema}.instances (owner) where owner is not null;
create index instances_finished on {schema}.instances (state, finished_at, program) where state >= 4;
create unique index instances_idempotency on {schema}.instances (idempotency_key) where idempotency_key is not null;

create table {schema}.journal (
    instance uuid not null,
    queued_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    position integer not null,
    call integer,
    worker integer,
    kind smallint not null,
    attempt smallint,
    action smallint,
    outcome_kind smallint,
    python_minor smallint not null,
    inputs bytea,
    outcome bytea,
    local bytea,
    constraint journal_key primary key (instance, position),
    constraint journal_kind_is_known check (kind between 0 and 10),
    constraint journal_position_is_positive check (position > 0)
) with (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_vacuum_cost_delay = 0
);

comment on table {schema}.journal is 'Everything fed to an instance, in the order it was consumed; append-only.';
comment on column {schema}.journal.action is 'Place in programs.actions, from 0: two bytes where the name would take thirty.';

create table {schema}.in_flight (
    instance uuid not null,
    lease bigint not null,
    queued_at timestamptz not null,
    started_at timestamptz not null,
    call integer not null,
    worker integer,
    attempt smallint not null,
    action smallint,
    inputs bytea,
    constraint in_flight_key primary key (instance, call)
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create index in_flight_lease on {schema}.in_flight (lease);

create table {schema}.snapshots (
    instance uuid not null,
    taken_at timestamptz not null default clock_timestamp(),
    position integer not null,
    python_minor smallint not null,
    state bytea not null,
    constraint snapshots_key primary key (instance)
) with (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0.05
);

create table {schema}.inbox (
    id bigint generated always as identity,
    instance uuid not null,
    arrived_at timestamptz not null default clock_timestamp(),
    call integer,
    kind smallint not null,
    attempt smallint,
    outcome_kind smallint,
    name text,
    payload bytea,
    constraint inbox_key primary key (instance, id),
    constraint inbox_kind_is_known check (kind between 0 and 5),
    constraint inbox_outcome_names_its_call check (kind <> 3 or (call is not null and attempt is not null))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create unique index inbox_outcome_once on {schema}.inbox (instance, call, attempt) where kind = 3;

create table {schema}.offers (
    instance uuid not null,
    owner bigint not null,
    taken_by bigint,
    offered_at timestamptz not null default clock_timestamp(),
    taken_at timestamptz,
    call integer not null,
    attempt smallint not null,
    action text not null,
    inputs bytea not null,
    policy bytea,
    constraint offers_key primary key (instance, call, attempt),
    constraint offers_taken_at_iff_taken check ((taken_by is null) = (taken_at is null))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create index offers_open on {schema}.offers (action, offered_at) where taken_by is null;
create index offers_owner on {schema}.offers (owner);
create index offers_taken_by on {schema}.offers (taken_by) where taken_by is not null;

create table {schema}.pools (
    id bigint generated always as identity,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp(),
    stopped_at timestamptz,
    pid integer not null,
    host text not null,
    version text not null,
    python text not null,
    program_format smallint not null,
    program_semantics smallint not null,
    actions text[] not null default '{}',
    programs bigint[] not null default '{}',
    workers jsonb not null default '[]',
    constraint pools_key primary key (id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

create table {schema}.leases (
    id bigint generated always as identity,
    pool bigint not null,
    beat bigint not null default 1,
    started_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    fenced boolean not null default false,
    application text not null,
    constraint leases_key primary key (id)
) with (fillfactor = 20, autovacuum_vacuum_threshold = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0);

comment on column {schema}.leases.application is 'application_name of the sessions that write under this lease.';

create table {schema}.commits (
    lease bigint not null,
    seq bigint not null,
    constraint commits_key primary key (lease, seq)
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0);

create table {schema}.pool_samples (
    pool bigint not null,
    sampled_at timestamptz not null default clock_timestamp(),
    actions_completed bigint not null,
    actions_failed bigint not null,
    instances_completed bigint not null,
    memory_bytes bigint not null,
    instances_active integer not null,
    calls_in_flight integer not null,
    calls_queued integer not null,
    workers integer not null,
    queue_latency_ms double precision,
    constraint pool_samples_key primary key (pool, sampled_at)
);

create index pool_samples_age on {schema}.pool_samples using brin (sampled_at);

create table {schema}.schedules (
    id bigint generated always as identity,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    next_fire_at timestamptz,
    last_fire_at timestamptz,
    last_instance uuid,
    jitter interval not null default '0',
    every interval,
    priority integer not null default 0,
    paused boolean not null default false,
    allow_duplicate boolean not null default false,
    workflow text not null,
    name text not null,
    cron text,
    timezone text not null default 'UTC',
    inputs bytea not null,
    constraint schedules_key primary key (id),
    constraint schedules_name_is_unique unique (workflow, name),
    constraint schedules_cron_or_interval check ((cron is null) <> (every is null)),
    constraint schedules_interval_is_positive check (every is null or every > interval '0'),
    constraint schedules_jitter_is_not_negative check (jitter >= interval '0')
) with (fillfactor = 70);

create index schedules_due on {schema}.schedules (next_fire_at) where not paused;

create table {schema}.limits (
    key text not null,
    holder uuid not null default '00000000-0000-0000-0000-000000000000',
    taken_at timestamptz not null default clock_timestamp(),
    lease bigint,
    tokens double precision,
    capacity integer not null,
    holds_while_sleeping boolean not null default false,
    constraint limits_key primary key (key, holder),
    constraint limits_capacity_is_positive check (capacity > 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

comment on table {schema}.limits is 'Token rows (nil holder) of rates and slot rows (an instance) of concurrency keys.';

create table {schema}.audit (
    id bigint generated always as identity,
    happened_at timestamptz not null default clock_timestamp(),
    instance uuid,
    actor text not null,
    verb text not null,
    subject text not null,
    detail bytea,
    constraint audit_key primary key (id)
);

create index audit_instance on {schema}.audit (instance, id) where instance is not null;
