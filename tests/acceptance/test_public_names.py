"""Every finished public name, used as a user would, against a pool of the shipped commands."""

import json

import pytest

from tests.acceptance.conftest import Shop

pytestmark = pytest.mark.acceptance

ITEMS = (
    '[shop.Item(name="tea", size="large", price=2.5), shop.Item(name="cup", size="small", price=1)]'
)


def test_run_takes_and_gives_models(open_shop: Shop) -> None:
    assert open_shop.ask(
        f"""
async def main():
    receipt = await shop.Order().run({ITEMS}, discount=0.5)
    assert isinstance(receipt, shop.Receipt) and isinstance(receipt.items[0].size, shop.Size)
    print(receipt.model_dump_json())
asyncio.run(main())"""
    ) == {
        "items": [
            {"name": "tea", "size": "large", "price": 2.5},
            {"name": "cup", "size": "small", "price": 1.0},
        ],
        "total": 3.0,
    }


def test_run_sync_is_the_same_for_synchronous_programs(open_shop: Shop) -> None:
    assert open_shop.ask(f"print(shop.Order().run_sync({ITEMS}).total)") == 6.0


def test_run_without_blocking_gives_the_id(open_shop: Shop) -> None:
    assert open_shop.ask(
        f"""
async def main():
    run_id = await shop.Order().run({ITEMS}, _blocking=False, _priority=3)
    run = waymark.Run.get(run_id)
    result = await run.result(timeout=30)
    print(json.dumps([type(run_id).__name__, run.id == run_id, await run.status(), result["total"] if isinstance(result, dict) else result.total]))
asyncio.run(main())"""
    ) == ["str", True, "completed", 6.0]


def test_skipping_the_wait_by_environment_gives_the_id(open_shop: Shop) -> None:
    assert (
        open_shop.ask(
            f"""
import os
os.environ["WAYMARK_SKIP_WAIT_FOR_INSTANCE"] = "true"
print(json.dumps(len(shop.Order().run_sync({ITEMS}))))"""
        )
        == 36
    )


def test_start_gives_a_run_whose_twins_work_without_a_loop(open_shop: Shop) -> None:
    assert open_shop.ask(
        f"""
run = shop.Order.start_sync({ITEMS})
total = run.result_sync(timeout=30).total
print(json.dumps([total, run.status_sync()]))"""
    ) == [6.0, "completed"]


def test_the_same_id_starts_one_run(open_shop: Shop) -> None:
    assert open_shop.ask(
        f"""
import uuid
async def main():
    chosen = uuid.uuid4()
    runs = [await shop.Order.options(id=chosen).start({ITEMS}) for _ in range(3)]
    print(json.dumps([len({{run.id for run in runs}}), (await runs[2].result()).total]))
asyncio.run(main())"""
    ) == [1, 6.0]


def test_the_same_idempotency_key_starts_one_run(open_shop: Shop) -> None:
    assert (
        open_shop.ask(
            f"""
async def main():
    runs = await asyncio.gather(*[shop.Order.options(idempotency_key="once").start({ITEMS}) for _ in range(5)])
    print(len({{run.id for run in runs}}))
asyncio.run(main())"""
        )
        == 1
    )


def test_a_delayed_start_waits(open_shop: Shop) -> None:
    assert open_shop.ask(
        f"""
import time
async def main():
    began = time.monotonic()
    run = await shop.Order.options(delay=0.5).start({ITEMS})
    before = await run.status()
    await run.result()
    print(json.dumps([before, time.monotonic() - began >= 0.5]))
asyncio.run(main())"""
    ) == ["queued", True]


def test_many_runs_start_in_one_transaction(open_shop: Shop) -> None:
    assert open_shop.ask(
        f"""
async def main():
    runs = await shop.Order.start_many([shop.Order.call({ITEMS}, discount=d) for d in (0.0, 0.5)])
    print(json.dumps([(await run.result()).total for run in runs]))
asyncio.run(main())"""
    ) == [6.0, 3.0]


def test_many_runs_start_from_a_synchronous_program(open_shop: Shop) -> None:
    assert open_shop.ask(
        f"""
runs = shop.Order.start_many_sync([shop.Order.call({ITEMS}, discount=d) for d in (0.0, 0.5)])
print(json.dumps([run.result_sync().total for run in runs]))"""
    ) == [6.0, 3.0]


def test_runs_travel_as_bytes_to_a_process_that_does_not_know_the_workflow(
    open_shop: Shop,
) -> None:
    payloads = open_shop.folder / "payloads"
    open_shop.ask(
        f"""
from pathlib import Path
calls = [shop.Order.call({ITEMS}, discount=d) for d in (0.0, 0.5)] + [shop.Fails.call()]
for number, call in enumerate(calls):
    Path({str(payloads)!r} + str(number)).write_bytes(call.payload)
print("null")"""
    )
    program = f"""
import asyncio, json, sys, waymark
from pathlib import Path
from waymark import bridge
one, two, fails = [Path({str(payloads)!r} + str(number)).read_bytes() for number in range(3)]
async def main():
    ids = [await bridge.run_instance(one), *await bridge.run_instances_batch([two, fails, one])]
    outcomes = [waymark.deserialize_result_payload(await bridge.wait_for_instance(i, 0.1)) for i in ids[:3]]
    assert ids[3] == ids[0]
    return [outcomes[0].result.total, outcomes[1].result.total, str(outcomes[2].error)]
sync = bridge.run_instance_sync(one)
assert "shop" not in sys.modules  # the result will bring it: it is an object of it
total = waymark.deserialize_result_payload(bridge.wait_for_instance_sync(sync)).result.total
print(json.dumps([total, *asyncio.run(main())]))"""
    child = open_shop.app(program)
    assert child.wait(seconds=60) == 0, child.output
    assert json.loads(child.lines[-1]) == [6.0, 6.0, 3.0, "only 3 of tea left"]


def test_dependencies_are_resolved_and_cleaned_up(open_shop: Shop) -> None:
    before = len(open_shop.lines("till"))  # other tests of the module use it, too
    assert open_shop.ask("print(json.dumps(shop.Serve().run_sync()))") == ["cashier in EUR", "42"]
    assert open_shop.lines("till")[before:] == [["till", "opened"], ["till", "closed"]]


def test_retries_obey_their_policies_under_one_idempotency_key(open_shop: Shop) -> None:
    assert open_shop.ask("print(json.dumps(shop.Retry().run_sync(2)))") == [3, 2, 2]
    keys = [line[1] for line in open_shop.lines("unreliable")]
    assert len(keys) == 7
    assert len(set(keys)) == 3


def test_exhausted_retries_raise_the_actions_own_exception_with_its_attributes(
    open_shop: Shop,
) -> None:
    found = open_shop.ask("print(json.dumps(shop.Exhaust().run_sync()))")
    assert found == ["tea", 3, "only 3 of tea left"]


def test_a_failed_run_raises_workflow_failed_with_the_original_as_cause(open_shop: Shop) -> None:
    assert open_shop.ask(
        """
try:
    shop.Fails().run_sync()
except waymark.WorkflowFailed as error:
    cause = error.__cause__
    print(json.dumps([isinstance(error, RuntimeError), len(error.instance_id), error.error.message,
        type(cause).__name__, cause.left, any("attempt" in note for note in cause.__notes__)]))"""
    ) == [True, 36, "only 3 of tea left", "OutOfStock", 3, True]


def test_a_timeout_raises_action_timeout_inside_the_workflow(open_shop: Shop) -> None:
    assert open_shop.ask("print(json.dumps(shop.Late().run_sync()))") == "ActionTimeout"


def test_a_poison_action_fails_as_worker_crashed(open_shop: Shop) -> None:
    assert open_shop.ask("print(json.dumps(shop.Poison().run_sync()))") == "WorkerCrashed"


def test_waiting_too_long_raises_timeout_error_and_leaves_the_run_alone(open_shop: Shop) -> None:
    gate = open_shop.folder / "gate"
    assert (
        open_shop.ask(
            f"""
from pathlib import Path
try:
    shop.Gate().run_sync({str(gate)!r}, _timeout=0.3)
except TimeoutError as error:
    Path({str(gate)!r}).touch()
    print(json.dumps(waymark.Run.get(error.instance_id).result_sync(timeout=30)))"""
        )
        == "open"
    )


def test_an_unknown_run_is_not_found(open_shop: Shop) -> None:
    assert (
        open_shop.ask(
            """
try:
    waymark.Run.get("0190b7a0-0000-7000-8000-000000000001").status_sync()
except waymark.InstanceNotFound as error:
    print(json.dumps(error.instance_id))"""
        )
        == "0190b7a0-0000-7000-8000-000000000001"
    )


def test_wrong_arguments_fail_at_the_call_as_python_would(open_shop: Shop) -> None:
    assert (
        open_shop.ask(
            """
try:
    shop.Order().run_sync()
except TypeError as error:
    print(json.dumps(str(error)))"""
        )
        == "Order.run() missing 1 required positional argument: 'items'"
    )


def test_a_value_that_cannot_be_kept_fails_at_the_call(open_shop: Shop) -> None:
    message = open_shop.ask(
        """
try:
    shop.Gate().run_sync([{"x": object()}])
except waymark.SerializationError as error:
    print(json.dumps([error.path, str(error)]))"""
    )
    assert message[0] == "arguments['gate'][0]['x']"


def test_a_workflow_that_does_not_compile_fails_at_the_call(open_shop: Shop) -> None:
    (open_shop.folder / "odd.py").write_text(
        "from waymark import Workflow, workflow\n\n\n@workflow\nclass Odd(Workflow):\n"
        "    async def run(self) -> int:\n        import os\n        return 1\n"
    )
    assert open_shop.ask(
        f"""
import sys
sys.path.insert(0, {str(open_shop.folder)!r})
import odd
try:
    odd.Odd().run_sync()
except waymark.UnsupportedPatternError as error:
    print(json.dumps([error.line, error.filename.endswith("odd.py"), bool(error.recommendation)]))"""
    ) == [7, True, True]


def test_registries_and_the_program_can_be_looked_at(open_shop: Shop) -> None:
    assert open_shop.ask(
        """
found = [name for name in ("order", "serve") if waymark.workflow_registry.get(name) is not None]
program = waymark.build_workflow_ir(shop.Order)
print(json.dumps([found, program.workflow, len(program.actions)]))"""
    ) == [["order", "serve"], "order", 1]


@pytest.mark.slow
def test_an_action_called_directly_is_an_ordinary_function(open_shop: Shop) -> None:
    assert open_shop.ask(
        """
async def main():
    print(json.dumps([await shop.serve(by="me"), shop.in_a_thread(4)]))
asyncio.run(main())"""
    ) == ["me", 8]


def test_payloads_round_trip(open_shop: Shop) -> None:
    assert open_shop.ask(
        """
payload = waymark.serialize_result_payload({"a": (1, 2)})
print(json.dumps(waymark.deserialize_result_payload(payload).result == {"a": (1, 2)}))"""
    )
