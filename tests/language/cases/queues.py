"""Queues: producers and consumers, their order, what is full and what is empty, joins."""

import asyncio

from tests.language.steps import double, echo, note
from waymark import Workflow, workflow


@workflow
class ProducerAndConsumer(Workflow):
    async def run(self):
        queue = asyncio.Queue(maxsize=2)
        log = []
        producer = asyncio.create_task(self.produce(queue, log))
        got = []
        while (item := await queue.get()) is not None:
            got.append(await double(item))
            log.append(("got", item, queue.qsize()))
        await producer
        return got, log

    async def produce(self, queue, log):
        for n in range(5):
            await queue.put(n)
            log.append(("put", n, queue.full()))
        await queue.put(None)


@workflow
class WorkersOfAQueue(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        for n in range(6):
            queue.put_nowait(n)
        out = []
        workers = [asyncio.create_task(self.work(name, queue, out)) for name in "abc"]
        await queue.join()
        for worker in workers:
            worker.cancel()
        ended = await asyncio.gather(*workers, return_exceptions=True)
        return out, [repr(each) for each in ended], queue.empty()

    async def work(self, name, queue, out):
        while True:
            item = await queue.get()
            try:
                out.append((name, await double(item)))
            finally:
                queue.task_done()


@workflow
class EmptyAndFull(Workflow):
    async def run(self):
        queue = asyncio.Queue(1)
        told = [queue.empty(), queue.full(), queue.maxsize]
        try:
            queue.get_nowait()
        except asyncio.QueueEmpty as error:
            told.append(repr(error))
        queue.put_nowait("x")
        try:
            queue.put_nowait("y")
        except asyncio.QueueFull as error:
            told.append(repr(error))
        told += [queue.empty(), queue.full(), queue.qsize(), queue.get_nowait()]
        return told, await note("x")


@workflow
class DoneTooOften(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        await queue.join()
        await queue.put(1)
        queue.task_done()
        await queue.join()
        try:
            queue.task_done()
        except ValueError as error:
            return str(error), await queue.get()


@workflow
class PriorityOrder(Workflow):
    async def run(self):
        queue = asyncio.PriorityQueue()
        for item in [(3, "c"), (1, "a"), (2, "b"), (1, "aa")]:
            await queue.put(item)
        out = []
        while not queue.empty():
            out.append(await echo(await queue.get()))
        return out


@workflow
class PriorityOfTheIncomparable(Workflow):
    async def run(self):
        queue = asyncio.PriorityQueue()
        queue.put_nowait((1, {"a": 1}))
        try:
            queue.put_nowait((1, {"b": 2}))
        except TypeError as error:
            return str(error), queue.qsize(), await queue.get()


@workflow
class LifoOrder(Workflow):
    async def run(self):
        queue = asyncio.LifoQueue(3)
        for n in range(3):
            await queue.put(n)
        waiting = asyncio.create_task(queue.put("late"))
        await asyncio.sleep(1)
        out = [await queue.get() for _ in range(2)]
        await waiting
        return out + [queue.get_nowait(), queue.get_nowait()]


@workflow
class GetIsCancelled(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        tasks = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(1)
        tasks[0].cancel()
        queue.put_nowait("a")
        queue.put_nowait("b")
        tasks[1].cancel()
        got = await asyncio.gather(*tasks, return_exceptions=True)
        return [repr(each) for each in got], queue.qsize()


@workflow
class PutIsCancelled(Workflow):
    async def run(self):
        queue = asyncio.Queue(1)
        queue.put_nowait(0)
        tasks = [asyncio.create_task(queue.put(n)) for n in range(1, 4)]
        await asyncio.sleep(1)
        first = queue.get_nowait()
        tasks[0].cancel()
        await asyncio.sleep(1)
        rest = []
        while not queue.empty():
            rest.append(await queue.get())
            await asyncio.sleep(1)
        return first, rest, [task.cancelled() for task in tasks]


@workflow
class GetWithATimeout(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        got = []
        feeding = asyncio.create_task(self.feed(queue))
        while len(got) < 4:
            try:
                got.append(await asyncio.wait_for(queue.get(), 2))
            except TimeoutError:
                got.append("nothing")
        await feeding
        return got

    async def feed(self, queue):
        for pause in (1, 5, 1):
            await asyncio.sleep(pause)
            await queue.put(await note(f"after {pause}"))


@workflow
class JoinIsWoken(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        log = []
        queue.put_nowait(1)
        joins = [asyncio.create_task(self.joins(queue, log, n)) for n in range(2)]
        await asyncio.sleep(1)
        log.append(queue.get_nowait())
        queue.task_done()
        queue.put_nowait(2)
        await asyncio.gather(*joins)
        return log

    async def joins(self, queue, log, n):
        await queue.join()
        log.append(("joined", n))


@workflow
class QueueOfQueues(Workflow):
    async def run(self):
        requests = asyncio.Queue()
        serving = asyncio.create_task(self.serve(requests))
        answers = []
        for n in range(3):
            reply = asyncio.Queue()
            await requests.put((n, reply))
            answers.append(await reply.get())
        serving.cancel()
        return answers

    async def serve(self, requests):
        while True:
            n, reply = await requests.get()
            await reply.put(await double(n))


@workflow
class MethodsAsValues(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        put, get = queue.put_nowait, queue.get
        for n in range(3):
            put(n)
        list(map(queue.put_nowait, "ab"))
        first = await get()
        await note("x")
        return first, await get(), queue.qsize(), put == queue.put_nowait


@workflow
class WrongCalls(Workflow):
    async def run(self):
        queue = asyncio.Queue()
        told = []
        try:
            queue.put()
        except TypeError as error:
            told.append(str(error))
        try:
            queue.get_nowait(1)
        except TypeError as error:
            told.append(str(error))
        try:
            asyncio.LifoQueue(1, 2)
        except TypeError as error:
            told.append(str(error))
        try:
            queue.putt(1)
        except AttributeError as error:
            told.append(str(error))
        return told, await note("x")
