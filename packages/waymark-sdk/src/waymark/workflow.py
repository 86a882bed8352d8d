"""The original spelling of imports in, the same names out: ``from waymark.workflow import Workflow, RetryPolicy``."""

from waymark.workflows import Workflow, workflow
from waymark_schema.ir.policies import Backoff, RetryPolicy

BackoffPolicy = Backoff

__all__ = ["Backoff", "BackoffPolicy", "RetryPolicy", "Workflow", "workflow"]
