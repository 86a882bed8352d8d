"""A web server that ends, or cannot be started, in; another try out."""

from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock

import pytest

from waymark_worker import web


async def test_a_web_server_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses = AsyncMock()
    starts = AsyncMock(side_effect=[OSError("no processes left"), asyncio.CancelledError])
    monkeypatch.setattr(web, "pause", pauses)
    monkeypatch.setattr(web, "_start", starts)
    with pytest.raises(asyncio.CancelledError):
        await web.serve_until_cancelled()
    assert starts.await_count == 2
    pauses.assert_awaited_once_with(1.0)
