"""A database and what to run on it in; web, workers that follow the files, and a command, until the end, out."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
import threading
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from waymark_worker.clock import pause
from waymark_worker.dev.checking import WAYMARK
from waymark_worker.dev.children import Child, KeptCommand, start, start_kept
from waymark_worker.dev.reloading import Pools
from waymark_worker.dev.telling import say, tell
from waymark_worker.dev.watching import Watcher
from waymark_worker.embedded.watchdog import first_to_end
from waymark_worker.pool.process import exit_text

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KNOCK_SECONDS = 0.1
PATIENCE_SECONDS = 15.0
STABLE_SECONDS = 10.0
MAX_RESTART_SECONDS = 10.0
WEB_GRACE_SECONDS = 5.0
HASTE_SECONDS = 2.0
# On top of the pool's own grace: it stops its workers one by one and says farewell to the database.
EXTRA_GRACE_SECONDS = 10.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one `waymark dev` runs."""

    modules: tuple[str, ...]
    command: tuple[str, ...]
    address: str
    """HOST:PORT of the web application."""
    environment: Mapping[str, str]
    """For every child: with the database's URL."""
    server: int | None
    """Process id of the private Postgres, if there is one."""
    grace: float
    """Seconds that what runs may take to end."""


class Session:
    """Everything between the start of the database and its stop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._hasty = asyncio.Event()
        self._without_database = False
        self._web: Child | None = None
        self._command: KeptCommand | None = None
        # Their information is what we say ourselves, in fewer words.
        self._quiet = {"WAYMARK_LOG_LEVEL": "WARNING", **plan.environment}
        pool = {**self._quiet, "WAYMARK_WEBAPP_ENABLED": "false"}
        self._pools = Pools(plan.modules, pool, say=say, ended=self._pool_ended)
        self._watcher = Watcher(Path.cwd(), say=lambda text: say("Reload", text))

    async def run(self) -> int:
        """Run until somebody asks for the end, or nothing can go on; the exit status."""
        loop = asyncio.get_running_loop()
        for number in ENDINGS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # that is how nohup works
                loop.add_signal_handler(number, self._asked)
        if self._plan.server is not None:
            self._watch_server(self._plan.server, loop)
        try:
            async with asyncio.TaskGroup() as group:
                duties = [
                    group.create_task(self._watcher.run()),
                    group.create_task(self._serve_web()),
                    group.create_task(self._work()),
                ]
                status = await self._end
                for duty in duties:
                    duty.cancel()
        finally:
            await self._stop()
        return status

    # duties -----------------------------------------------------------------------------------

    async def _work(self) -> None:
        begun, more = None, frozenset[Path]()
        while begun is None:
            begun, more = await self._unless_saved(self._pools.begin())
        if not begun:
            self._finish(1)
            return
        await self._announce()
        async with asyncio.TaskGroup() as group:
            if self._plan.command:
                group.create_task(self._run_command())
            while True:
                self._watcher.also({path.parent for path in self._pools.loaded})
                changed = more or await self._watcher.changes()
                _, more = await self._unless_saved(self._pools.follow(changed))

    async def _unless_saved(
        self, work: Coroutine[None, None, T]
    ) -> tuple[T | None, frozenset[Path]]:
        """Do some work and say what was saved meanwhile; a check of what is outdated is given up for it."""
        async with asyncio.TaskGroup() as group:
            working = group.create_task(work)
            saving = group.create_task(self._watcher.changes())
            await asyncio.wait([working, saving], return_when=asyncio.FIRST_COMPLETED)
            if self._pools.checking:
                working.cancel()
            await asyncio.wait([working])
            saving.cancel()
        # It may have ended in the moment in which the work did: what it brought must not be lost.
        more = frozenset() if saving.cancelled() else saving.result()
        return None if working.cancelled() else working.result(), more

    async def _announce(self) -> None:
        """Say where the web application is once it answers."""
        loop = asyncio.get_running_loop()
        began_at, silent = loop.time(), True
        while not await _answers(self._plan.address):
            if silent and loop.time() - began_at > PATIENCE_SECONDS:
                silent = False
                say("Web", f"does not answer on {self._plan.address} yet; see the messages above")
            await pause(KNOCK_SECONDS)
        say("Web", f"http://{self._plan.address}")
        say("Ready", "saving a file replaces the workers; Ctrl-C stops everything.")
        if self._plan.server is not None and not self._plan.command:
            url = shlex.quote(self._plan.environment["WAYMARK_DATABASE_URL"])
            say("Try", f"in another terminal: {self._try(url)}")

    def _try(self, url: str) -> str:
        """A line for a shell: it starts the module itself if that is a program."""
        path = Path(*self._plan.modules[0].split(".")).with_suffix(".py")
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        if "__main__" in text:
            return f"WAYMARK_DATABASE_URL={url} python {path}"
        return f"export WAYMARK_DATABASE_URL={url}"

    async def _serve_web(self) -> None:
        loop = asyncio.get_running_loop()
        deaths = 0
        while True:
            began_at = loop.time()
            self._web = await start([sys.executable, "-m", "waymark_web"], environment=self._quiet)
            code = await self._web.wait()
            deaths = 0 if loop.time() - began_at > STABLE_SECONDS else deaths + 1
            say("Web", f"ended with {exit_text(code)}; it is started again")
            await pause(min(MAX_RESTART_SECONDS, 0.5 * 2 ** min(deaths, 10)))

    async def _run_command(self) -> None:
        shown = shlex.join(self._plan.command)
        say("Command", shown)
        self._command = await start_kept(self._plan.command, environment=self._plan.environment)
        code = await self._command.ended()
        say("Command", f"{shown} ended with {exit_text(code)}; everything else goes on.")

    # ends ---------------------------------------------------------------------------------------

    def _asked(self) -> None:
        if self._end.done():
            self._hasty.set()
        else:
            say("Stopping", "what runs may end; Ctrl-C again stops it now.")
            self._finish(0)

    def _finish(self, status: int) -> None:
        if not self._end.done():
            self._end.set_result(status)

    def _pool_ended(self, status: int) -> None:
        if not self._end.done():
            say("Workers", f"the pool ended by itself with {exit_text(status)}. Stopping.")
            self._finish(status if status > 0 else 1)

    def _watch_server(self, pid: int, loop: asyncio.AbstractEventLoop) -> None:
        def wait() -> None:
            first_to_end([pid])
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._server_ended)

        threading.Thread(target=wait, name="watches-postgres", daemon=True).start()

    def _server_ended(self) -> None:
        if not self._end.done():
            # Without its database the pool cannot write anything down: waiting for it gains nothing.
            self._without_database = True
            tell("The private Postgres ended by itself; its log says why. Stopping.", err=True)
            self._finish(1)

    async def _stop(self) -> None:
        """End all children, together; at once when asked again."""
        grace = HASTE_SECONDS if self._without_database else self._plan.grace + EXTRA_GRACE_SECONDS
        children: list[tuple[Child, float]] = [(pool, grace) for pool in self._pools.children]
        if self._web is not None:
            children.append((self._web, WEB_GRACE_SECONDS))
        if self._command is not None:
            children.append((self._command, 0.0))
        async with asyncio.TaskGroup() as group:
            hurrying = group.create_task(self._hurry([child for child, _ in children]))
            await asyncio.gather(*(child.stop(seconds) for child, seconds in children))
            hurrying.cancel()
        if self._plan.server is not None and not self._without_database:
            await self._stop_bridge()

    async def _hurry(self, children: list[Child]) -> None:
        await self._hasty.wait()
        for child in children:
            child.kill()

    async def _stop_bridge(self) -> None:
        """A bridge that programs on this host booted for our database has nothing left to do."""
        process = await asyncio.create_subprocess_exec(
            *WAYMARK,
            "bridge",
            "stop",
            env=dict(self._plan.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(HASTE_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    local = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104 - where to knock, not to listen
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(local.get(host, host.strip("[]")), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def run(plan: Plan) -> int:
    """Run a session to its end."""

    async def session() -> int:
        return await Session(plan).run()

    return asyncio.run(session())
