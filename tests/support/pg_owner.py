"""A directory in; a process that owns a private Postgres in it and says where, out.

Run as `python -m tests.support.pg_owner DIRECTORY [GUARD] [--short-lived-thread]`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from waymark_worker.embedded import EmbeddedServer
from waymark_worker.embedded.identity import Guard


def main(argv: list[str]) -> None:
    """Start the server and wait to be killed."""
    guard = Guard(argv[1]) if len(argv) > 1 else Guard.of_this_system()
    server = EmbeddedServer(Path(argv[0]), guard=guard, options={"fsync": "off"})
    if "--short-lived-thread" in argv:
        starter = threading.Thread(target=server.start)
        starter.start()
        starter.join()
    else:
        server.start()
    sys.stdout.write(f"ready owner={os.getpid()} server={server.pid} {server.dsn}\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1:])
