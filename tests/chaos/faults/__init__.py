"""Nothing in; every fault by its name out."""

from __future__ import annotations

from tests.chaos.fault import Fault
from tests.chaos.faults.boundaries import CrashedBoundaries
from tests.chaos.faults.clocks import WrongClocks
from tests.chaos.faults.database import FullDisk, HeldSnapshot, SerializationErrors, SlowDatabase
from tests.chaos.faults.hostile_actions import BlockedLoop, PoisonActions, TreacherousActions
from tests.chaos.faults.network import BadNetwork, DeathsBesideWrites, NoConnections
from tests.chaos.faults.processes import KilledProcesses, StoppedPool
from tests.chaos.faults.releases import MigratedUnderLoad, MixedReleases
from tests.chaos.faults.servers import RestartedServer, TerminatedSessions

FAULTS: dict[str, type[Fault]] = {
    fault.name: fault
    for fault in (
        KilledProcesses,
        StoppedPool,
        RestartedServer,
        TerminatedSessions,
        BadNetwork,
        DeathsBesideWrites,
        CrashedBoundaries,
        WrongClocks,
        NoConnections,
        SlowDatabase,
        HeldSnapshot,
        FullDisk,
        MigratedUnderLoad,
        MixedReleases,
        BlockedLoop,
        PoisonActions,
        SerializationErrors,
        TreacherousActions,
    )
}
"""In the order in which a run without a choice plays them alone."""
