"""The pages of a pool's runloops in; which of them may run a call with nothing beside it, written back, out."""

from __future__ import annotations

from collections.abc import Sequence

from waymark_worker.board import Board


def give_floor(boards: Sequence[Board]) -> None:
    """Hush all but one of those that ask; it may begin once the others say that nothing runs in them.

    Whoever was asked to be still stays so until the one with the floor lets go of it, so what was granted holds.
    """
    asking = [board for board in boards if board.get("asks")]
    holder = next((board for board in asking if not board.get("hush")), None)
    holder = holder or next(iter(asking), None)
    for board in boards:
        board.put("hush", int(holder is not None and board is not holder))
    for board in boards:
        others = (other.get("still") for other in boards if other is not board)
        board.put("granted", int(board is holder and all(others)))
