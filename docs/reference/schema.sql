-- Waymark's tables as all migrations together leave them. Generated (python -m tests.support.declared_schema) and
-- tested: a migrated database is this one. To create it, run `waymark migrate up`, or the SQL of `waymark migrate dump`,
-- which also records what was applied; this page is for reading.

create schema waymark;

CREATE OR REPLACE FUNCTION waymark.refuse(reason text)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
begin
    raise exception using errcode = 'WM001', message = reason;
end
$function$;
comment on function waymark.refuse(text) is 'Raises, so that the statement that asked is rolled back as a whole.';

create table waymark.audit (
    id bigint not null generated always as identity,
    happened_at timestamp with time zone not null default clock_timestamp(),
    instance uuid,
    actor text not null,
    verb text not null,
    subject text not null,
    detail bytea,
    constraint audit_key PRIMARY KEY (id)
);
CREATE INDEX audit_instance ON waymark.audit USING btree (instance, id) WHERE (instance IS NOT NULL);

create table waymark.commits (
    lease bigint not null,
    seq bigint not null,
    constraint commits_key PRIMARY KEY (lease, seq)
) with (autovacuum_vacuum_scale_factor=0.1, autovacuum_vacuum_cost_delay=0);

create table waymark.in_flight (
    instance uuid not null,
    lease bigint not null,
    queued_at timestamp with time zone not null,
    started_at timestamp with time zone not null,
    call integer not null,
    worker integer,
    attempt smallint not null,
    action smallint,
    inputs bytea,
    constraint in_flight_key PRIMARY KEY (instance, call)
) with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_cost_delay=0);
CREATE INDEX in_flight_lease ON waymark.in_flight USING btree (lease);

create table waymark.inbox (
    id bigint not null generated always as identity,
    instance uuid not null,
    arrived_at timestamp with time zone not null default clock_timestamp(),
    call integer,
    kind smallint not null,
    attempt smallint,
    outcome_kind smallint,
    name text,
    payload bytea,
    constraint inbox_key PRIMARY KEY (instance, id),
    constraint inbox_kind_is_known CHECK (((kind >= 0) AND (kind <= 5))),
    constraint inbox_outcome_names_its_call CHECK (((kind <> 3) OR ((call IS NOT NULL) AND (attempt IS NOT NULL))))
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_delay=0);
CREATE UNIQUE INDEX inbox_outcome_once ON waymark.inbox USING btree (instance, call, attempt) WHERE (kind = 3);

create table waymark.instances (
    id uuid not null,
    program bigint not null,
    created_at timestamp with time zone not null default clock_timestamp(),
    owner bigint,
    ready_at timestamp with time zone,
    wake_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
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
    python_minor smallint,
    constraint instances_key PRIMARY KEY (id),
    constraint instances_delayed_knows_when CHECK (((state <> 1) OR (wake_at IS NOT NULL))),
    constraint instances_error_only_unsuccessful CHECK (((error IS NULL) OR (state = ANY (ARRAY[5, 6, 7])))),
    constraint instances_finished_iff_ended CHECK (((finished_at IS NOT NULL) = (state >= 4))),
    constraint instances_owner_iff_running CHECK (((owner IS NOT NULL) = (state = 2))),
    constraint instances_ready_iff_queued CHECK (((ready_at IS NOT NULL) = (state = 0))),
    constraint instances_result_only_completed CHECK (((result IS NULL) OR (state = 4))),
    constraint instances_started_before_running CHECK (((state = ANY (ARRAY[0, 1, 6])) OR (started_at IS NOT NULL))),
    constraint instances_state_is_known CHECK (((state >= 0) AND (state <= 7))),
    constraint instances_wake_only_parked CHECK (((wake_at IS NULL) OR (state = ANY (ARRAY[1, 3]))))
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.1, autovacuum_vacuum_cost_delay=0);
comment on table waymark.instances is 'Runs. state: 0 queued, 1 delayed, 2 running, 3 waiting, 4 completed, 5 failed, 6 cancelled, 7 quarantined.';
comment on column waymark.instances.python_minor is 'Minor version of the CPython of the pool that claimed it last: 12 for 3.12.';
CREATE INDEX instances_finished ON waymark.instances USING btree (state, finished_at, program) WHERE (state >= 4);
CREATE INDEX instances_finished_of_program ON waymark.instances USING btree (program, id) WHERE (state >= 4);
CREATE UNIQUE INDEX instances_idempotency ON waymark.instances USING btree (idempotency_key) WHERE (idempotency_key IS NOT NULL);
CREATE INDEX instances_owner ON waymark.instances USING btree (owner) WHERE (owner IS NOT NULL);
CREATE INDEX instances_ready ON waymark.instances USING btree (program, priority DESC, ready_at) WHERE (state = 0);
CREATE INDEX instances_wake ON waymark.instances USING btree (wake_at) WHERE (state = ANY (ARRAY[1, 3]));

create table waymark.journal (
    instance uuid not null,
    queued_at timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
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
    constraint journal_key PRIMARY KEY (instance, "position"),
    constraint journal_kind_is_known CHECK (((kind >= 0) AND (kind <= 10))),
    constraint journal_position_is_positive CHECK (("position" > 0))
) with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.1, autovacuum_vacuum_cost_delay=0);
comment on table waymark.journal is 'Everything fed to an instance, in the order it was consumed; append-only.';
comment on column waymark.journal.action is 'Place in programs.actions, from 0: two bytes where the name would take thirty.';

create table waymark.leases (
    id bigint not null generated always as identity,
    pool bigint not null,
    beat bigint not null default 1,
    started_at timestamp with time zone not null default clock_timestamp(),
    expires_at timestamp with time zone not null,
    fenced boolean not null default false,
    application text not null,
    wants integer not null default 0,
    has_lock boolean not null default true,
    constraint leases_key PRIMARY KEY (id)
) with (fillfactor=20, autovacuum_vacuum_threshold=20, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_cost_delay=0);
comment on column waymark.leases.application is 'application_name of the sessions that write under this lease.';
comment on column waymark.leases.wants is 'Calls that this runloop could run at once and has no work for.';
comment on column waymark.leases.has_lock is 'Whether a session advisory lock stands for the lease; without one it ends by its time only.';

create table waymark.limits (
    key text not null,
    holder uuid not null default '00000000-0000-0000-0000-000000000000'::uuid,
    taken_at timestamp with time zone not null default clock_timestamp(),
    lease bigint,
    tokens double precision,
    capacity integer not null,
    holds_while_sleeping boolean not null default false,
    constraint limits_key PRIMARY KEY (key, holder),
    constraint limits_capacity_is_positive CHECK ((capacity > 0))
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_delay=0);
comment on table waymark.limits is 'Token rows (nil holder) of rates and slot rows (an instance) of concurrency keys.';

create table waymark.migrations (
    name text not null,
    sha256 bytea not null,
    minimum_code integer not null,
    applied_at timestamp with time zone not null default clock_timestamp(),
    constraint migrations_key PRIMARY KEY (name)
);

create table waymark.offers (
    instance uuid not null,
    owner bigint not null,
    taken_by bigint,
    offered_at timestamp with time zone not null default clock_timestamp(),
    taken_at timestamp with time zone,
    call integer not null,
    attempt smallint not null,
    action text not null,
    inputs bytea not null,
    policy bytea,
    program bigint not null,
    timeout interval not null default '00:00:00'::interval,
    takes smallint not null default 0,
    deaths smallint not null default 0,
    alone_since timestamp with time zone,
    constraint offers_key PRIMARY KEY (instance, call, attempt),
    constraint offers_taken_at_iff_taken CHECK (((taken_by IS NULL) = (taken_at IS NULL))),
    constraint offers_taken_at_most_once CHECK (((takes = 1) OR ((takes = 0) AND (taken_by IS NULL))))
) with (autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_cost_delay=0);
comment on column waymark.offers.takes is 'How often it was taken. A second time never happens: an offer whose taker died goes back to its owner.';
comment on column waymark.offers.deaths is 'Workers and pools in a row that ended while they ran the call.';
comment on column waymark.offers.alone_since is 'Since when its taker runs it with nothing beside it; null before, and once the call counts as harmless.';
CREATE INDEX offers_open ON waymark.offers USING btree (action, offered_at) WHERE (taken_by IS NULL);
CREATE INDEX offers_owner ON waymark.offers USING btree (owner);
CREATE INDEX offers_taken_by ON waymark.offers USING btree (taken_by) WHERE (taken_by IS NOT NULL);

create table waymark.pool_samples (
    pool bigint not null,
    sampled_at timestamp with time zone not null default clock_timestamp(),
    actions_completed bigint not null,
    actions_failed bigint not null,
    instances_completed bigint not null,
    memory_bytes bigint not null,
    instances_active integer not null,
    calls_in_flight integer not null,
    calls_queued integer not null,
    workers integer not null,
    queue_latency_ms double precision,
    constraint pool_samples_key PRIMARY KEY (pool, sampled_at)
);
CREATE INDEX pool_samples_age ON waymark.pool_samples USING brin (sampled_at);

create table waymark.pools (
    id bigint not null generated always as identity,
    started_at timestamp with time zone not null default clock_timestamp(),
    seen_at timestamp with time zone not null default clock_timestamp(),
    stopped_at timestamp with time zone,
    pid integer not null,
    host text not null,
    version text not null,
    python text not null,
    program_format smallint not null,
    program_semantics smallint not null,
    actions text[] not null default '{}'::text[],
    programs bigint[] not null default '{}'::bigint[],
    workers jsonb not null default '[]'::jsonb,
    constraint pools_key PRIMARY KEY (id)
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_cost_delay=0);

create table waymark.programs (
    id bigint not null,
    format smallint not null,
    semantics smallint not null,
    registered_at timestamp with time zone not null default clock_timestamp(),
    workflow text not null,
    version text not null,
    digest bytea not null,
    actions text[] not null,
    program bytea not null,
    source text not null,
    constraint programs_version_names_one_program UNIQUE (workflow, version),
    constraint programs_key PRIMARY KEY (id),
    constraint programs_digest_is_sha256 CHECK ((octet_length(digest) = 32))
);
comment on table waymark.programs is 'Compiled workflows; inserted once, never changed.';
comment on column waymark.programs.id is 'The first eight bytes of the digest.';
comment on column waymark.programs.actions is 'Action keys; a journal row names one by its place in this list, from 0.';

create table waymark.schedules (
    id bigint not null generated always as identity,
    created_at timestamp with time zone not null default clock_timestamp(),
    updated_at timestamp with time zone not null default clock_timestamp(),
    next_fire_at timestamp with time zone,
    last_fire_at timestamp with time zone,
    last_instance uuid,
    jitter interval not null default '00:00:00'::interval,
    every interval,
    priority integer not null default 0,
    paused boolean not null default false,
    allow_duplicate boolean not null default false,
    workflow text not null,
    name text not null,
    cron text,
    timezone text not null default 'UTC'::text,
    inputs bytea not null,
    constraint schedules_name_is_unique UNIQUE (workflow, name),
    constraint schedules_key PRIMARY KEY (id),
    constraint schedules_cron_or_interval CHECK (((cron IS NULL) <> (every IS NULL))),
    constraint schedules_interval_is_positive CHECK (((every IS NULL) OR (every > '00:00:00'::interval))),
    constraint schedules_jitter_is_not_negative CHECK ((jitter >= '00:00:00'::interval))
) with (fillfactor=70);
CREATE INDEX schedules_due ON waymark.schedules USING btree (next_fire_at) WHERE (NOT paused);

create table waymark.snapshots (
    instance uuid not null,
    taken_at timestamp with time zone not null default clock_timestamp(),
    position integer not null,
    python_minor smallint not null,
    state bytea not null,
    constraint snapshots_key PRIMARY KEY (instance)
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_cost_delay=0, toast.autovacuum_vacuum_scale_factor=0.05);
