"""Waymark SDK: durable background workflows in plain async Python."""

# First, because its name is also that of the decorator below, which must win.
import waymark.workflow  # noqa: F401 - binds waymark.workflow, and the decorator takes the name over
from waymark import bridge
from waymark.actions import action
from waymark.attempts import ActionAttempt, current_action
from waymark.definitions import build_workflow_ir
from waymark.dependencies import Depend, Depends, override, provide_dependencies
from waymark.errors import (
    ActionTimeout,
    BridgeUnavailable,
    ExhaustedRetries,
    ExhaustedRetriesError,
    InstanceNotFound,
    ScheduleAlreadyExistsError,
    SerializationError,
    UnsupportedPatternError,
    WaymarkError,
    WorkerCrashed,
    WorkflowCancelled,
    WorkflowFailed,
)
from waymark.payloads import (
    ActionResultPayload,
    deserialize_result_payload,
    serialize_error_payload,
    serialize_result_payload,
)
from waymark.registry import registry, workflow_registry
from waymark.runs import Run
from waymark.schedules import (
    ScheduleInfo,
    delete_schedule,
    delete_schedule_sync,
    list_schedules,
    list_schedules_sync,
    pause_schedule,
    pause_schedule_sync,
    resume_schedule,
    resume_schedule_sync,
    schedule_workflow,
    schedule_workflow_sync,
    trigger_schedule,
    trigger_schedule_sync,
)
from waymark.workflows import Workflow, workflow
from waymark_schema.ir.policies import Backoff, RetryPolicy

BackoffPolicy = Backoff

__all__ = [
    "ActionAttempt",
    "ActionResultPayload",
    "ActionTimeout",
    "Backoff",
    "BackoffPolicy",
    "BridgeUnavailable",
    "Depend",
    "Depends",
    "ExhaustedRetries",
    "ExhaustedRetriesError",
    "InstanceNotFound",
    "RetryPolicy",
    "Run",
    "ScheduleAlreadyExistsError",
    "ScheduleInfo",
    "SerializationError",
    "UnsupportedPatternError",
    "WaymarkError",
    "WorkerCrashed",
    "Workflow",
    "WorkflowCancelled",
    "WorkflowFailed",
    "action",
    "bridge",
    "build_workflow_ir",
    "current_action",
    "delete_schedule",
    "delete_schedule_sync",
    "deserialize_result_payload",
    "list_schedules",
    "list_schedules_sync",
    "override",
    "pause_schedule",
    "pause_schedule_sync",
    "provide_dependencies",
    "registry",
    "resume_schedule",
    "resume_schedule_sync",
    "schedule_workflow",
    "schedule_workflow_sync",
    "serialize_error_payload",
    "serialize_result_payload",
    "trigger_schedule",
    "trigger_schedule_sync",
    "workflow",
    "workflow_registry",
]
