"""The language's asyncio as tables: functions by name, what ``async with`` does, and fields that snapshots keep."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.alarms import Alarm
from waymark_worker.vm.awaiting import push_routine
from waymark_worker.vm.groups import LeaveGroup, TaskGroup
from waymark_worker.vm.locks import (
    Acquire,
    Condition,
    ConditionWait,
    ConditionWaitFor,
    Enter,
    Event,
    EventWait,
    Lock,
    Semaphore,
)
from waymark_worker.vm.managers import ASYNC, Protocol
from waymark_worker.vm.queues import QUEUES, Get, Join, LifoQueue, PriorityQueue, Put, Queue
from waymark_worker.vm.records import FUNCTIONS, HOSTS, RecordMethod
from waymark_worker.vm.scheduling import Callback, Future, Gather, Task
from waymark_worker.vm.state import Frame, NativeFrame
from waymark_worker.vm.tasks import LOOP, Loop, Shield
from waymark_worker.vm.timeouts import Release, Timeout, WaitFor
from waymark_worker.vm.waiting import AsCompleted, NextCompleted, Wait, WaitForOne

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

Fields = tuple[tuple[str, tuple[type, ...]], ...]
_NOTHING = type(None)
_ANY = (object,)
_ROUTINE: Fields = (
    ("caller", (Frame, NativeFrame, _NOTHING)),
    ("depth", (int,)),
    ("nested", (int,)),
    ("state", (int,)),
    ("step", (int,)),
)
_FUTURE = ("future", (Future, _NOTHING))
_WAITERS = ("waiters", (list,))
_QUEUE: Fields = (
    ("maxsize", _ANY),
    ("items", (deque, list)),
    ("getters", (list,)),
    ("putters", (list,)),
    ("unfinished", (int,)),
    ("finished", (Event,)),
)
_ALARM = ("alarm", (Alarm, _NOTHING))

RECORDS: dict[str, tuple[type, Fields]] = {
    "record_method": (RecordMethod, (("receiver", _ANY), ("name", (str,)))),
    "alarm": (
        Alarm,
        (
            ("target", (Timeout, Wait, AsCompleted)),
            ("timer", (Future, _NOTHING)),
            ("cancelled", (bool,)),
        ),
    ),
    "timeout": (
        Timeout,
        (
            ("when", (float, int, _NOTHING)),
            ("delay", (float, int, _NOTHING)),
            ("made", (float, _NOTHING)),
            ("state", (int,)),
            _ALARM,
            ("task", (Task, _NOTHING)),
            ("cancelling", (int,)),
        ),
    ),
    "release": (Release, (("waiter", (Future,)),)),
    "wait_for": (
        WaitFor,
        (
            *_ROUTINE,
            ("awaitable", _ANY),
            ("delay", _ANY),
            ("guard", (Timeout, _NOTHING)),
            ("release", (Release, _NOTHING)),
        ),
    ),
    "shield": (Shield, (("inner", (Future,)), ("outer", (Future,)))),
    "wait": (
        Wait,
        (
            *_ROUTINE,
            ("futures", _ANY),
            ("delay", _ANY),
            ("return_when", _ANY),
            ("left", (int,)),
            _ALARM,
            ("waiter", (Future, _NOTHING)),
        ),
    ),
    "as_completed": (
        AsCompleted,
        (
            ("buffer", (deque,)),
            ("ended", (bool,)),
            ("failure", (BaseException, _NOTHING)),
            ("given", _ANY),
            ("delay", _ANY),
            ("begun", (bool,)),
            ("finished", (Queue,)),
            ("todo", (dict,)),
            ("left", (int,)),
            _ALARM,
        ),
    ),
    "wait_for_one": (WaitForOne, (*_ROUTINE, ("source", (AsCompleted,)))),
    "next_completed": (NextCompleted, (*_ROUTINE, ("source", (AsCompleted,)))),
    "lock": (Lock, (("locked", (bool,)), _WAITERS)),
    "acquire": (Acquire, (*_ROUTINE, ("lock", (Lock,)), ("entering", (bool,)), _FUTURE)),
    "event": (Event, (("was_set", (bool,)), _WAITERS)),
    "event_wait": (EventWait, (*_ROUTINE, ("event", (Event,)), _FUTURE)),
    "condition": (Condition, (("lock", (Lock,)), _WAITERS)),
    "condition_wait": (
        ConditionWait,
        (
            *_ROUTINE,
            ("condition", (Condition,)),
            _FUTURE,
            ("error", (BaseException, _NOTHING)),
            ("cancelled", (bool,)),
        ),
    ),
    "condition_wait_for": (
        ConditionWaitFor,
        (*_ROUTINE, ("condition", (Condition,)), ("predicate", _ANY)),
    ),
    "semaphore": (Semaphore, (("value", _ANY), ("bound", _ANY), _WAITERS)),
    "enter": (Enter, (*_ROUTINE, ("semaphore", (Semaphore,)), ("entering", (bool,)), _FUTURE)),
    "queue": (Queue, _QUEUE),
    "priority_queue": (PriorityQueue, _QUEUE),
    "lifo_queue": (LifoQueue, _QUEUE),
    "get": (Get, (*_ROUTINE, ("queue", QUEUES), _FUTURE)),
    "put": (Put, (*_ROUTINE, ("queue", QUEUES), _FUTURE, ("item", _ANY))),
    "join": (Join, (*_ROUTINE, ("queue", QUEUES))),
    "group": (
        TaskGroup,
        (
            ("entered", (bool,)),
            ("exiting", (bool,)),
            ("aborting", (bool,)),
            ("parent", (Task, _NOTHING)),
            ("parent_cancelled", (bool,)),
            ("tasks", (dict,)),
            ("errors", (list,)),
            ("base_error", (BaseException, _NOTHING)),
            ("waiter", (Future, _NOTHING)),
        ),
    ),
    "leave_group": (
        LeaveGroup,
        (
            *_ROUTINE,
            ("group", (TaskGroup,)),
            ("error", (BaseException, _NOTHING)),
            ("cancellation", (BaseException, _NOTHING)),
        ),
    ),
}
"""Stored tag → record and its fields, as in ``snapshot_fields``: add, never change."""

HOSTS.update(
    {
        Future: asyncio.Future,
        Gather: asyncio.Future,
        Task: asyncio.Task,
        Loop: asyncio.AbstractEventLoop,
        Timeout: asyncio.Timeout,
        TaskGroup: asyncio.TaskGroup,
        Lock: asyncio.Lock,
        Event: asyncio.Event,
        Condition: asyncio.Condition,
        Semaphore: asyncio.Semaphore,
        Queue: asyncio.Queue,
        PriorityQueue: asyncio.PriorityQueue,
        LifoQueue: asyncio.LifoQueue,
    }
)
SINGLE: dict[str, Any] = {"loop": LOOP}
CALLBACKS = (Task, Gather, Callback)
"""What may be told of a future besides the mark that stops the loop."""


__all__ = ["CALLBACKS", "FUNCTIONS", "RECORDS", "SINGLE"]


def _release(machine: Machine, manager: Any, _error: BaseException | None) -> None:
    manager.release(machine)


def _leave_group(machine: Machine, group: TaskGroup, error: BaseException | None) -> Any:
    return push_routine(machine, LeaveGroup(group, error))


ASYNC.update(
    {
        Timeout: Protocol(
            lambda machine, timeout: timeout.enter(machine),
            lambda machine, timeout, error: timeout.leave(machine, error),
        ),
        TaskGroup: Protocol(lambda machine, group: group.enter(machine), _leave_group),
        Lock: Protocol(
            lambda machine, lock: push_routine(machine, Acquire(lock, entering=True)), _release
        ),
        Semaphore: Protocol(
            lambda machine, semaphore: push_routine(machine, Enter(semaphore, entering=True)),
            _release,
        ),
        Condition: Protocol(
            lambda machine, condition: push_routine(
                machine, Acquire(condition.lock, entering=True)
            ),
            lambda machine, condition, _error: condition.lock.release(machine),
        ),
    }
)
