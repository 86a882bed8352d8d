"""Nothing in; what stands for a runloop that is ready, as its supervisor sees it, out."""

from waymark_worker.runloop.report import RunloopReport

READY = RunloopReport(
    ready=True,
    actions=[],
    programs=[],
    workflows=[],
    workers=[],
    counters={},
    instances_active=0,
    calls_in_flight=0,
    calls_queued=0,
    memory_bytes=0,
)


class Alive:
    """A process that runs."""

    returncode = None


class Ended:
    """A process that has ended."""

    returncode = -9
