"""Records of the language's asyncio: their methods, their stored form and their refusals, against CPython's own classes."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import Any

import pytest

from tests.support.compiling import imported, run_text, workflow_of
from waymark.starting import prepare
from waymark_schema.ir import language
from waymark_worker.vm import asynchrony, records, snapshot_fields
from waymark_worker.vm.effects import CancelTimer, Complete, Effect, Fail, StartTimer
from waymark_worker.vm.entries import TimerFired
from waymark_worker.vm.link import link
from waymark_worker.vm.local import FreshLocals
from waymark_worker.vm.machine import Machine
from waymark_worker.vm.names import RECORDS, public_name
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import Callback

_MADE_BY = {"Task": "Task", "_GatheringFuture": "gather", "Future": "shield", "Timeout": "timeout"}
KINDS = [
    kind
    for kind, host in records.HOSTS.items()
    if kind in records.METHODS and "asyncio" in host.__module__
]
REFUSED = {"add_done_callback", "remove_done_callback"}
_MADE_BY["_UnixSelectorEventLoop"] = "get_running_loop"


def test_the_language_names_every_method_of_every_record() -> None:
    for kind in KINDS:
        name, methods = public_name(kind), records.METHODS[kind]
        promised = language.RECORD_METHODS[f"asyncio.{_MADE_BY.get(name, name)}"]
        assert set(methods) - REFUSED == set(promised), name


@pytest.mark.parametrize("kind", KINDS, ids=RECORDS.get)
def test_every_method_takes_what_that_of_cpython_takes(kind: type) -> None:
    host = records.HOSTS[kind]
    for name, signature in records.METHODS[kind].items():
        own = inspect.signature(signature._function)
        if name in REFUSED:
            continue
        # A condition hands out its lock's own methods.
        found = getattr(host, name, None) or getattr(asyncio.Lock, name)
        expected = inspect.signature(found).parameters
        taken = [each for each in list(own.parameters)[1:] if each != "self"]
        assert taken == [each for each in expected if each != "self"], name


def _all_below(cls: type) -> set[type]:
    below: list[type] = cls.__subclasses__()
    return {*below, *(found for each in below for found in _all_below(each))}


def test_every_record_has_a_stored_form() -> None:
    stored: set[type] = {kind for kind, _ in snapshot_fields.RECORDS.values()}
    abstract: set[type] = {each for each in _all_below(Routine) if each.__subclasses__()}
    assert (_all_below(Routine) | _all_below(Callback) | set(records.METHODS)) - abstract <= {
        *stored,
        *(type(each) for each in snapshot_fields.SINGLE.values()),
    }


@pytest.mark.parametrize("tag", sorted(asynchrony.RECORDS))
def test_a_stored_form_holds_every_field_of_its_record(tag: str) -> None:
    kind, fields = asynchrony.RECORDS[tag]
    slots = [name for cls in kind.__mro__ for name in getattr(cls, "__slots__", ())]
    assert sorted(name for name, _ in fields) == sorted(slots)


def machine_of(folder: Path, body: str) -> Machine:
    request = prepare(workflow_of(imported(folder, run_text(body))), (), {}).request
    linked = link(request.program.program, request.program.digest)
    return Machine.start(linked, inputs=request.inputs, attributes=request.attributes)


def ending(machine: Machine, effects: list[Effect]) -> Any:
    last = effects[-1]
    assert isinstance(last, Complete | Fail)
    return machine.linked.codec.decode(last.result if isinstance(last, Complete) else last.error)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("lock = asyncio.Lock()\nreturn f'{lock}'", "WM203"),
        ("return repr(asyncio.create_task(act(1)))", "WM203"),
        ("return str(asyncio.Queue())", "WM203"),
        ("return asyncio.current_task().get_name()", "WM203"),
        ("return asyncio.create_task(act(1), context={})", "WM202"),
        ("return asyncio.create_task(act(1)).get_stack()", "WM201"),
        ("return asyncio.Queue()._queue", "WM201"),
        ("return asyncio.get_running_loop().is_running()", "WM201"),
        ("return isinstance(asyncio.Queue(), asyncio.Queue)", "WM202"),
        ("return type(asyncio.Lock())", "WM202"),
        ("return asyncio.Queue[int]()", "WM202"),
        ("await asyncio.wait_for(act(1), float('nan'))", "WM202"),
        ("return asyncio.Condition(5)", "WM202"),
    ],
)
def test_what_cannot_be_like_cpython_ends_the_run(tmp_path: Path, body: str, told: str) -> None:
    machine = machine_of(tmp_path, body)
    assert str(ending(machine, machine.advance(None, FreshLocals()))).startswith(told)


def test_a_lock_cannot_leave_its_run(tmp_path: Path) -> None:
    machine = machine_of(tmp_path, "await act(asyncio.Lock())")
    error = ending(machine, machine.advance(None, FreshLocals()))
    assert type(error).__name__ == "SerializationError"
    assert "Lock" in str(error)


def test_a_timeout_asks_for_its_delay_and_takes_it_back(tmp_path: Path) -> None:
    body = """
async with asyncio.timeout(7.25) as guard:
    guard.reschedule(guard.when() + 10)
await asyncio.wait_for(asyncio.sleep(0), 3)
"""
    machine = machine_of(tmp_path, body)
    asked = [
        each
        for each in machine.advance(None, FreshLocals(lambda: 1_700_000_000.0))
        if isinstance(each, StartTimer | CancelTimer)
    ]
    assert asked == [
        StartTimer(0, 7.25),
        CancelTimer(0),
        StartTimer(1, 17.25),
        CancelTimer(1),
        StartTimer(2, 3.0),
        CancelTimer(2),
    ]


def test_time_passes_between_advances_and_stands_still_within_one(tmp_path: Path) -> None:
    body = """
loop = asyncio.get_running_loop()
first, again = loop.time(), loop.time()
guard = asyncio.timeout(10)
await asyncio.sleep(4)
async with guard:
    pass
return again - first, loop.time() - first
"""
    machine = machine_of(tmp_path, body)
    clock = [100.0]
    began = FreshLocals(lambda: clock[0])
    (sleep,) = machine.advance(None, began)
    assert sleep == StartTimer(0, 4.0)
    assert len(began.recorded()) == 1
    clock[0] = 106.5
    machine = Machine.restore(machine.linked, machine.snapshot())
    effects = machine.advance(TimerFired(0), FreshLocals(lambda: clock[0]))
    assert effects[0] == StartTimer(1, 3.5)
    assert ending(machine, effects) == (0.0, 6.5)
