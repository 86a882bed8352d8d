"""`PYTEST_WAYMARK_PATCHES` in, those functions called as the interpreter starts, out; for pools under test."""

import importlib
import os
import sys

# What a process of a pool is run as; the processes of users' code are left alone.
_COMMANDS = ("waymark-start-workers", "waymark_worker", "waymark_worker.runloop")


def _is_of_the_pool() -> bool:
    return any(part.rpartition("/")[2] in _COMMANDS for part in sys.orig_argv[:4])


if _is_of_the_pool():
    # The working directory is where the tests are; a script's own folder stands in its place otherwise.
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - before anything else is imported
    for name in os.environ.get("PYTEST_WAYMARK_PATCHES", "").split(","):
        if name:
            module, _, function = name.partition(":")
            getattr(importlib.import_module(module), function)()
