"""Workflows and actions of users in; the same run in the process of their tests, without a database, out."""

from waymark.dependencies import override
from waymark_worker.testing.process import in_process
from waymark_worker.testing.records import CallRecord, RunRecord
from waymark_worker.testing.runtime import InProcessRuntime
from waymark_worker.testing.stubs import Stub
from waymark_worker.testing.waiting import NeverEnds

__all__ = [
    "CallRecord",
    "InProcessRuntime",
    "NeverEnds",
    "RunRecord",
    "Stub",
    "in_process",
    "override",
]
