"""Lines for a reader that is slow, late or gone in; writers that never wait for it out."""

import errno
import os
import threading
from collections.abc import Iterator

import pytest

from waymark_worker.outlet import Outlet


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(writer)


def read_until(reader: int, last: bytes) -> list[bytes]:
    text = b""
    while not text.endswith(last + b"\n"):
        text += os.read(reader, 65_536)
    return text.splitlines()


def fill(writer: int) -> int:
    """Write until the pipe takes no more; how many bytes that were."""
    os.set_blocking(writer, False)
    size = 0
    try:
        while True:
            size += os.write(writer, b".")
    except BlockingIOError:
        os.set_blocking(writer, True)
        return size


def test_lines_arrive_in_their_order(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    for number in range(1_000):
        outlet.write(f"{number}\n")
    assert read_until(reader, b"999") == [str(number).encode() for number in range(1_000)]
    os.close(reader)


def test_nobody_waits_for_a_pipe_that_is_full(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    size = fill(writer)
    outlet = Outlet(writer, room=3)
    for number in range(10):
        outlet.write(f"{number}\n")
    outlet.settle(0.0)
    left = size
    while left:
        left -= len(os.read(reader, left))
    told = b"7 lines are missing here: nobody read them"
    assert read_until(reader, told) == [b"0", b"1", b"2", told]
    os.close(reader)


def test_where_writing_does_not_wait_the_outlet_does(pipe: tuple[int, int]) -> None:
    """Whoever shares the descriptor may have made it so."""
    reader, writer = pipe
    os.set_blocking(writer, False)
    outlet = Outlet(writer)
    lines = [f"{number} {'x' * 100_000}" for number in range(5)]
    for line in lines:
        outlet.write(f"{line}\n")
    outlet.write("last\n")
    assert read_until(reader, b"last") == [*(line.encode() for line in lines), b"last"]
    os.close(reader)


def test_lines_that_could_not_be_written_are_counted_until_one_can_be(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = pipe
    write, full = os.write, [True] * 3

    def refused(descriptor: int, text: bytes) -> int:
        if descriptor == writer and full:
            full.pop()
            raise OSError(errno.ENOSPC, "disk full")
        return write(descriptor, text)

    monkeypatch.setattr(os, "write", refused)
    outlet = Outlet(writer)
    for number in range(5):
        outlet.write(f"{number}\n")
    told = b"3 lines are missing here: nobody read them"
    assert read_until(reader, told) == [b"3", b"4", told]
    os.close(reader)


def test_a_thread_that_cannot_be_started_now_is_started_later(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)

    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as now:
        now.setattr(threading.Thread, "start", none_left)
        outlet.start()
        outlet.write("0\n")
    outlet.write("1\n")
    assert read_until(reader, b"1") == [b"0", b"1"]
    os.close(reader)


def test_a_reader_that_has_gone_costs_lines_and_nothing_else(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    outlet = Outlet(writer)
    for _ in range(3):
        assert outlet.write("nobody hears this\n") == 18
        outlet.settle()
