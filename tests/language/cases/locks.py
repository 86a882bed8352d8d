"""Locks, events, conditions and semaphores: who goes on, in which order, and what a cancellation leaves behind."""

import asyncio

from tests.language.steps import boom, double, echo, note
from waymark import Workflow, workflow


@workflow
class LockExcludes(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        log = []
        await asyncio.gather(*[self.part(lock, log, n) for n in range(3)])
        return log, lock.locked()

    async def part(self, lock, log, n):
        async with lock:
            log.append(("in", n))
            await double(n)
            log.append(("out", n))


@workflow
class LockByHand(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        got = await lock.acquire()
        waiting = asyncio.create_task(lock.acquire())
        await asyncio.sleep(1)
        before = waiting.done(), lock.locked()
        lock.release()
        now = lock.locked()
        await waiting
        return got, before, now, lock.locked(), waiting.result()


@workflow
class LockReleasedTooOften(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        async with lock as nothing:
            await note("x")
        try:
            lock.release()
        except RuntimeError as error:
            return nothing, str(error)


@workflow
class LockIsFair(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        log = []
        await asyncio.gather(*[self.part(lock, log, name) for name in "ab"])
        return log

    async def part(self, lock, log, name):
        for n in range(3):
            async with lock:
                log.append((name, n))
                await asyncio.sleep(0)


@workflow
class LockAfterAFailure(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        try:
            async with lock:
                await boom("ValueError", "v")
        except ValueError:
            free = lock.locked()
        async with lock:
            return free, await note("again")


@workflow
class WaiterOfALockIsCancelled(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        log = []
        await lock.acquire()
        first = asyncio.create_task(self.part(lock, log, 1))
        second = asyncio.create_task(self.part(lock, log, 2))
        await asyncio.sleep(1)
        first.cancel()
        lock.release()
        await asyncio.wait([first, second])
        return log, first.cancelled(), lock.locked()

    async def part(self, lock, log, n):
        try:
            async with lock:
                log.append(n)
                await double(n)
        except asyncio.CancelledError:
            log.append(("cancelled", n))
            raise


@workflow
class WokenWaiterIsCancelled(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        log = []
        await lock.acquire()
        tasks = [asyncio.create_task(self.part(lock, log, n)) for n in range(3)]
        await asyncio.sleep(1)
        lock.release()
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return log, lock.locked()

    async def part(self, lock, log, n):
        async with lock:
            log.append(n)


@workflow
class LockWithATimeout(Workflow):
    async def run(self):
        lock = asyncio.Lock()
        await lock.acquire()
        try:
            await asyncio.wait_for(lock.acquire(), 2)
        except TimeoutError:
            lock.release()
        return lock.locked(), await asyncio.wait_for(lock.acquire(), 2)


@workflow
class LocksInAttributes(Workflow):
    async def run(self):
        self.lock = asyncio.Lock()
        self.total = 0
        await asyncio.gather(*[self.bump(n) for n in range(4)])
        return self.total

    async def bump(self, n):
        async with self.lock:
            before = self.total
            got = await double(n)
            self.total = before + got


@workflow
class ThreeLocksAtOnce(Workflow):
    async def run(self):
        locks = [asyncio.Lock() for _ in range(3)]
        async with locks[0], locks[1]:
            async with locks[2]:
                inside = [lock.locked() for lock in locks]
        return inside, [lock.locked() for lock in locks], await note("x")


@workflow
class EventWakesAll(Workflow):
    async def run(self):
        event = asyncio.Event()
        log = []
        tasks = [asyncio.create_task(self.part(event, log, n)) for n in range(3)]
        await asyncio.sleep(1)
        log.append(event.is_set())
        event.set()
        event.set()
        log.append(event.is_set())
        await asyncio.gather(*tasks)
        event.clear()
        log.append((event.is_set(), await note("cleared")))
        return log

    async def part(self, event, log, n):
        log.append((n, await event.wait()))


@workflow
class EventClearedAtOnce(Workflow):
    async def run(self):
        event = asyncio.Event()
        waiting = asyncio.create_task(event.wait())
        await asyncio.sleep(0)
        event.set()
        event.clear()
        return await waiting, event.is_set()


@workflow
class EventWaitCancelled(Workflow):
    async def run(self):
        event = asyncio.Event()
        for limit in (1, 2):
            try:
                await asyncio.wait_for(event.wait(), limit)
            except TimeoutError:
                await note(f"{limit}")
        event.set()
        return await event.wait()


@workflow
class SemaphoreLimits(Workflow):
    async def run(self):
        semaphore = asyncio.Semaphore(2)
        log = []
        await asyncio.gather(*[self.part(semaphore, log, n) for n in range(5)])
        return log, semaphore.locked()

    async def part(self, semaphore, log, n):
        async with semaphore:
            log.append(("in", n))
            await asyncio.sleep(5 - n)
            log.append(("out", n))


@workflow
class SemaphoreByHand(Workflow):
    async def run(self):
        semaphore = asyncio.Semaphore()
        told = [await semaphore.acquire(), semaphore.locked()]
        semaphore.release()
        semaphore.release()
        told += [semaphore.locked(), await semaphore.acquire(), await semaphore.acquire()]
        told.append(semaphore.locked())
        return told


@workflow
class SemaphoreWaiterCancelled(Workflow):
    async def run(self):
        semaphore = asyncio.Semaphore(1)
        log = []
        await semaphore.acquire()
        tasks = [asyncio.create_task(self.part(semaphore, log, n)) for n in range(3)]
        await asyncio.sleep(1)
        tasks[1].cancel()
        semaphore.release()
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return log, semaphore.locked()

    async def part(self, semaphore, log, n):
        async with semaphore:
            log.append(n)
            await note(str(n))


@workflow
class SemaphoreValues(Workflow):
    async def run(self):
        told = []
        for wrong in (-1, "x"):
            try:
                asyncio.Semaphore(wrong)
            except (ValueError, TypeError) as error:
                told.append(str(error))
        try:
            asyncio.Semaphore(1, 2)
        except TypeError as error:
            told.append(str(error))
        bounded = asyncio.BoundedSemaphore(value=1)
        async with bounded:
            await note("x")
        try:
            bounded.release()
        except ValueError as error:
            told.append(str(error))
        return told


@workflow
class ConditionNotifies(Workflow):
    async def run(self):
        condition = asyncio.Condition()
        self.items = []
        log = []
        takers = [asyncio.create_task(self.take(condition, log, n)) for n in range(3)]
        await asyncio.sleep(1)
        for n in range(3):
            async with condition:
                self.items.append(await double(n))
                condition.notify()
        await asyncio.gather(*takers)
        return log, condition.locked()

    async def take(self, condition, log, n):
        async with condition:
            while not self.items:
                await condition.wait()
            log.append((n, self.items.pop(0)))


@workflow
class ConditionWaitFor(Workflow):
    async def run(self):
        condition = asyncio.Condition(asyncio.Lock())
        self.count = 0
        waiting = asyncio.create_task(self.until(condition, 3))
        for _ in range(4):
            await asyncio.sleep(1)
            async with condition:
                self.count += 1
                condition.notify_all()
        return await waiting

    async def until(self, condition, wanted):
        async with condition:
            got = await condition.wait_for(lambda: self.count >= wanted and f"at {self.count}")
            return got, await note("reached")


@workflow
class ConditionWithoutTheLock(Workflow):
    async def run(self):
        condition = asyncio.Condition()
        told = []
        try:
            await condition.wait()
        except RuntimeError as error:
            told.append(str(error))
        for call in (condition.notify, condition.notify_all, condition.release):
            try:
                call()
            except RuntimeError as error:
                told.append(str(error))
        told.append(await condition.acquire())
        condition.release()
        return told


@workflow
class ConditionWaitCancelled(Workflow):
    async def run(self):
        condition = asyncio.Condition()
        log = []
        task = asyncio.create_task(self.waits(condition, log))
        await asyncio.sleep(1)
        async with condition:
            task.cancel()
            await echo("held")
            log.append("held")
        await asyncio.wait([task])
        return log, task.cancelled(), condition.locked()

    async def waits(self, condition, log):
        async with condition:
            try:
                await condition.wait()
            finally:
                log.append(("has the lock", condition.locked()))


@workflow
class PredicateThatFails(Workflow):
    async def run(self):
        condition = asyncio.Condition()
        try:
            async with condition:
                await condition.wait_for(lambda: [].pop())
        except IndexError as error:
            return str(error), condition.locked(), await note("x")
