"""The page of a runloop, its workers and its lonely calls in; who starts nothing for whom, on both sides, out."""

from __future__ import annotations

from waymark_worker.board import Board
from waymark_worker.pool.pool import WorkerPool
from waymark_worker.runloop.solo import Solo

HUSHED = "a call of another runloop must run alone"


def keep(board: Board, pool: WorkerPool, solo: Solo | None) -> None:
    """Move lonely calls on, ask the other runloops of the pool to keep still for them, and keep still for theirs."""
    asks = False
    if solo is not None:
        solo.step(granted=bool(board.get("granted")), floor=not board.get("hush"))
        asks = solo.asking
    board.put("asks", int(asks))
    hushed = bool(board.get("hush"))
    if hushed:
        pool.keep_from_starting(HUSHED)
    else:
        pool.let_start(HUSHED)
    board.put("still", int(hushed and not pool.busy))
