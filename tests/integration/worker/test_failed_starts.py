"""Modules that cannot be imported in; what a runloop tells of them, to the last line, out."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from waymark_schema.database.settings import from_environment
from waymark_worker.board import create_page
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop.process import CannotRun, RunloopArguments, RunloopProcess
from waymark_worker.runloop.report import RunloopReport, decode_report
from waymark_worker.settings import PoolSettings


async def _told(settings: PoolSettings, monkeypatch: pytest.MonkeyPatch) -> list[RunloopReport]:
    """Run until it gives up; its workers take as long to end as it takes to report once more."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    reports: list[RunloopReport] = []
    stop = WorkerPool.stop

    async def stop_slowly(pool: WorkerPool, *, grace: float) -> None:
        while not reports or not reports[-1].failure:
            reports.append(decode_report(await reader.readline()))
        reports.append(decode_report(await reader.readline()))
        await stop(pool, grace=grace)

    monkeypatch.setattr(WorkerPool, "stop", stop_slowly)
    database = from_environment({"WAYMARK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    arguments = RunloopArguments(create_page(), theirs.detach(), "a", 1, session_features=False)
    with pytest.raises(ExceptionGroup) as raised:
        await RunloopProcess(arguments, settings, database).run()
    assert raised.group_contains(CannotRun)
    writer.close()
    return reports


def test_what_is_reported_after_a_failure_still_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaving.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    settings = PoolSettings(user_module=("leaving",), runner_profile_interval_ms=100)
    reports = asyncio.run(_told(settings, monkeypatch))
    assert "module 'leaving' cannot be imported: it called sys.exit()" in reports[-1].failure
    assert reports[-1].failure == reports[-2].failure
