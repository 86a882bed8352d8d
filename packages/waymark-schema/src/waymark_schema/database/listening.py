"""A session and channels go in; what is notified comes out, for as long as the session answers."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import psycopg

from waymark_schema.database import execute
from waymark_schema.database.sessions import BACKEND

_LOOK_S: Final = 20.0
"""A listener hears nothing of a connection that was cut off without a word, so it asks from time to time."""
_ANSWER_S: Final = 5.0


async def listen(
    session: execute.Session, channels: Sequence[str], *, listening: Callable[[], None]
) -> AsyncIterator[psycopg.Notify]:
    """Yield notifications until the session breaks; ``listening`` is called once they can arrive.

    Raises psycopg.Error as the driver does.
    """
    with execute.answered(session):
        for channel in channels:
            await session.connection.execute(f'listen "{channel}"'.encode())
    listening()
    while True:
        async for message in session.connection.notifies(timeout=_LOOK_S):
            yield message
        await execute.fetch_one(execute.hurried(session, _ANSWER_S), BACKEND.bind())
