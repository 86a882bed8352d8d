"""Runs as bytes in; ids and outcomes as bytes out, in process."""

import pytest

from tests.unit.testing import flows
from waymark import (
    InstanceNotFound,
    Run,
    bridge,
    deserialize_result_payload,
)

HOUR = 3600


async def test_a_run_started_from_its_bytes_ends_as_any_other() -> None:
    payload = flows.Several.call(["a", "b"]).payload
    run_id = await bridge.run_instance(payload)
    assert deserialize_result_payload(await bridge.wait_for_instance(run_id)).result == ["A", "B"]
    assert await Run.get(run_id).status() == "completed"


async def test_the_same_bytes_start_one_run() -> None:
    payload = flows.Several.call(["a"]).payload
    assert len({await bridge.run_instance(payload) for _ in range(3)}) == 1


async def test_options_travel_with_the_bytes() -> None:
    payloads = [flows.Dozes.options(delay=HOUR).call(1).payload]
    payloads.append(flows.Dozes.options(idempotency_key="k").call(1).payload)
    payloads.append(flows.Dozes.options(idempotency_key="k").call(2).payload)
    delayed, first, second = await bridge.run_instances_batch(payloads)
    assert await Run.get(delayed).status() == "queued"
    assert first == second


async def test_a_run_that_failed_gives_its_exception() -> None:
    run_id = await bridge.run_instance(flows.Sells.call("tea").payload)
    error = deserialize_result_payload(await bridge.wait_for_instance(run_id)).error
    assert isinstance(error, flows.SoldOut)
    assert error.left == 3


def test_synchronous_programs_have_the_same() -> None:
    run_id = bridge.run_instance_sync(flows.Several.call(["a"]).payload)
    assert bridge.run_instances_batch_sync([]) == []
    assert deserialize_result_payload(bridge.wait_for_instance_sync(run_id)).result == ["A"]


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x90", b"\x80", bytes(2000)])
async def test_other_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="is no serialised run"):
        await bridge.run_instance(payload)


async def test_what_is_no_bytes_is_refused() -> None:
    with pytest.raises(TypeError, match="expected bytes"):
        await bridge.run_instance("text")  # type: ignore[arg-type] # the mistake


async def test_waiting_takes_an_id_and_an_interval() -> None:
    with pytest.raises(ValueError, match="poll_interval_secs is 0"):
        await bridge.wait_for_instance("0190b7a0-0000-7000-8000-000000000001", 0)
    with pytest.raises(ValueError, match="nonsense"):
        await bridge.wait_for_instance("nonsense")
    with pytest.raises(InstanceNotFound):
        await bridge.wait_for_instance("0190b7a0-0000-7000-8000-000000000001")
