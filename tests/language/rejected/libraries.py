"""Functions and classes of other packages, called where only those of the workflow's own package are compiled in."""

import contextlib
import subprocess
import threading

import httpx
import psycopg
from httpx import AsyncClient
from httpx import get as fetched

from tests.language.steps import double, echo
from waymark import Workflow, workflow


async def reached_from_a_helper(url):
    return httpx.get(url).text


@workflow
class FunctionOfAPackage(Workflow):
    async def run(self, url):
        first = await echo(httpx.get(url, timeout=5).status_code)
        second = fetched(url)
        return first, second, [await double(1)] + list(map(httpx.head, [url]))


@workflow
class FunctionOfAPackageInAHelper(Workflow):
    async def run(self, url):
        return await reached_from_a_helper(url)


@workflow
class MethodOfAClassOfAPackage(Workflow):
    async def run(self):
        connection = psycopg.connect("dbname=app")
        other = await psycopg.AsyncConnection.connect("dbname=app")
        return connection, other


@workflow
class ClassOfAPackage(Workflow):
    async def run(self, url):
        client = httpx.Client()
        return client.get(url)


@workflow
class ClientAsContext(Workflow):
    async def run(self, url):
        async with httpx.AsyncClient() as client:
            first = await client.get(url)
        async with AsyncClient() as client:
            return first, await client.get(url)


@workflow
class StreamAsContext(Workflow):
    async def run(self, url):
        with httpx.stream("GET", url) as response, contextlib.suppress(ValueError):
            return response


@workflow
class QualifiedNames(Workflow):
    async def run(self):
        subprocess.run(["ls"])
        threading.Thread(target=print).start()
        return await echo(subprocess.check_output(["ls"]))
