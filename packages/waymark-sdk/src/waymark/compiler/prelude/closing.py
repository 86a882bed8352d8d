"""What is to be closed comes in; the context managers of ``contextlib`` that close it go out."""

# mypy: ignore-errors

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager


@contextmanager
def closing(thing):
    try:
        yield thing
    finally:
        thing.close()


@asynccontextmanager
async def aclosing(thing):
    try:
        yield thing
    finally:
        await thing.aclose()
