"""The main job, shown: a workflow of 200 users survives kill -9 of its whole worker pool.

Starts Postgres, a worker pool and a FastAPI app as separate processes, posts a CSV over HTTP, kills the pool
in the middle, starts another, and holds the journal against a ledger that the action itself wrote.
"""

import argparse
import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httpx
import psycopg
from books import Journal, begun, delivered, in_flight, read_journal, repeated
from pieces import Piece, PieceFailed, alive, free_port, start_app, start_pool, stopping
from screen import Screen

from waymark_schema.errors import WaymarkError
from waymark_worker.embedded import EmbeddedPostgresError, EmbeddedServer
from welcome.ledger import Ledger

HERE = Path(__file__).resolve().parent
SCHEMA = "waymark"
ENOUGH_IN_FLIGHT = 10
ENOUGH_COMMITTED = 40
LONGEST_SECONDS = 180.0


@dataclass(frozen=True)
class Expected:
    """What the CSV asks for."""

    users: int
    messages: Counter[str]

    @property
    def told(self) -> str:
        """The users in words; who is on a paid plan gets a second message."""
        paying = sum(count > 1 for count in self.messages.values())
        return f"{self.users} ({len(self.messages)} active, {paying} paying)"


def expected(table: str) -> Expected:
    """Count by hand what the workflow must do: one message for the active, two for the paying among them."""
    messages: Counter[str] = Counter()
    rows = list(csv.DictReader(io.StringIO(table)))
    for row in rows:
        if row["active"] == "true":
            messages[row["email"]] += 2 if row["plan"] != "free" else 1
    return Expected(len(rows), messages)


@dataclass(frozen=True)
class Crash:
    """What was seen around the kill."""

    killed: set[int]
    survivors: set[int]
    in_flight: set[str]
    before: Journal
    at: float
    back_at: float


class Demo:
    """One show in one folder."""

    def __init__(
        self, folder: Path, runtime: str, dsn: str, screen: Screen, *, pause_seconds: float
    ) -> None:
        self.folder = folder
        self.screen = screen
        # Noted as soon as they run, so that whatever comes in between, they are stopped.
        self.pieces: list[Piece] = []
        self.pause_seconds = pause_seconds
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.web_port = free_port(24119)
        self.app_port = free_port(8000)
        self.environment = {
            **os.environ,
            "WAYMARK_DATABASE_URL": dsn,
            "WAYMARK_USER_MODULE": "welcome.workflows",
            "WAYMARK_WORKER_COUNT": "2",
            "WAYMARK_CONCURRENT_PER_WORKER": "10",
            "WAYMARK_WEBAPP_ENABLED": "true",
            "WAYMARK_WEBAPP_ADDR": f"127.0.0.1:{self.web_port}",
            "WAYMARK_RUNTIME_DIR": runtime,
            "WELCOME_DIR": str(folder),
            "WELCOME_SEND_SECONDS": "0.15",
        }
        self.database: psycopg.Connection[tuple[int, int, int, int]] = psycopg.connect(
            dsn, autocommit=True
        )

    @property
    def web_url(self) -> str:
        """Where the web application answers."""
        return f"http://127.0.0.1:{self.web_port}"

    def pool(self, log: str) -> Piece:
        """Start a worker pool."""
        piece = start_pool(self.environment, self.folder / log)
        self.pieces.append(piece)
        return piece

    def app(self) -> None:
        """Start the app and wait for it."""
        piece = start_app(self.environment, self.app_port, self.folder / "app.log")
        self.pieces.append(piece)
        piece.await_url(f"http://127.0.0.1:{self.app_port}/healthz")

    def post(self, table: str) -> str:
        """Send the CSV to the app; the id of the run."""
        url = f"http://127.0.0.1:{self.app_port}/welcome"
        answer = httpx.post(
            url,
            params={"pause_seconds": self.pause_seconds},
            content=table,
            timeout=LONGEST_SECONDS,
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    def show(self, run: str) -> dict[str, object]:
        """Ask the app how the run stands."""
        answer = httpx.get(f"http://127.0.0.1:{self.app_port}/runs/{run}", timeout=LONGEST_SECONDS)
        answer.raise_for_status()
        return dict(answer.json())

    def journal(self, run: str) -> Journal:
        """Read what is committed."""
        return read_journal(self.database, run, SCHEMA)

    def until_busy(self, run: str, total: int) -> None:
        """Wait until enough is committed and enough is in flight to make the kill hurt."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            journal = self.journal(run)
            self.screen.progress(sum(journal.done.values()), total)
            busy = len(in_flight(self.ledger, journal)) >= ENOUGH_IN_FLIGHT
            if busy and sum(journal.done.values()) >= ENOUGH_COMMITTED:
                return
            time.sleep(0.01)
        raise PieceFailed("the run never became busy enough to be interrupted; see pool-1.log")

    def crash(self, run: str, first: Piece) -> Crash:
        """Kill -9 the pool, start another, wait for the first action that goes on."""
        at = time.time()
        killed = first.kill_all()
        self.screen.say(f"kill -9 of the whole pool: {len(killed)} processes")
        before = self.journal(run)
        lost_calls = in_flight(self.ledger, before)
        survivors = alive(killed)
        second = self.pool("pool-2.log")
        self.screen.say("another pool starts")
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            resumed = [
                entry for entry in begun(self.ledger) if entry.at > at and entry.pid not in killed
            ]
            if resumed:
                return Crash(killed, survivors, lost_calls, before, at, resumed[0].at)
            if second.process.poll() is not None:
                second.await_line("pool.ready")
            time.sleep(0.01)
        raise PieceFailed("no action went on after the kill; see pool-2.log")

    def until_done(self, run: str, total: int) -> dict[str, object]:
        """Wait for the end of the run and return what the app says of it."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            self.screen.progress(sum(self.journal(run).done.values()), total)
            state = self.show(run)
            if state["state"] not in ("queued", "running", "waiting"):
                return state
            time.sleep(0.1)
        raise PieceFailed(f"run {run} did not end within {LONGEST_SECONDS:g} s; see pool-2.log")


def play(demo: Demo, table: str) -> tuple[str, bool]:
    """The whole show; the id of the run, and whether everything was as promised."""
    wanted = expected(table)
    total = sum(wanted.messages.values()) + 1
    first = demo.pool("pool-1.log")
    first.await_line("pool.ready")
    demo.app()
    demo.screen.say(f"pool, app and web are up; the web is at {demo.web_url}")
    run = demo.post(table)
    demo.screen.say(f"posted {wanted.users} users; run {run}")
    demo.until_busy(run, total)
    crash = demo.crash(run, first)
    state = demo.until_done(run, total)
    after = demo.journal(run)
    demo.screen.progress(sum(after.done.values()), total, last=True)
    sent = delivered(demo.folder)
    lost = wanted.messages - sent
    surplus = sent - wanted.messages
    twice = repeated(demo.ledger, crash.before, after, crash.killed)
    failures = [
        (
            state["state"] != "completed",
            f"the run ended as {state['state']}: {state.get('error', '')}",
        ),
        (len(crash.in_flight) < ENOUGH_IN_FLIGHT, "fewer than 10 calls were in flight at the kill"),
        (not crash.before.done, "the journal had committed nothing before the kill"),
        (
            bool(crash.survivors),
            f"processes of the killed pool survived: {sorted(crash.survivors)}",
        ),
        (bool(lost), f"lost messages: {dict(lost)}"),
        (bool(surplus), f"messages sent twice: {dict(surplus)}"),
        (bool(twice), f"committed steps that ran twice: {sorted(twice)}"),
    ]
    demo.screen.table(
        [
            ("users", wanted.told),
            ("messages", f"{sum(sent.values())} of {sum(wanted.messages.values())}"),
            ("retries", str(after.retries)),
            ("committed before the kill", str(sum(crash.before.done.values()))),
            ("calls in flight at the kill", str(len(crash.in_flight))),
            ("committed steps that ran twice", str(len(twice))),
            ("lost messages", str(sum(lost.values()))),
            ("time from the kill to the next action", f"{crash.back_at - crash.at:.2f} s"),
            ("web", demo.web_url),
        ]
    )
    wrong = [text for failed, text in failures if failed]
    for text in wrong:
        demo.screen.say(f"NOT AS PROMISED: {text}")
    return run, not wrong


def main() -> int:
    """Parse the arguments, set everything up, take everything down."""
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    parser.add_argument(
        "--pause", type=float, default=3.0, help="seconds of the durable sleep (default 3)"
    )
    given = parser.parse_args()
    screen = Screen()
    home = Path.cwd() / ".waymark"
    folder = home / f"demo-{os.getpid()}"
    table = (HERE.parent / "users.csv").read_text()
    good = False
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # that is how nohup works
            signal.signal(ending, leave)
    try:
        with ExitStack() as stack:
            # A bridge keeps its socket and its log where it is told to: nothing of them stays.
            runtime = stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="wm-",
                    dir=os.environ.get("WAYMARK_RUNTIME_DIR"),
                    ignore_cleanup_errors=True,
                )
            )
            screen.say("a private Postgres starts")
            server = stack.enter_context(EmbeddedServer(folder))
            demo = Demo(folder, runtime, server.dsn, screen, pause_seconds=given.pause)
            stack.enter_context(stopping(demo.pieces))
            stack.callback(demo.database.close)
            stack.callback(stop_bridge, demo.environment)
            with screen:
                run, good = play(demo, table)
            if given.keep:
                wait_for_interrupt(screen, demo, run, server.dsn)
    except (PieceFailed, EmbeddedPostgresError, WaymarkError) as error:
        screen.say(str(error))
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        screen.say("interrupted; every process has been stopped")
        return 130
    if good:
        shutil.rmtree(folder, ignore_errors=True)
        screen.say("nothing lost, nothing repeated; every process has been stopped")
        if not given.keep:
            screen.say("to look around in the web application: ./dev demo --keep")
    else:
        screen.say(f"logs, mail and ledger are in {folder}")
    return 0 if good else 1


def leave(_number: int, _frame: FrameType | None) -> None:
    """End as at Ctrl-C: what was started is stopped."""
    raise KeyboardInterrupt


def wait_for_interrupt(screen: Screen, demo: Demo, run: str, dsn: str) -> None:
    """Leave everything running for a look around."""
    screen.say(f"web       {demo.web_url}/runs/{run}")
    screen.say(f"app       http://127.0.0.1:{demo.app_port}/docs")
    screen.say(f"database  {dsn}")
    screen.say("Ctrl-C stops everything")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return


def stop_bridge(environment: dict[str, str]) -> None:
    """End the bridge that the app booted; it would outlive the app by design."""
    subprocess.run(
        [sys.executable, "-m", "waymark_schema.cli", "bridge", "stop"],
        env=environment,
        check=False,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
