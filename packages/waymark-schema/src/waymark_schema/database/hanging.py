"""A statement that gets no answer: a connection and a limit go in, an error like that of any broken one comes out."""

import asyncio
import os
import socket
from types import TracebackType
from typing import Any

import psycopg


def hang_up(connection: psycopg.AsyncConnection[Any]) -> None:
    """End the connection below the driver: whoever waits for an answer is told that it broke.

    Cancelling the task instead would make the driver ask the silent server to cancel, and wait for that.
    """
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as underneath:
        try:
            underneath.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other side was faster: it is broken already, which is all that is wanted.
            return


class Answered:
    """A block in which the server must answer within so many seconds, or the connection is given up.

    A server bounds its statements by itself; this is for one that is frozen, cut off, or behind something
    that swallows what is sent: neither the server's timeout nor TCP's keepalives end that wait.
    """

    __slots__ = ("_connection", "_gave_up", "_seconds", "_timer")

    def __init__(self, connection: psycopg.AsyncConnection[Any], seconds: float | None) -> None:
        """``seconds`` None: wait for ever."""
        self._connection = connection
        self._seconds = seconds
        self._gave_up = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._give_up)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._gave_up and isinstance(error, psycopg.OperationalError):
            raise psycopg.OperationalError(
                f"no answer within {self._seconds:g} s; the connection was given up"
            ) from error

    def _give_up(self) -> None:
        self._gave_up = True
        hang_up(self._connection)
