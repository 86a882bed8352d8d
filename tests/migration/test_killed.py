"""Migrators killed at every part of the way in; a database that the next one finishes, whole steps only, out."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support.declared_schema import PAGE, declared
from tests.support.engine import settings_of
from tests.support.processes import Processes, wait_until
from waymark_schema import migrate

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]

GATE = 4711
# A number is taken even by a transaction that is rolled back: the gate closes once, before the chosen change.
_GATE = f"""
create sequence changes;
create table gate (closes_at bigint not null);
create function pass_gate() returns event_trigger language plpgsql as $body$
begin
    if current_setting('application_name') = 'waymark-migrate'
        and nextval('public.changes') = (select closes_at from public.gate)
    then
        perform pg_advisory_xact_lock({GATE});
    end if;
end
$body$;
create event trigger gate on ddl_command_start execute function pass_gate();
"""
_AT_THE_GATE = f"""
select count(*) from pg_locks where locktype = 'advisory' and objid = {GATE} and not granted
    and database = (select oid from pg_database where datname = current_database())
"""


def _prepare(operator: psycopg.Connection, closes_at: int) -> None:
    operator.execute("drop schema if exists waymark cascade")
    operator.execute("delete from gate")
    operator.execute("insert into gate values (%s)", [closes_at])
    operator.execute("select setval('changes', 1, false)")


def _waiting(operator: psycopg.Connection) -> bool:
    found = operator.execute(_AT_THE_GATE).fetchone()
    return found == (1,)


@pytest.mark.slow
def test_a_migrator_killed_before_any_change_leaves_whole_steps_to_the_next(
    empty_database_url: str, processes: Processes
) -> None:
    settings = settings_of(empty_database_url)
    names = [step.name for step in migrate.steps()]
    with psycopg.connect(empty_database_url, autocommit=True) as operator:
        operator.execute(_GATE.encode())
        _prepare(operator, 0)
        assert migrate.migrate_up(settings) == names
        (changes,) = operator.execute("select last_value from changes").fetchone() or (0,)
        assert changes > 40, "the trigger saw the migrations"
        for closes_at in (1, changes // 2, changes - 1, changes):
            _prepare(operator, closes_at)
            operator.execute("select pg_advisory_lock(%s)", [GATE])
            first = processes.start_command(
                "waymark", "migrate", "up", environment={"WAYMARK_DATABASE_URL": empty_database_url}
            )
            wait_until(lambda: _waiting(operator), seconds=60, what="the migrator at the gate")
            first.kill()
            with ThreadPoolExecutor(2) as others:
                # They come while the dead one's backend still holds the migrators' lock.
                running = [others.submit(migrate.migrate_up, settings) for _ in range(2)]
                operator.execute("select pg_advisory_unlock(%s)", [GATE])
                applied = [name for one in running for name in one.result()]
            # What the dead one had committed is a head of the list; the others did the rest, each step once.
            assert sorted(applied) == names[len(names) - len(applied) :]
            assert declared(operator, "waymark") == PAGE.read_text(encoding="utf-8")
            assert {line.state for line in migrate.status(settings)} == {"applied"}
