"""Items and who waits for them come in; who gets which item, and in which order, goes out."""

from __future__ import annotations

import heapq
from asyncio.queues import QueueEmpty, QueueFull
from collections import deque
from typing import TYPE_CHECKING, Any

from waymark_worker.vm.awaiting import until
from waymark_worker.vm.locks import Event, EventWait
from waymark_worker.vm.meter import METER
from waymark_worker.vm.names import register
from waymark_worker.vm.operations import compare
from waymark_worker.vm.records import ATTRIBUTES, asyncio_class, method
from waymark_worker.vm.routines import Routine
from waymark_worker.vm.scheduling import CANCELLED, DONE, PENDING, Future
from waymark_worker.vm.weights import weigh

if TYPE_CHECKING:
    from waymark_worker.vm.machine import Machine

_at_most = compare("<=")
_at_least = compare(">=")


class Queue:
    """``asyncio.Queue``."""

    __slots__ = ("finished", "getters", "items", "maxsize", "putters", "unfinished")

    def __init__(self, maxsize: Any) -> None:
        self.maxsize = maxsize
        self.items: Any = self.storage()
        self.getters: list[Future] = []
        self.putters: list[Future] = []
        self.unfinished = 0
        self.finished = Event()
        self.finished.was_set = True

    def storage(self) -> Any:
        """Where items wait."""
        return deque()

    def put(self, item: Any) -> None:
        """Keep an item."""
        self.items.append(item)

    def take(self) -> Any:
        """Hand the next item out."""
        return self.items.popleft()

    def full(self) -> bool:
        """Whether a further item has to wait."""
        if _at_most(self.maxsize, 0):
            return False
        return bool(_at_least(len(self.items), self.maxsize))

    def put_nowait(self, machine: Machine, item: Any) -> None:
        """Keep an item and wake who waits for one."""
        if self.full():
            raise QueueFull
        self.put(item)
        self.unfinished += 1
        self.finished.was_set = False
        wake(machine, self.getters)

    def get_nowait(self, machine: Machine) -> Any:
        """Hand an item out and wake who waits for room."""
        if not self.items:
            raise QueueEmpty
        item = self.take()
        wake(machine, self.putters)
        return item


class PriorityQueue(Queue):
    """``asyncio.PriorityQueue``."""

    __slots__ = ()

    def storage(self) -> Any:
        return []

    def put(self, item: Any) -> None:
        self._charge(item)
        heapq.heappush(self.items, item)

    def take(self) -> Any:
        self._charge(self.items[0])
        return heapq.heappop(self.items)

    def _charge(self, item: Any) -> None:
        for _ in range(len(self.items).bit_length()):
            METER.charge(2)
            weigh(item)


class LifoQueue(Queue):
    """``asyncio.LifoQueue``."""

    __slots__ = ()

    def storage(self) -> Any:
        return []

    def take(self) -> Any:
        return self.items.pop()


def wake(machine: Machine, waiters: list[Future]) -> None:
    """Wake the first who still waits."""
    while waiters:
        waiter = waiters.pop(0)
        if waiter.state == PENDING:
            waiter.settle(machine, DONE, None)
            break


class _Turn(Routine):
    """Waits in a line of a queue until it is this one's turn and the queue has what it wants."""

    __slots__ = ("future", "queue")

    def __init__(self, queue: Queue) -> None:
        Routine.__init__(self)
        self.queue = queue
        self.future: Future | None = None

    def line(self) -> list[Future]:
        """Who waits for the same."""
        raise NotImplementedError

    def blocked(self) -> bool:
        """Whether it has to wait."""
        raise NotImplementedError

    def act(self, machine: Machine) -> Any:
        """Do it."""
        raise NotImplementedError

    def begin(self, machine: Machine) -> Any:
        if not self.blocked():
            return self.act(machine)
        future = self.future = Future()
        self.line().append(future)
        return until(machine, self, future, 1)

    def resumed(self, machine: Machine, value: Any) -> Any:
        return self.begin(machine)

    def caught(self, machine: Machine, error: BaseException) -> Any:
        future = self.future
        assert future is not None
        future.cancel(machine)
        line = self.line()
        if future in line:
            line.remove(future)
        if not self.blocked() and future.state != CANCELLED:
            wake(machine, line)
        raise error


class Get(_Turn):
    """``queue.get()``."""

    __slots__ = ()

    def line(self) -> list[Future]:
        return self.queue.getters

    def blocked(self) -> bool:
        return not self.queue.items

    def act(self, machine: Machine) -> Any:
        return self.queue.get_nowait(machine)


class Put(_Turn):
    """``queue.put(item)``."""

    __slots__ = ("item",)

    def __init__(self, queue: Queue, item: Any) -> None:
        _Turn.__init__(self, queue)
        self.item = item

    def line(self) -> list[Future]:
        return self.queue.putters

    def blocked(self) -> bool:
        return self.queue.full()

    def act(self, machine: Machine) -> Any:
        return self.queue.put_nowait(machine, self.item)


class Join(Routine):
    """``queue.join()``."""

    __slots__ = ("queue",)

    def __init__(self, queue: Queue) -> None:
        Routine.__init__(self)
        self.queue = queue

    def begin(self, machine: Machine) -> Any:
        if self.queue.unfinished <= 0:
            return None
        return until(machine, self, EventWait(self.queue.finished), 1)

    def resumed(self, machine: Machine, value: Any) -> Any:
        return None


QUEUES = (Queue, PriorityQueue, LifoQueue)
for _kind, _name in zip(QUEUES, ("Queue", "PriorityQueue", "LifoQueue"), strict=True):
    register(_kind, _name)
    ATTRIBUTES[_kind] = {"maxsize": lambda queue: queue.maxsize}


@asyncio_class("Queue")
def _make_queue(machine: Machine, maxsize: Any = 0) -> Queue:
    return Queue(maxsize)


@asyncio_class("PriorityQueue", "Queue")
def _make_priority_queue(machine: Machine, maxsize: Any = 0) -> Queue:
    return PriorityQueue(maxsize)


@asyncio_class("LifoQueue", "Queue")
def _make_lifo_queue(machine: Machine, maxsize: Any = 0) -> Queue:
    return LifoQueue(maxsize)


@method(*QUEUES)
def _qsize(machine: Machine, self: Queue) -> int:
    return len(self.items)


@method(*QUEUES)
def _empty(machine: Machine, self: Queue) -> bool:
    return not self.items


@method(*QUEUES)
def _full(machine: Machine, self: Queue) -> bool:
    return self.full()


@method(*QUEUES)
def _put(machine: Machine, self: Queue, item: Any) -> Put:
    return Put(self, item)


@method(*QUEUES)
def _put_nowait(machine: Machine, self: Queue, item: Any) -> None:
    self.put_nowait(machine, item)


@method(*QUEUES)
def _get(machine: Machine, self: Queue) -> Get:
    return Get(self)


@method(*QUEUES)
def _get_nowait(machine: Machine, self: Queue) -> Any:
    return self.get_nowait(machine)


@method(*QUEUES)
def _task_done(machine: Machine, self: Queue) -> None:
    if self.unfinished <= 0:
        msg = "task_done() called too many times"
        raise ValueError(msg)
    self.unfinished -= 1
    if self.unfinished == 0:
        self.finished.set(machine)


@method(*QUEUES)
def _join(machine: Machine, self: Queue) -> Join:
    return Join(self)


__all__ = ["QUEUES", "Get", "LifoQueue", "PriorityQueue", "Put", "Queue", "wake"]
