"""Actions of one team; another team's pool knows the others that the workflow of both names."""

from tests.integration.worker.jobs import note
from waymark import action, current_action


@action
async def left(x: int) -> int:
    note("left", current_action().instance_id, x)
    return x + 1
