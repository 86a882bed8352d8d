"""Nothing in; every fault by its name out."""

from __future__ import annotations

from tests.chaos.fault import Fault
from tests.chaos.faults.processes import KilledProcesses

FAULTS: dict[str, type[Fault]] = {fault.name: fault for fault in (KilledProcesses,)}
"""In the order in which a run without a choice plays them alone."""
