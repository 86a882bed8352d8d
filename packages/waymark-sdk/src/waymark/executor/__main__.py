"""The command line of a worker process in, its exit code out: connect, preload, serve."""

from __future__ import annotations

import argparse
import asyncio
import atexit
import contextlib
import faulthandler
import gc
import os
import signal
import socket
import sys
from typing import NoReturn

from waymark.executor.invoke import Invoker
from waymark.executor.lifeline import die_with_parent
from waymark.executor.output import capture
from waymark.executor.preload import preload
from waymark.executor.serve import PoolConnection
from waymark_schema.environment import already_warned
from waymark_schema.errors import SettingError
from waymark_schema.wire.frames import PROTOCOL, Hello

TOKEN_VARIABLE = "WAYMARK_WORKER_TOKEN"  # noqa: S105 - the name of a variable
WATCH_VARIABLE = "WAYMARK_WORKER_WATCH_FD"
# Young objects of an action die by reference counts; looking for cycles can wait.
GC_THRESHOLDS = (50_000, 20, 20)


def main() -> int:
    """Run a worker until its pool drains it or is gone; started by the pool only."""
    options = _options()
    token = os.environ.pop(TOKEN_VARIABLE, "")
    die_with_parent()
    faulthandler.enable()
    already_warned()  # by the pool, once for all its workers
    # A handler, not SIG_IGN: what actions start as processes of their own must not inherit it.
    signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    connection = _connection(options)
    watch = _watch_connection()
    found = preload([name.strip() for name in options.modules.split(",") if name.strip()])
    capture()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    hello = Hello(
        protocol=PROTOCOL,
        token=token,
        pid=os.getpid(),
        python_minor=sys.version_info.minor,
        actions=found.actions,
        programs=found.programs,
        failures=found.failures,
    )
    asyncio.run(_serve(connection, watch, hello, options.concurrency))
    return 0


async def _serve(
    connection: socket.socket, watch: socket.socket | None, hello: Hello, concurrency: int
) -> None:
    loop = asyncio.get_running_loop()
    try:
        invoker = Invoker(concurrency=concurrency)
    except SettingError as error:
        print(f"waymark worker: {error}", file=sys.stderr)  # noqa: T201 - the pool shows it
        _exit(2)
    _, pool = await loop.create_connection(
        lambda: PoolConnection(invoker, hello, watch=watch), sock=connection
    )
    loop.add_signal_handler(signal.SIGTERM, pool.drain)
    code = await pool.finished
    if code == 0:
        await invoker.close()
        await pool.close()
    _exit(code)


def _exit(code: int) -> NoReturn:
    """End the process now: tasks and threads that user code left behind would keep it alive."""
    if code == 0:
        atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls; log files are flushed here
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _connection(options: argparse.Namespace) -> socket.socket:
    if options.socket_fd is not None:
        connection = socket.socket(fileno=options.socket_fd)
        os.set_inheritable(options.socket_fd, False)  # noqa: FBT003 - the signature of the system
    else:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(options.socket)
    connection.setblocking(False)  # noqa: FBT003 - the signature of the system
    return connection


def _watch_connection() -> socket.socket | None:
    """Return the second socket, which a thread serves while the loop stands still; a pool may have none."""
    number = os.environ.pop(WATCH_VARIABLE, "")
    if not number:
        return None
    os.set_inheritable(int(number), False)  # noqa: FBT003 - the signature of the system
    return socket.socket(fileno=int(number))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m waymark.executor", description=main.__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket-fd", type=int, help="number of an inherited unix stream socket")
    where.add_argument("--socket", help="path of the pool's unix socket")
    parser.add_argument("--modules", default="", help="modules to import, separated by commas")
    parser.add_argument("--concurrency", type=int, default=10, help="calls at a time")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
