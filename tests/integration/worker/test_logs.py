"""What becomes of a pool when nobody takes what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.worker import jobs
from tests.integration.worker.conftest import HERE, READY, Farm
from tests.support.processes import installed, kill_tree


@contextmanager
def pool_writing_to(farm: Farm, writer: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A pool whose output goes to a pipe that the test alone reads, or does not."""
    environment = farm.processes.environment(farm.environment(**variables))
    pool = subprocess.Popen(
        [installed("waymark-start-workers")],
        env=environment,
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        start_new_session=True,
    )
    os.close(writer)
    try:
        yield pool
    finally:
        kill_tree(pool.pid)
        pool.wait()


def test_a_pool_whose_output_nobody_reads_keeps_its_lease_and_ends_when_it_is_told(
    farm: Farm,
) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b".")
    except BlockingIOError:
        os.set_blocking(writer, True)
    with pool_writing_to(farm, writer, WAYMARK_LOCK_HEARTBEAT_MS="100") as pool:
        farm.wait_for("select count(*) = 1 and min(beat) >= 30 from waymark.leases")
        assert farm.finished(farm.queue(jobs.Chain, (3,))) == [3]
        pool.send_signal(signal.SIGTERM)
        assert pool.wait(120) == 0
    os.close(reader)


def test_a_pool_whose_reader_has_gone_goes_on_and_so_do_actions_that_print(farm: Farm) -> None:
    reader, writer = os.pipe()
    with pool_writing_to(farm, writer) as pool:
        with os.fdopen(reader) as lines:
            assert any(re.search(READY, line) for line in lines)
        farm.query(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'waymark pool%' and datname = current_database()"
        )
        farm.wait_for("select count(*) = 1 and min(beat) >= 2 from waymark.leases")
        assert farm.finished(farm.queue(jobs.Chatty, ("x" * 100_000,))) == [100_000]
        pool.send_signal(signal.SIGTERM)
        assert pool.wait(120) == 0
