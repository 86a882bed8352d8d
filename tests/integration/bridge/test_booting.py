"""Hosts without a bridge in; exactly one bridge, or a message that helps, out."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from tests.integration.bridge.greetings import Counting
from tests.support.bridges import Bridges, forget_settings, rows
from tests.support.processes import MARK, Processes, listing, wait_until
from waymark import BridgeUnavailable, settings

STARTS_ONE = """
import asyncio, sys
from tests.integration.bridge.greetings import Counting
print(asyncio.run(Counting.start(1)).id)
"""
ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65534


def _set(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    forget_settings()


async def test_processes_that_start_at_once_share_one_bridge(
    bridges: Bridges, database_url: str, processes: Processes
) -> None:
    children = [processes.start_python("-c", STARTS_ONE, cwd=ROOT) for _ in range(8)]
    assert [child.wait(seconds=60) for child in children] == [0] * 8
    assert len(bridges.pids) == 1
    assert len(rows(database_url)) == 8
    ours = [seen for seen in listing() if "waymark.bridge --detached" in seen.command]
    wait_until(lambda: len(_bridges_of(processes)) == 1, what=lambda: str(ours))


def _bridges_of(processes: Processes) -> list[int]:
    return [seen.pid for seen in processes.left() if "waymark.bridge" in seen.command]


def test_a_bridge_shares_nothing_with_its_booter_and_survives_it(
    bridges: Bridges, processes: Processes, tmp_path: Path
) -> None:
    kept_open = tmp_path / "kept-open"
    script = f"""
import os
os.set_inheritable(os.open({str(kept_open)!r}, os.O_CREAT | os.O_RDWR), True)
os.set_inheritable(os.pipe()[1], True)
{STARTS_ONE}"""
    assert processes.start_python("-c", script, cwd=ROOT).wait() == 0
    pid = bridges.pid
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    opened = {path.name: str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()}
    assert opened["0"] == opened["1"] == "/dev/null"
    assert opened["2"].endswith(".log")
    assert str(kept_open) not in opened.values()
    assert not [target for target in opened.values() if target.startswith("pipe:")]


def test_socket_directory_and_files_are_ours_alone(bridges: Bridges) -> None:
    Counting.start_sync(1)
    (socket_path,) = bridges.sockets
    assert stat.S_IMODE(socket_path.parent.stat().st_mode) == 0o700
    for path in socket_path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert len(os.fsencode(socket_path)) <= 103


async def test_a_bridge_that_cannot_start_says_why(
    bridges: Bridges, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "import sys; sys.exit('the disk said no')"
    _set(monkeypatch, WAYMARK_BOOT_COMMAND=f'{sys.executable} -c "{script}"')
    with pytest.raises(BridgeUnavailable, match="the disk said no") as raised:
        await Counting.start(1)
    assert raised.value.stderr == "the disk said no"
    _set(monkeypatch, WAYMARK_BOOT_COMMAND="/nowhere/waymark-bridge --loud")
    with pytest.raises(BridgeUnavailable, match="/nowhere/waymark-bridge --loud"):
        await Counting.start(1)


async def test_a_boot_command_boots(bridges: Bridges, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Path(sys.executable).with_name("waymark-bridge")
    _set(monkeypatch, WAYMARK_BOOT_COMMAND=str(command))
    await Counting.start(1)
    assert bridges.pid


@pytest.mark.parametrize(("kills", "served"), [(2, True), (1_000, False)])
async def test_a_bridge_that_is_killed_while_it_starts_is_booted_again_but_not_for_ever(
    bridges: Bridges,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kills: int,
    served: bool,
) -> None:
    starts = tmp_path / "starts"
    script = tmp_path / "boot.sh"
    bridge = Path(sys.executable).with_name("waymark-bridge")
    script.write_text(
        f"#!/bin/sh\necho start >> {starts}\n"
        f"[ $(wc -l < {starts}) -gt {kills} ] || kill -9 $$\n"
        f'exec {bridge} "$@"\n'
    )
    script.chmod(0o755)
    _set(monkeypatch, WAYMARK_BOOT_COMMAND=str(script))
    if served:
        await Counting.start(1)
        assert starts.read_text() == "start\n" * 3
    else:
        with pytest.raises(BridgeUnavailable, match="status -9"):
            await Counting.start(1)
        assert 3 <= starts.read_text().count("start") <= 10


@pytest.mark.parametrize("url", ["", "mysql://app@db/app", "postgres://app:sesame@db/app#x"])
async def test_a_wrong_address_is_told_before_anything_is_booted(
    home: Bridges, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    _set(monkeypatch, WAYMARK_DATABASE_URL=url, WAYMARK_RUNTIME_DIR=str(home.home))
    with pytest.raises(Exception, match="WAYMARK_DATABASE_URL") as raised:
        await Counting.start(1)
    assert "sesame" not in str(raised.value)
    assert list(home.home.iterdir()) == []


def test_a_planted_link_is_refused(bridges: Bridges, tmp_path: Path) -> None:
    (bridges.home / f"waymark-{os.geteuid()}").symlink_to(tmp_path)
    with pytest.raises(BridgeUnavailable, match="is a symbolic link"):
        Counting.start_sync(1)
    assert list(tmp_path.iterdir()) == []


async def test_a_planted_file_is_refused(bridges: Bridges) -> None:
    (bridges.home / f"waymark-{os.geteuid()}").write_text("boo")
    with pytest.raises(BridgeUnavailable, match="is not a directory"):
        await Counting.start(1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
async def test_a_foreign_directory_is_refused(bridges: Bridges) -> None:
    planted = bridges.home / f"waymark-{os.geteuid()}"
    planted.mkdir(0o777)
    os.chown(planted, NOBODY, NOBODY)
    with pytest.raises(BridgeUnavailable, match=f"belongs to user {NOBODY}"):
        await Counting.start(1)


async def test_a_directory_that_others_may_enter_is_closed_to_them(bridges: Bridges) -> None:
    lax = bridges.home / f"waymark-{os.geteuid()}"
    lax.mkdir()
    lax.chmod(0o777)
    await Counting.start(1)
    assert stat.S_IMODE(lax.stat().st_mode) == 0o700


async def test_a_directory_with_too_long_a_path_is_passed_over(
    bridges: Bridges, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    long = bridges.home / ("d" * 80)
    long.mkdir()
    _set(monkeypatch, WAYMARK_RUNTIME_DIR=str(long), XDG_RUNTIME_DIR=str(bridges.home))
    await Counting.start(1)
    assert bridges.sockets
    assert "more than 103 bytes" in caplog.text


async def test_no_usable_directory_names_all_that_were_tried(
    bridges: Bridges, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = bridges.home / "missing"
    _set(monkeypatch, WAYMARK_RUNTIME_DIR=str(missing))
    monkeypatch.setattr(settings, "runtime_directories", lambda: ("relative/place", None))
    with pytest.raises(
        BridgeUnavailable, match=f"{missing} is not a directory; relative/place is not"
    ):
        await Counting.start(1)


async def test_two_databases_or_schemas_have_two_bridges(
    bridges: Bridges, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(Counting.start_sync, 1)
    _set(monkeypatch, WAYMARK_SCHEMA="another")
    await Counting.start(1)
    assert len(bridges.pids) == 2


async def test_an_idle_bridge_ends_and_a_connected_client_keeps_it(
    bridges: Bridges, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, WAYMARK_BRIDGE_IDLE_EXIT_S="1")
    await Counting.start(1)
    pid = bridges.pid
    await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=2.5)
    assert bridges.pids == [pid]
    client = processes.start_python("-c", STARTS_ONE, cwd=ROOT)
    assert client.wait() == 0
    assert bridges.pids == [pid]


def test_a_bridge_that_nobody_is_connected_to_ends(
    bridges: Bridges, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, WAYMARK_BRIDGE_IDLE_EXIT_S="0.5")
    assert processes.start_python("-c", STARTS_ONE, cwd=ROOT).wait() == 0
    bridges.wait_until_gone()
    assert bridges.sockets == []


def test_a_log_is_bounded(bridges: Bridges) -> None:
    Counting.start_sync(1)
    (log,) = bridges.home.glob("waymark-*/*.log")
    with log.open("ab") as lines:
        lines.write(b"x" * 5_000_000)
    os.kill(bridges.pid, signal.SIGTERM)
    bridges.wait_until_gone()
    Counting.start_sync(1)
    wait_until(lambda: log.stat().st_size < 10_000, what="the log is started over")


def test_every_process_of_a_bridge_carries_the_mark(bridges: Bridges, processes: Processes) -> None:
    assert processes.start_python("-c", STARTS_ONE, cwd=ROOT).wait() == 0
    assert MARK
    assert [seen.pid for seen in processes.left()] == [bridges.pid]
