"""Identities and directories in; one place for each bridge, or a refusal, out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from waymark.bridge.boot import command, tail
from waymark.bridge.place import key_of, place_of, private_directory
from waymark.bridge.singleton import Singleton, holder
from waymark.errors import BridgeUnavailable


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path leaves room for a socket's, as tmp_path of a parallel run does not."""
    with tempfile.TemporaryDirectory(prefix="wm-") as made:
        yield Path(made)


IDENTITY = ("db", "5432", "app", "app", "waymark")


@pytest.mark.parametrize("part", range(5))
def test_every_part_of_the_identity_makes_another_bridge(part: int) -> None:
    other = list(IDENTITY)
    other[part] += "x"
    assert key_of(IDENTITY) != key_of(other)
    assert key_of(IDENTITY) == key_of(list(IDENTITY))


def test_parts_of_an_identity_do_not_run_into_each_other() -> None:
    assert key_of(["ab", "c"]) != key_of(["a", "bc"])


def test_the_first_fit_directory_is_taken_and_ours_is_made_in_it(short_path: Path) -> None:
    short = short_path / "s"
    short.mkdir()
    place = place_of(
        IDENTITY,
        runtime_dir=str(short_path / "missing"),
        alternatives=[None, "", str(short), str(short_path)],
    )
    assert place.directory == short / f"waymark-{os.geteuid()}"
    assert place.socket.parent == place.lock.parent == place.log.parent == place.directory


def test_nothing_fit_names_everything_tried() -> None:
    with pytest.raises(BridgeUnavailable, match="/proc is not writable"):
        place_of(IDENTITY, runtime_dir=None, alternatives=["/proc"])
    with pytest.raises(BridgeUnavailable, match="none is known"):
        place_of(IDENTITY, runtime_dir=None, alternatives=[None])


def test_a_dangling_link_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BridgeUnavailable, match="symbolic link"):
        private_directory(link)
    assert not (tmp_path / "nowhere").exists()


def test_only_one_holds_a_place_and_its_end_frees_it(short_path: Path) -> None:
    place = place_of(IDENTITY, runtime_dir=None, alternatives=[str(short_path)])
    first = Singleton.take(place)
    assert first is not None
    assert Singleton.take(place) is None
    assert holder(place.lock) == os.getpid()
    with first.listen():
        assert place.socket.is_socket()
    first.leave()
    assert not place.socket.exists()
    second = Singleton.take(place)
    assert second is not None
    second.leave()


def test_a_socket_left_by_a_killed_bridge_is_replaced(short_path: Path) -> None:
    place = place_of(IDENTITY, runtime_dir=None, alternatives=[str(short_path)])
    place.socket.write_text("left behind")
    place.socket.with_suffix(".new").write_text("left behind")
    singleton = Singleton.take(place)
    assert singleton is not None
    with singleton.listen():
        assert place.socket.is_socket()
        assert sorted(path.suffix for path in place.directory.iterdir()) == [".lock", ".sock"]
    singleton.leave()


def test_the_tail_of_a_log_is_bounded_and_may_be_missing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == ""
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(100_000)) + b"\xff last")
    assert tail(log).splitlines()[-1] == "\N{REPLACEMENT CHARACTER} last"
    assert len(tail(log).splitlines()) == 20
    assert tail(log, start=log.stat().st_size - 4) == "last"
    assert tail(log, start=10**9).endswith("last")


def test_the_boot_command_is_split_as_a_shell_would() -> None:
    assert command("/opt/my\\ app/bin/waymark-bridge --x 'a b'") == [
        "/opt/my app/bin/waymark-bridge",
        "--x",
        "a b",
    ]
    assert command(None)[1:] == ["-P", "-m", "waymark.bridge", "--detached"]
