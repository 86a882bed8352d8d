"""What the audience sees: progress and a table in a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_EVERY_SECONDS = 1.0


class Screen:
    """A context manager while progress is shown."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._progress: Progress | None = None
        self._task: object = None
        self._told_at = 0.0
        self._started_at = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("steps"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
            )
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def say(self, text: str) -> None:
        """One line with the time since the start."""
        self._console.print(f"{time.monotonic() - self._started_at:6.1f} s  {text}", soft_wrap=True)

    def progress(self, done: int, total: int, *, last: bool = False) -> None:
        """Steps that are committed."""
        if self._progress is not None:
            if self._task is None:
                self._task = self._progress.add_task("steps", total=total)
            self._progress.update(self._task, completed=done)  # type: ignore[arg-type] # a TaskID
        elif last or time.monotonic() - self._told_at >= PLAIN_EVERY_SECONDS:
            self._told_at = time.monotonic()
            self.say(f"{done} of {total} steps committed")

    def table(self, rows: list[tuple[str, str]]) -> None:
        """The result, at the end."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        table = Table(show_header=False, title="kill -9 in the middle of a workflow")
        for name, value in rows:
            table.add_row(name, value)
        self._console.print(table)
