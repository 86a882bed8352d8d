"""What an error keeps across a recovery: the fields of its class, as they were given and as they were changed."""

import asyncio

from tests.language.steps import boom, echo, note
from waymark import Workflow, workflow


class DiskFull(OSError):
    pass


class Coded(OSError):
    def __init__(self, code):
        super().__init__(code, "coded")
        self.code = code


@workflow
class FieldsOfSystemErrors(Workflow):
    """With their number, text and files, whether an action raised them or the workflow."""

    async def run(self):
        log = []
        for raising in (self.sent, self.renamed, self.own, self.busy, self.past_a_finally):
            try:
                await raising()
            except OSError as e:
                await note("cleanup")
                log.append((repr(e), str(e), e.errno, e.strerror, e.filename, e.filename2))
        task = asyncio.create_task(self.sent())
        await asyncio.gather(task, return_exceptions=True)
        await echo(1)
        log.append((str(task.exception()), task.exception().errno))
        return log

    async def sent(self):
        await boom("FileNotFoundError", 2, "No such file", "/x")

    async def renamed(self):
        raise OSError(18, "cross-device", "/a", None, "/b")

    async def own(self):
        raise DiskFull(28, "no space", await echo("/disk"))

    async def busy(self):
        raise Coded(11) if await echo(True) else OSError("text only")

    async def past_a_finally(self):
        try:
            raise ConnectionResetError(104, "reset")
        finally:
            await note("finally")


@workflow
class SystemErrorsWithoutText(Workflow):
    async def run(self):
        errors = [OSError(), OSError("alone"), OSError(None, "x"), OSError(None, None)]
        errors[1].errno = 5
        await note("cleanup")
        return [(str(e), repr(e), e.errno, e.strerror) for e in errors]


@workflow
class FieldsOfErrorsThatWereChanged(Workflow):
    async def run(self):
        log = []
        try:
            b"a\xffb".decode("utf-8")
        except UnicodeDecodeError as e:
            e.reason = "for a reason"
            e.start = 0
            await note("decode")
            log.append((str(e), e.args, e.reason, e.start, e.end, e.object, e.encoding))
        try:
            next(iter(()))
        except StopIteration as e:
            e.value = [log]
            await note("stop")
            log.append(e.value is not None and len(e.value))
        try:
            await boom("ImportError", "no module")
        except Exception as e:
            e.msg = "another text"
            e.args = ("unread",)
            await note("import")
            log.append((str(e), e.msg, e.name, e.path, repr(e)))
        try:
            raise SyntaxError("bad", ("file", 3, 4, "line"))
        except SyntaxError as e:
            e.args = ("bad", 7)
            e.lineno = 9
            await note("syntax")
            log.append((str(e), e.lineno, e.text, e.args))
        return log
