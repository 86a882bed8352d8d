"""Actions of the other team."""

from tests.integration.worker.jobs import note
from waymark import action, current_action


@action
async def right(x: int) -> int:
    note("right", current_action().instance_id, x)
    return 2 * x
