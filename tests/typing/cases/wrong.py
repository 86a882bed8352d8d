"""Mistakes of users, each with what both type checkers must say about its line."""

from typing import Annotated

from waymark import Depends, RetryPolicy, Run, Workflow, action, workflow


def sender() -> str:
    return "me"


@action
async def double(number: int, sender: str = Depends(sender)) -> int:
    return number * 2


@action
async def annotated_only(number: int, sender: Annotated[str, Depends(sender)]) -> int:
    return number


@action(timeout="long")  # E: mypy=call-overload,untyped-decorator pyright=reportArgumentType
async def timed() -> None: ...


@workflow
class Double(Workflow):
    async def run(self, number: int, *, loud: bool = False) -> int:
        await double("3")  # E: mypy=arg-type pyright=reportArgumentType
        await double()  # E: mypy=call-arg pyright=reportCallIssue
        await double(3, sender=4)  # E: mypy=arg-type pyright=reportArgumentType
        # A checker cannot know that this one is injected: write `= Depends(sender)`.
        await annotated_only(3)  # E: mypy=call-arg pyright=reportCallIssue
        text: str = await double(3)  # E: mypy=assignment pyright=reportAssignmentType
        await self.run_action(double(3), retry=3)  # E: mypy=call-overload pyright=reportArgumentType,reportCallIssue
        await self.run_action(double(3), retires=RetryPolicy())  # E: mypy=call-overload pyright=reportCallIssue
        return text  # E: mypy=return-value pyright=reportReturnType


async def starts() -> None:
    await Double().run("3")  # E: mypy=arg-type pyright=reportArgumentType
    await Double().run()  # E: mypy=call-arg pyright=reportCallIssue
    await Double().run(3, loud=1)  # E: mypy=arg-type pyright=reportArgumentType
    await Double().run(3, 4)  # E: mypy=arg-type,call-arg pyright=reportCallIssue
    await Double.start("3")  # E: mypy=arg-type pyright=reportArgumentType
    await Double.start()  # E: mypy=call-arg pyright=reportCallIssue
    await Double.start(3, quiet=True)  # E: mypy=call-arg pyright=reportCallIssue
    await Double.options(priority="high").start(3)  # E: mypy=arg-type pyright=reportArgumentType
    await Double.options(urgent=True).start(3)  # E: mypy=call-arg pyright=reportCallIssue,reportUnknownMemberType
    await Double.options(priority=1).start("3")  # E: mypy=arg-type pyright=reportArgumentType
    Double.call(number="3")  # E: mypy=arg-type pyright=reportArgumentType
    wrong: Run[str] = await Double.start(3)  # E: mypy=assignment pyright=reportAssignmentType
    text: str = await (await Double.start(3)).result()  # E: mypy=assignment pyright=reportAssignmentType
    print(wrong, text)
    Double().run(3)  # E: mypy=unused-coroutine pyright=reportUnusedCoroutine
    await Double.start_many([3])  # E: mypy=arg-type pyright=reportArgumentType


def starts_without_a_loop() -> None:
    Double().run_sync("3")  # E: mypy=arg-type pyright=reportArgumentType
    Double.start_sync(3, loud="yes")  # E: mypy=arg-type pyright=reportArgumentType
    text: str = Double().run_sync(3)  # E: mypy=assignment pyright=reportAssignmentType
    print(text)
    Double().run_sync()  # E: mypy=call-arg pyright=reportCallIssue
    text = Double.start_sync(3).result_sync()  # E: mypy=assignment pyright=reportAssignmentType
